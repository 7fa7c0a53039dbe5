"""Target `jsonschema`: JSON Schemas (2020-12) for each request, response and payload, in files of their own."""

from __future__ import annotations

from typing import Any, Final

from rpcschema.model.nodes import KIND_NAMES
from rpcschema.targets import Made, Target
from rpcschema.targets.jsonparts import json_bytes
from rpcschema.targets.scalars import definitions
from rpcschema.targets.schemas import Dialect, Writer, references
from rpcschema.targets.subject import Subject

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_HALVES: Final = {
    "rpc": {"request": "request", "response": "response"},
    "notification": {"payload": "response"},
    "hook": {"payload": "request", "response": "response"},
}
"""The files of each kind of document: what they describe, and where the document has it."""


def document(subject: Subject) -> Made:
    """Render the schemas of one document."""
    document, files = subject.document, {}
    for about, half in _HALVES[document.kind].items():
        written = Writer(Dialect("#/$defs/")).half(document, half)
        title = f"The {about} of the {KIND_NAMES[document.kind]} {document.name}"
        schema: dict[str, Any] = {"$schema": _DIALECT, "title": title, **written}
        used = set(references(written))
        if used := {name for name, _ in definitions()} & used:
            schema["$defs"] = {name: dict(each) for name, each in definitions() if name in used}
        files[f"jsonschema/{document.kind}/{document.name}.{about}.json"] = json_bytes(schema)
    return Made(files=files)


TARGET: Final = Target(name="jsonschema", document=document)
