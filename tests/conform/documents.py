"""Documents for the tests of this folder, made of what they are about."""

from __future__ import annotations

from typing import Any

from rpcschema.model.build import build
from rpcschema.model.nodes import Document, SchemaNode

Raw = dict[str, Any]


def document(name: str = "pay", *, request: Raw | None = None, response: Raw | None = None, **others: Any) -> Document:
    """Return the document of a command."""
    raw = {
        "rpc": name,
        "title": "Command",
        "description": ["It is for tests."],
        "request": request or {"required": [], "properties": {}},
        "response": response or {"type": "object"},
        **others,
    }
    return build(raw, f"{name}.json")


def schema(raw: Raw) -> SchemaNode:
    """Return the schema of a response."""
    return document(response=raw).response
