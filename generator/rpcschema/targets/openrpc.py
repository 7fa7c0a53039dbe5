"""Target `openrpc`: one OpenRPC document, which describes the commands as a client of the socket calls them.

Notifications and hooks are left out: OpenRPC describes only what clients call. Source: the OpenRPC specification, 1.4.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from rpcschema.errorcodes import ErrorTable
from rpcschema.model.nodes import Document
from rpcschema.settings import Settings
from rpcschema.targets import Collected, DocumentSummary, Made, Target
from rpcschema.targets.descriptions import CommandError, about, errors, errors_of_any_command, exchanges, info
from rpcschema.targets.jsonparts import element, frame
from rpcschema.targets.scalars import definitions
from rpcschema.targets.schemas import Dialect, Writer
from rpcschema.targets.subject import Subject

_PATH: Final = "openrpc.json"
_VERSION: Final = "1.3.2"
_WRITER: Final = Writer(Dialect("#/components/schemas/", is_draft_7=True))


def document(subject: Subject) -> Made:
    """Render the method of one command."""
    if subject.document.kind != "rpc":
        return Made()
    return Made(parts={_PATH: element(_method(subject.document, subject.settings.errors), depth=2)})


def collection(_: Sequence[DocumentSummary], settings: Settings) -> Collected:
    """Render what surrounds the methods."""
    content = {
        "openrpc": _VERSION,
        "info": info(settings),
        "methods": [],
        "components": {
            "schemas": dict(definitions()),
            "errors": {each.name: _error(each) for each in errors_of_any_command(settings.errors)},
        },
    }
    return Collected(frames={_PATH: frame(content, "methods")})


def _method(document: Document, table: ErrorTable) -> dict[str, Any]:
    request = _WRITER.half(document, "request")
    # By position the required ones come first, and what Core Lightning does not have has no position.
    extensions = [field.name for field in document.request.fields or () if field.node.extension]
    required = request.get("required", [])
    properties = request.get("properties", {})
    order = sorted(properties, key=lambda name: (name in extensions, name not in required))
    method: dict[str, Any] = {"name": document.name, "summary": document.title, "description": about(document)}
    if document.deprecated:
        method["deprecated"] = True
    if document.categories:
        method["tags"] = [{"name": name} for name in document.categories]
    method["paramStructure"] = "by-name" if extensions else "either"
    method["params"] = [_parameter(name, properties[name], is_required=name in required) for name in order]
    method["result"] = {"name": "result", "schema": _WRITER.half(document, "response")}
    method["errors"] = [
        *({"$ref": f"#/components/errors/{each.name}"} for each in errors_of_any_command(table)),
        *map(_error, errors(document, table)),
    ]
    if examples := list(_examples(document)):
        method["examples"] = examples
    return method


def _parameter(name: str, schema: dict[str, Any], *, is_required: bool) -> dict[str, Any]:
    about = {"description": schema["description"]} if "description" in schema else {}
    deprecated = {"deprecated": True} if schema.get("deprecated") else {}
    return {"name": name, **about, "required": is_required, **deprecated, "schema": schema}


def _error(error: CommandError) -> dict[str, Any]:
    return {"code": error.code, "message": f"{error.name}: {error.meaning}" if error.name else error.meaning}


def _examples(document: Document) -> Iterator[dict[str, Any]]:
    for at, exchange in enumerate(exchanges(document), 1):
        yield {
            "name": f"Example {at}",
            "description": exchange.description,
            "params": [{"name": name, "value": value} for name, value in exchange.params.items()],
            "result": {"name": "result", "value": exchange.result},
        }


TARGET: Final = Target(name="openrpc", document=document, collection=collection)
