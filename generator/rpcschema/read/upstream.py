"""Find what Core Lightning's own meta-schema refuses though the model can hold it: warnings for the documents' authors.

Only a document that names that meta-schema in `$schema` is checked. The tables list the keywords that it allows in each
place; it says nothing about the inside of conditionals and alternatives.

Source: Core Lightning, doc/rpc-schema-draft.json.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from rpcschema.model.nodes import META_SCHEMA
from rpcschema.problems import Fault, Level, join_pointer, quoted

_SUBJECT: Final = "the meta-schema that $schema names"

_OBJECT: Final = frozenset({"additionalProperties", "properties", "required"})
_REQUEST: Final = _OBJECT | {"dependentUpon", "oneOfMany", "pairedWith"}
_RESPONSE: Final = _OBJECT | {"allOf", "anyOf", "oneOf", "post_return_value_notes", "pre_return_value_notes"}
_ITEMS: Final = _OBJECT | {"allOf", "anyOf", "description", "else", "enum", "if", "items", "oneOf", "then", "type"}
_PROPERTY: Final = _ITEMS | (
    {"added", "comment", "default", "deprecated", "format", "hidden", "untyped"}
    | {"maxLength", "maximum", "minLength", "minimum", "pattern"}
)


def faults(raw: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield a warning for each place where that meta-schema refuses `raw`, which is valid by `dialect.json`."""
    if not str(raw.get("$schema")).endswith(META_SCHEMA):
        return
    if "hook" in raw:
        yield Fault("/hook", f"{_SUBJECT} does not allow hooks", level=Level.WARNING)
    yield from _node(raw["request"], "/request", _REQUEST)
    yield from _node(raw["response"], "/response", _RESPONSE)
    for at, example in enumerate(raw.get("examples", ())):
        for half in ("request", "response"):
            if not isinstance(example.get(half), dict):
                pointer = join_pointer("/examples", at, half)
                yield Fault(pointer, f"{_SUBJECT} requires an object here", level=Level.WARNING)


def _node(raw: Mapping[str, Any], pointer: str, allowed: frozenset[str]) -> Iterator[Fault]:
    for key in raw:
        if key not in allowed:
            message = f"{_SUBJECT} does not allow this key here"
            yield Fault(join_pointer(pointer, key), message, quoted(key), Level.WARNING)
    for name, node in raw.get("properties", {}).items():
        yield from _node(node, join_pointer(pointer, "properties", name), _PROPERTY)
    if "items" in raw:
        yield from _node(raw["items"], join_pointer(pointer, "items"), _ITEMS)
