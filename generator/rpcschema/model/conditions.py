"""The conditions of conditionals as data: two are equal if they test the same, wherever they stand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from rpcschema.model.nodes import SchemaNode


@dataclass(frozen=True, slots=True)
class Clause:
    """A test of one field: its value is one of some values, or else has a type, or else is present."""

    names: tuple[str, ...]
    """The field's name, after the names of the objects that hold it."""
    values: tuple[str, ...] | None = None
    """JSON texts, because `1` and `true` are equal in Python."""
    type: str | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """An `if`, or its opposite."""

    clauses: tuple[Clause, ...]
    """All of them must hold; empty if clauses cannot express the condition."""
    negated: bool
    pointer: str
    """Its position in the document, if it has no clauses."""


@dataclass(frozen=True, slots=True)
class Form:
    """That an object takes one of its alternatives (`anyOf`, `oneOf`)."""

    number: int
    """From 1."""
    count: int
    """The number of alternatives."""


Conjunction: TypeAlias = tuple[Condition | Form, ...]
"""Conditions that hold together."""


def asks_nothing(when: SchemaNode) -> bool:
    """Return whether `when` (an `if`) holds for every object."""
    return when == SchemaNode(pointer=when.pointer, extras=when.extras) and when.extras is not False


def condition(when: SchemaNode, *, negated: bool = False) -> Condition:
    """Return what `when` (an `if`) asks, or its opposite."""
    clauses = tuple(_clauses(when, ()))
    return Condition(clauses, negated, "" if clauses else when.pointer)


def _clauses(when: SchemaNode, outer: tuple[str, ...]) -> Iterator[Clause]:
    tested = set()
    for field in when.fields or ():
        names, node = (*outer, field.name), field.node
        if node.enum is not None:
            tested.add(field.name)
            yield Clause(names, values=tuple(json.dumps(value, ensure_ascii=False) for value in node.enum))
        elif node.fields is not None or node.required is not None:
            tested.add(field.name)
            yield from _clauses(node, names)
        elif node.type is not None:
            tested.add(field.name)
            yield Clause(names, type=node.type)
    yield from (Clause((*outer, name)) for name in when.required or () if name not in tested)
