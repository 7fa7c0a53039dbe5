"""The command `schema`."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from cyclopts import Parameter

from rpcschema.cli.common import FINE


def schema(of: Annotated[Literal["document", "settings"], Parameter(name="OF")]) -> int:
    """Print a JSON Schema with which editors validate and complete documents, or [tool.rpcschema] of pyproject.toml."""
    from rpcschema.editing import document_schema, settings_schema  # noqa: PLC0415 # 0085: slow

    made = document_schema() if of == "document" else settings_schema()
    print(json.dumps(made, ensure_ascii=False, indent=2))
    return FINE
