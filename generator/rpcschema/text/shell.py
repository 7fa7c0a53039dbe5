"""An example's request as a command line.

Source: Core Lightning, lightning-cli: arguments that look like JSON are sent as JSON, all others as strings.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Final

from rpcschema.model.nodes import Absent, Json

_LITERAL: Final = re.compile(r'(?!0\d+$)[0-9.]+|true|false|null|\{.*\}|\[.*\]|".*"', re.DOTALL)


def command_line(method: str, params: Json | Absent) -> str:
    """Return a call of `lightning-cli`, quoted for a POSIX shell; `params` is the request's object or array."""
    match params:
        case Mapping() if params:
            named = [f"{shlex.quote(name)}={shlex.quote(_argument(value))}" for name, value in params.items()]
            arguments = ["-k", shlex.quote(method), *named]
        case list() | tuple():
            positional = [_argument(value) for value in params]
            # Without -o, a first argument with "=" would make all of them named.
            option = ["-o"] if any("=" in argument for argument in positional[:1]) else []
            arguments = [*option, *map(shlex.quote, [method, *positional])]
        case _:
            arguments = [shlex.quote(method)]
    return " ".join(["lightning-cli", *arguments])


def _argument(value: Json) -> str:
    if isinstance(value, str) and not _LITERAL.fullmatch(value):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
