"""Target `openapi`: one OpenAPI 3.1 document, which describes the commands as clnrest offers them over HTTPS.

Each command has the path `/v1/NAME`, to which a client posts the parameters as a JSON object. Success is status 201,
with the result as it is. Source: Core Lightning, plugins/rest-plugin; the OpenAPI specification, 3.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from rpcschema.errorcodes import ErrorTable
from rpcschema.model.nodes import Document
from rpcschema.python import names
from rpcschema.settings import Settings
from rpcschema.targets import Collected, DocumentSummary, Made, Target
from rpcschema.targets.descriptions import CommandError, about, errors, errors_of_any_command, exchanges, info
from rpcschema.targets.jsonparts import frame, member
from rpcschema.targets.scalars import definitions
from rpcschema.targets.schemas import Dialect, Writer
from rpcschema.targets.subject import Subject

_PATH: Final = "openapi.json"
# Generators of TypeScript clients make fields with a default required.
_WRITER: Final = Writer(Dialect("#/components/schemas/", has_defaults=False))
_REFUSALS: Final = {
    "401": ("Unauthorized", "The rune is not valid, or does not permit the call."),
    "403": ("MissingRune", "The request has no rune."),
    "404": ("UnknownCommand", "The node has no such command."),
    "406": ("NotAcceptable", "The content type is not supported, or a parameter is given twice."),
}
"""The statuses of calls that were not made, the same for all commands."""
_ANY_CODE: Final = {"type": ["integer", "null"]}


def document(subject: Subject) -> Made:
    """Render the path of one command."""
    if subject.document.kind != "rpc":
        return Made()
    path = {"post": _operation(subject.document, subject.settings.errors)}
    return Made(parts={_PATH: member(f"/v1/{subject.document.name}", path, depth=2)})


def collection(_: Sequence[DocumentSummary], settings: Settings) -> Collected:
    """Render what surrounds the paths."""
    content = {
        "openapi": "3.1.0",
        "info": info(settings),
        "servers": [
            {
                "url": "https://{host}:{port}",
                "variables": {"host": {"default": "127.0.0.1"}, "port": {"default": "3010"}},
            }
        ],
        "security": [{"rune": []}],
        "paths": {},
        "components": {
            "schemas": {**dict(definitions()), "Error": _error_schema(errors_of_any_command(settings.errors))},
            "responses": {name: _failure(description) for name, description in _REFUSALS.values()},
            "securitySchemes": {
                "rune": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Rune",
                    "description": "A rune that permits the call. `createrune` makes one.",
                }
            },
        },
    }
    return Collected(frames={_PATH: frame(content, "paths")})


def _operation(document: Document, table: ErrorTable) -> dict[str, Any]:
    request = {"title": names.request_class(document), **_WRITER.half(document, "request")}
    response = {"title": names.response_class(document), **_WRITER.half(document, "response")}
    given, returned = {}, {}
    for at, exchange in enumerate(exchanges(document), 1):
        summary = {"summary": exchange.description} if exchange.description else {}
        given[f"example-{at}"] = {**summary, "value": exchange.params}
        returned[f"example-{at}"] = {**summary, "value": exchange.result}
    operation: dict[str, Any] = {
        "operationId": document.name,
        "summary": document.title,
        "description": about(document),
    }
    if document.deprecated:
        operation["deprecated"] = True
    if document.categories:
        operation["tags"] = list(document.categories)
    return operation | {
        "requestBody": {"required": bool(request.get("required")), "content": _content(request, given)},
        "responses": {
            "201": {"description": "The result of the command.", "content": _content(response, returned)},
            **{status: {"$ref": f"#/components/responses/{name}"} for status, (name, _) in _REFUSALS.items()},
            "500": _command_failure(errors(document, table)),
        },
    }


def _content(schema: dict[str, Any], examples: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"application/json": {"schema": schema, **({"examples": examples} if examples else {})}}


def _failure(description: str) -> dict[str, Any]:
    return {"description": description, "content": _content({"$ref": "#/components/schemas/Error"})}


def _command_failure(found: Sequence[CommandError]) -> dict[str, Any]:
    """Return the response of a command that failed, or that could not read its parameters."""
    schema: dict[str, Any] = {"$ref": "#/components/schemas/Error"}
    if found:
        schema["properties"] = {"code": _codes(found)}
    return {"description": "The command failed.", "content": _content(schema)}


def _error_schema(found: Sequence[CommandError]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"code": _codes(found), "message": {"type": "string"}, "data": {}},
        "required": ["code", "message"],
    }


def _codes(found: Sequence[CommandError]) -> dict[str, Any]:
    """Return the schema of a code: any number, because a node of another release may return others."""
    return {"anyOf": [*map(_code, found), _ANY_CODE]}


def _code(error: CommandError) -> dict[str, Any]:
    return {"const": error.code, **({"title": error.name} if error.name else {}), "description": error.meaning}


TARGET: Final = Target(name="openapi", document=document, collection=collection)
