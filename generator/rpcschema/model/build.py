"""Build the model from raw JSON.

The input has passed the check against `dialect.json`, so every known keyword has a value of the right type, and nothing
is checked again here. Unknown keywords go into `unknown` or, at the top level, become sections.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rpcschema.model.nodes import (
    ABSENT,
    Branch,
    Document,
    DocumentKind,
    Example,
    Property,
    Request,
    Response,
    SchemaNode,
    Section,
)
from rpcschema.problems import join_pointer

Raw = Mapping[str, Any]

KINDS: Final[tuple[DocumentKind, ...]] = ("rpc", "notification", "hook")
"""A document has exactly one of these top-level keys; its value is the document's id."""

# Keywords whose values the model keeps unchanged, and their attributes.
_PLAIN: Final = {
    "type": "type",
    "additionalProperties": "extras",
    "default": "default",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minItems": "min_items",
    "maxItems": "max_items",
    "added": "added",
    "hidden": "hidden",
    "untyped": "untyped",
    "extension": "extension",
    "comment": "comment",
}
_LISTS: Final = {
    "description": "description",
    "service_notes": "service_notes",
    "required": "required",
    "enum": "enum",
    "deprecated": "deprecated",
}
_NESTED: Final = frozenset({"properties", "items", "if", "then", "else", "allOf", "anyOf", "oneOf"})
NODE_KEYWORDS: Final = _PLAIN.keys() | _LISTS.keys() | _NESTED
REQUEST_KEYWORDS: Final = frozenset({"oneOfMany", "pairedWith", "dependentUpon", "enforced"})
RESPONSE_KEYWORDS: Final = frozenset({"pre_return_value_notes", "post_return_value_notes"})
DOCUMENT_KEYWORDS: Final = frozenset(
    ["$schema", "type", "title", "description", "added", "deprecated", "warning", "categories"]
).union(["extension", "service_notes", "additionalProperties", "request", "response", "examples"], KINDS)


def build(raw: Raw, file: str) -> Document:
    """Return the model of one document.

    `raw` is its JSON, valid by `dialect.json` and with exactly one of KINDS; `file` is its path relative to its root.
    """
    kind = next(kind for kind in KINDS if kind in raw)
    examples = raw.get("examples")
    return Document(
        file=file,
        kind=kind,
        name=raw[kind],
        title=raw["title"],
        description=tuple(raw["description"]),
        request=_request(raw["request"]),
        response=_response(raw["response"]),
        added=raw.get("added"),
        deprecated=_frozen(raw.get("deprecated")),
        warning=raw.get("warning"),
        extension=raw.get("extension"),
        service_notes=_frozen(raw.get("service_notes")),
        categories=_frozen(raw.get("categories")),
        extras=raw.get("additionalProperties"),
        schema=raw.get("$schema"),
        examples=None if examples is None else tuple(_example(entry, at) for at, entry in enumerate(examples)),
        sections=tuple(_section(key, value) for key, value in raw.items() if key not in DOCUMENT_KEYWORDS),
        keys=tuple(raw),
    )


def _request(raw: Raw) -> Request:
    dependent = raw.get("dependentUpon")
    return Request(
        **_attributes(raw, "/request", REQUEST_KEYWORDS),
        one_of_many=_groups(raw.get("oneOfMany")),
        paired_with=_groups(raw.get("pairedWith")),
        dependent_upon=None if dependent is None else tuple((name, tuple(of)) for name, of in dependent.items()),
        enforced=_frozen(raw.get("enforced")),
    )


def _response(raw: Raw) -> Response:
    return Response(
        **_attributes(raw, "/response", RESPONSE_KEYWORDS),
        pre_notes=_frozen(raw.get("pre_return_value_notes")),
        post_notes=_frozen(raw.get("post_return_value_notes")),
    )


def _node(raw: Raw, pointer: str) -> SchemaNode:
    return SchemaNode(**_attributes(raw, pointer))


def _attributes(raw: Raw, pointer: str, own: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return the attributes that every SchemaNode has; `own` are the keywords that the caller reads itself."""
    properties, items = raw.get("properties"), raw.get("items")
    return {
        "pointer": pointer,
        **{attribute: raw[key] for key, attribute in _PLAIN.items() if key in raw},
        **{attribute: _frozen(raw[key]) for key, attribute in _LISTS.items() if key in raw},
        "fields": None if properties is None else _fields(properties, join_pointer(pointer, "properties")),
        "items": None if items is None else _node(items, join_pointer(pointer, "items")),
        "branches": _branches(raw, pointer),
        "any_of": _alternatives(raw, "anyOf", pointer),
        "one_of": _alternatives(raw, "oneOf", pointer),
        "unknown": tuple((key, value) for key, value in raw.items() if key not in NODE_KEYWORDS | own),
    }


def _fields(properties: Raw, pointer: str) -> tuple[Property, ...]:
    return tuple(Property(name, _node(raw, join_pointer(pointer, name))) for name, raw in properties.items())


def _branches(raw: Raw, pointer: str) -> tuple[Branch, ...]:
    own = (_branch(raw, pointer, in_all_of=False),) if "if" in raw else ()
    listed = (
        _branch(entry, join_pointer(pointer, "allOf", at), in_all_of=True)
        for at, entry in enumerate(raw.get("allOf", ()))
    )
    return (*own, *listed)


def _branch(raw: Raw, pointer: str, *, in_all_of: bool) -> Branch:
    sides = {key: _node(raw[key], join_pointer(pointer, key)) for key in ("if", "then", "else") if key in raw}
    return Branch(
        pointer=pointer,
        when=sides["if"],
        then=sides.get("then"),
        otherwise=sides.get("else"),
        in_all_of=in_all_of,
    )


def _alternatives(raw: Raw, key: str, pointer: str) -> tuple[SchemaNode, ...]:
    return tuple(_node(entry, join_pointer(pointer, key, at)) for at, entry in enumerate(raw.get(key, ())))


def _example(raw: Raw, at: int) -> Example:
    return Example(
        pointer=join_pointer("/examples", at),
        description=_frozen(raw.get("description")),
        request=raw.get("request", ABSENT),
        response=raw.get("response", ABSENT),
        unknown=tuple((key, raw[key]) for key in raw if key not in {"description", "request", "response"}),
    )


def _section(name: str, content: Any) -> Section:
    is_prose = isinstance(content, list) and all(isinstance(line, str) for line in content)
    return Section(name, tuple(content) if is_prose else content)


def _groups(raw: list[list[str]] | None) -> tuple[tuple[str, ...], ...] | None:
    return None if raw is None else tuple(tuple(group) for group in raw)


def _frozen(raw: Any) -> Any:
    return tuple(raw) if isinstance(raw, list) else raw
