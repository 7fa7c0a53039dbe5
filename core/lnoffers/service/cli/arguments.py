"""The arguments of a call, as lightning-cli takes them: words on a command line become the text of JSON parameters."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Final

from lnoffers.service.errors import ServiceError

# Digits that begin with 0 may be hex, so only "0" itself is a number among them.
_LITERAL: Final = re.compile(r'(?!0[0-9]+\Z)[0-9.]+|true|false|null|\{.*\}|\[.*\]|".*"|"', re.DOTALL)


class ArgumentError(ServiceError):
    """The arguments cannot be made into parameters."""


def params_text(arguments: Sequence[str], *, keywords: bool | None = None) -> bytes:
    """The text of the parameters: an object if each argument is `key=value`, else an array.

    Which it is, `keywords` says, or, if that is None, whether the first argument holds a `=`. Numbers without a sign,
    `true`, `false`, `null` and what is enclosed in braces, brackets or double quotes are JSON and stay as they are; the
    rest is text.

    Raises:
        ArgumentError: for an argument without `=` among keywords, one that looks like JSON but is not, or is not UTF-8.
    """
    if keywords is None:
        keywords = bool(arguments) and "=" in arguments[0]
    if keywords:
        return b"{" + b",".join(_pair(argument) for argument in arguments) + b"}"
    return b"[" + b",".join(_value(argument) for argument in arguments) + b"]"


def _pair(argument: str) -> bytes:
    key, separator, value = argument.partition("=")
    if not separator:
        raise ArgumentError(f"expected key=value in {argument!r}")
    return quoted(key) + b":" + _value(value)


def _value(argument: str) -> bytes:
    return json_value(argument) if _LITERAL.fullmatch(argument) else quoted(argument)


def json_value(argument: str) -> bytes:
    """A word that is one JSON value, as it is written.

    Raises:
        ArgumentError: if it is not.
    """
    # Most arguments are plain text, and this takes a tenth of a call's time to load.
    from clnrpc.runtime.jsontext import Framer, FramingError, elements, members  # noqa: PLC0415

    raw = argument.encode("utf-8", "surrogateescape")
    framer = Framer()
    framer.feed(b'{"":[' + raw + b"]}")
    try:
        [message] = framer
        [(_, values)] = members(message)
        [value] = elements(values)
    except (FramingError, ValueError) as error:
        raise ArgumentError(f"{argument!r} is taken for JSON, but is not one JSON value") from error
    return value


def quoted(text: str) -> bytes:
    """A word as JSON text.

    Raises:
        ArgumentError: if it is not UTF-8.
    """
    try:
        return json.dumps(text, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ArgumentError(f"{text!r} is not UTF-8 text") from error
