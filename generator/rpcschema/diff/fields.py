"""A document as a flat table: each parameter, field and element by its path, all conditionals resolved.

Paths begin with "request" or "response"; "[]" stands for an element of an array: `response.pays[].status`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rpcschema.model.conditions import Conjunction
from rpcschema.model.nodes import ABSENT, Deprecated, Document, SchemaNode
from rpcschema.model.resolve import resolve
from rpcschema.python.types import default_fact

ANY: Final = "any"
"""The type of a value that may be anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The lengths that a value may have; None is no limit."""

    min_length: int | None = None
    max_length: int | None = None
    min_items: int | None = None
    max_items: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A parameter, a field, or an element of an array; if it is declared several times, all that it can be."""

    path: str
    required: bool
    types: frozenset[str]
    values: frozenset[str] | None
    """The JSON texts of an enum; None if every value of the type is allowed."""
    conditions: frozenset[Conjunction]
    """When it can be present; empty if always."""
    demands: frozenset[Conjunction]
    """When it must be present, unless it is required."""
    limits: Limits
    default: str
    """Its JSON text; empty if there is none, or only prose."""
    default_prose: str
    """What else the document says about it, which facts lack."""
    deprecated: Deprecated | None
    hidden: bool


def flattened(document: Document) -> Mapping[str, Field]:
    """Return every field of a document by its path, outer ones first."""
    halves = (("request", document.request), ("response", document.response))
    return {field.path: field for path, node in halves for field in _below(path, [node])}


def parent(path: str) -> str:
    """Return the path of the field that holds the one at `path`."""
    return path.removesuffix("[]") if path.endswith("[]") else path.rpartition(".")[0]


def _below(path: str, nodes: Sequence[SchemaNode]) -> Iterator[Field]:
    """Yield the fields of the objects and arrays that `nodes`, the declarations at `path`, allow."""
    members: dict[str, list[SchemaNode]] = {}
    for form in (form for node in nodes for form in node.forms):
        shape = resolve(form)
        base = {field.name: field.node for field in form.fields or ()}
        for member in (*shape.fields, *shape.hidden):
            inner = f"{path}.{member.name}"
            if inner not in members:
                yield _field(
                    inner,
                    member.alternatives,
                    base=base.get(member.name),
                    required=member.required,
                    conditions=frozenset(member.conditions),
                    demands=frozenset(member.demands),
                    hidden=member in shape.hidden,
                )
            members.setdefault(inner, []).extend(member.alternatives)
        if form.items is not None:
            if f"{path}[]" not in members:
                yield _field(f"{path}[]", [form.items], required=False)
            members.setdefault(f"{path}[]", []).append(form.items)
    for inner, declarations in members.items():
        yield from _below(inner, declarations)


def _field(  # noqa: PLR0913 - one parameter per attribute
    path: str,
    nodes: Sequence[SchemaNode],
    *,
    base: SchemaNode | None = None,
    required: bool,
    conditions: frozenset[Conjunction] = frozenset(),
    demands: frozenset[Conjunction] = frozenset(),
    hidden: bool = False,
) -> Field:
    """Return a field. What `base`, its declaration outside of conditionals, lists as values holds in each of them."""
    declared = [base] if base is not None and base.enum is not None else nodes
    forms = [form for node in declared for form in node.forms]
    enums = [None if form.enum is None else frozenset(map(_json, form.enum)) for form in forms if not form.shapes]
    values = frozenset[str]().union(*(enum for enum in enums if enum is not None))
    return Field(
        path=path,
        required=required,
        types=frozenset(_type(form) for form in forms if not form.shapes),
        values=None if None in enums else values,
        conditions=conditions,
        demands=demands,
        limits=_limits(forms),
        default=" or ".join(dict.fromkeys(_json(fact) for fact in map(default_fact, nodes) if fact is not None)),
        default_prose=" or ".join(dict.fromkeys(map(_default_prose, nodes))),
        deprecated=next((node.deprecated for node in nodes if node.deprecated is not None), None),
        hidden=hidden,
    )


def _default_prose(node: SchemaNode) -> str:
    return "" if node.default is ABSENT or default_fact(node) is not None else _json(node.default)


def _type(form: SchemaNode) -> str:
    return form.type or ("object" if form.fields is not None else "array" if form.items is not None else ANY)


def _limits(forms: Sequence[SchemaNode]) -> Limits:
    """Return the limits that all of `forms` have, the loosest of each."""

    def loosest(name: str) -> int | None:
        given = [getattr(form, name) for form in forms]
        return None if None in given else (min if name.startswith("min") else max)(given)

    names = ("min_length", "max_length", "min_items", "max_items")
    return Limits(**{name: loosest(name) for name in names if forms})


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
