"""Python annotations for what a caller may pass, read off the same plain schema that the dataclasses are rendered
from.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rpcschema.python.classes import Schema

_BUILTIN: Final = {"boolean": "bool", "integer": "int", "number": "float", "string": "str", "null": "None"}
_ALSO_TEXT: Final = frozenset({"Msat", "Sat"})
"""Amounts that a caller may also write with a unit ("10000sat"); an answer only ever has the number."""


def annotation(schema: Schema) -> str:
    """The annotation of a parameter that takes values of `schema`."""
    return " | ".join(dict.fromkeys(_parts(schema)))


def imported(schema: Schema) -> Iterator[tuple[str, str]]:
    """What the annotation needs: ("scalars", alias) or ("types", class) pairs."""
    if "customTypePath" in schema:
        yield "scalars", _last(schema["customTypePath"])
    elif "$ref" in schema:
        yield "types", _last(schema["$ref"].replace("/", "."))
    for choice in schema.get("anyOf", ()):
        yield from imported(choice)
    if schema.get("type") == "array":
        yield from imported(schema["items"])


def _parts(schema: Schema) -> Iterator[str]:
    if "anyOf" in schema:
        for choice in schema["anyOf"]:
            yield from _parts(choice)
    elif "customTypePath" in schema:
        alias = _last(schema["customTypePath"])
        yield alias
        if alias in _ALSO_TEXT:
            yield "str"
    elif "$ref" in schema:
        yield _last(schema["$ref"].replace("/", "."))
    elif "enum" in schema:
        yield f"Literal[{', '.join(repr(member) for member in schema['enum'])}]"
    elif schema.get("type") == "array":
        yield f"Sequence[{annotation(schema['items'])}]"
    elif schema.get("type") == "object":
        yield "Mapping[str, Any]"
    else:
        yield _BUILTIN.get(schema.get("type", ""), "Any")


def _last(dotted: str) -> str:
    return dotted.rpartition(".")[2]
