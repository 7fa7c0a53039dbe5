"""The plan of the dataclasses that a document becomes.

Each object of a document becomes one class with a name of its own (parent's name and member's name), so that adding
or removing one document never renames another's classes. A member that is declared differently in several branches of
a conditional takes any of the declared types.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from rpcschema.model.nodes import Document, Node
from rpcschema.model.resolve import ResolvedField, distinct, resolve
from rpcschema.problems import Level, Problem
from rpcschema.python import docs, names, types

Schema: TypeAlias = Mapping[str, Any]
"""Plain JSON Schema, in the subset that every generator of classes understands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One member of a planned class."""

    name: str
    """In Python."""
    wire: str
    """In JSON."""
    nodes: tuple[Node, ...]
    """Its declarations: more than one if branches of a conditional disagree."""
    schema: Schema
    required: bool
    default: bool | int | str | None
    """The value that absence means, where the document's default is a value."""
    doc: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassPlan:
    """One dataclass to be rendered; attributes are in the document's order."""

    name: str
    doc: str
    attributes: tuple[Attribute, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All classes of a document, each before the ones that use it, and what could not be named."""

    request: ClassPlan | None
    response: ClassPlan
    classes: tuple[ClassPlan, ...]
    problems: tuple[Problem, ...]


def plan(document: Document, scalars: str) -> Plan:
    """Plans the classes of `document`; `scalars` is the module of the scalar aliases, e.g. "clnrpc.runtime.scalars"."""
    planner = _Planner(document, scalars)
    request = None
    if (name := names.request_class(document)) is not None:
        request = planner.plan_class(name, (document.request,), docs.request_doc(document), sent=True)
    response = planner.plan_class(
        names.response_class(document), (document.response,), docs.response_doc(document), sent=False
    )
    return Plan(
        request=request,
        response=response,
        classes=tuple(planner.classes.values()),
        problems=tuple(planner.problems),
    )


@dataclass(slots=True)
class _Planner:
    document: Document
    scalars: str
    classes: dict[str, ClassPlan] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    problems: list[Problem] = field(default_factory=list)

    def plan_class(self, name: str, nodes: Sequence[Node], doc: str, *, sent: bool) -> ClassPlan:
        """Plans one object declared by `nodes` (all of them at once) and what is nested in it."""
        self.taken.add(name)
        attributes = tuple(self.plan_attribute(name, member, sent=sent) for member in self.members(nodes))
        self.refuse_collisions(nodes[0], attributes)
        made = ClassPlan(name=name, doc=doc, attributes=attributes)
        self.classes[name] = made
        return made

    def plan_attribute(self, owner: str, member: ResolvedField, *, sent: bool) -> Attribute:
        nodes = member.alternatives
        return Attribute(
            name=names.attribute(member.name),
            wire=member.name,
            nodes=nodes,
            schema=self.schema(nodes, owner + names.pascal(member.name), sent=sent),
            required=member.required,
            default=types.default_value(nodes[0]) if sent and not member.required else None,
            doc=docs.field_doc(nodes, member.conditions, sent=sent),
        )

    def members(self, nodes: Sequence[Node]) -> list[ResolvedField]:
        """The members of an object that `nodes` declare: all names, required only if required everywhere."""
        merged: dict[str, ResolvedField] = {}
        counts: Counter[str] = Counter()
        for node in nodes:
            for member in self.members_of(node):
                counts[member.name] += 1
                known = merged.get(member.name)
                merged[member.name] = member if known is None else _join(known, member)
        return [
            member if counts[name] == len(nodes) else replace(member, required=False) for name, member in merged.items()
        ]

    def members_of(self, node: Node) -> list[ResolvedField]:
        """The members that one declaration gives, hidden ones in their places: they count by position."""
        shape = resolve(node)
        for name in shape.undeclared:
            self.warn(node, f"{name!r} is required here, but declared nowhere, so it has no type and is left out")
        places = {each.name: place for place, each in enumerate(node.fields or ())}
        return sorted((*shape.fields, *shape.hidden), key=lambda member: places.get(member.name, len(places)))

    def refuse_collisions(self, node: Node, attributes: tuple[Attribute, ...]) -> None:
        seen: dict[str, str] = {}
        for attribute in attributes:
            other = seen.setdefault(attribute.name, attribute.wire)
            if other != attribute.wire:
                message = f"{other!r} and {attribute.wire!r} both become {attribute.name} in Python; rename one of them"
                self.problems.append(Problem(self.document.file, node.pointer, message))

    def warn(self, node: Node, message: str) -> None:
        self.problems.append(Problem(self.document.file, node.pointer, message, Level.WARNING))

    def schema(self, nodes: Sequence[Node], name: str, *, sent: bool) -> Schema:
        """The JSON Schema of a value that any of `nodes` may declare; `name` is for a class, should it need one."""
        parts = list(self.alternatives(nodes))
        objects = [part for part in parts if _is_object(part)]
        arrays = [part for part in parts if part.type == "array"]
        scalars = [part for part in parts if not _is_object(part) and part.type != "array"]
        if any(part.type is None and types.string_enum(part) is None for part in scalars):
            return {}  # the document gives no type
        choices: list[Schema] = []
        if objects:
            choices.append(self.object_schema(objects, name, sent=sent))
        if arrays:
            items = [part.items for part in arrays if part.items is not None]
            choices.append({"type": "array", "items": self.schema(items, name, sent=sent) if items else {}})
        choices.extend(self.scalar_schemas(scalars))
        if len(choices) == 1:
            return choices[0]
        return {"anyOf": choices} if choices else {}

    def alternatives(self, nodes: Sequence[Node]) -> Iterator[Node]:
        """The declarations that stand in `oneOf` and `anyOf` of values, all the way down."""
        for node in nodes:
            nested = (*node.one_of, *node.any_of)
            if nested and not _is_object(node):
                if node.type is None:
                    yield from self.alternatives(nested)
                    continue
                self.warn(node, "there are alternatives beside a type; in Python the type counts")
            yield node

    def object_schema(self, objects: Sequence[Node], name: str, *, sent: bool) -> Schema:
        if not all(map(_has_members, objects)):
            return {"type": "object", "additionalProperties": True}
        unique, number = name, 1
        while unique in self.taken:
            number += 1
            unique = f"{name}{number}"
        doc = docs.field_doc(objects, (), sent=sent) or f"Part of `{self.document.name}`."
        self.plan_class(unique, objects, doc, sent=sent)
        return {"$ref": f"#/components/schemas/{unique}"}

    def scalar_schemas(self, nodes: Sequence[Node]) -> Iterator[Schema]:
        """One schema a distinct scalar type; a closed set of strings stays closed only if no open string is beside
        it.
        """
        enums = [types.string_enum(node) for node in nodes]
        members = [member for enum in enums if enum for member in enum]
        seen: set[str] = set()
        for node, enum in zip(nodes, enums, strict=True):
            if enum is None and node.type is not None and node.type not in seen:
                seen.add(node.type)
                yield self.scalar(node.type)
        if members and "string" not in seen:
            yield {"type": "string", "enum": list(dict.fromkeys(members))}

    def scalar(self, dialect_type: str) -> Schema:
        if dialect_type in types.SCALARS:
            return {"customTypePath": f"{self.scalars}.{types.SCALARS[dialect_type]}"}
        return {"type": dialect_type} if dialect_type in types.PLAIN else {}


def _is_object(node: Node) -> bool:
    return node.type in types.OBJECTS or (node.type is None and bool(node.fields))


def _has_members(node: Node) -> bool:
    shape = resolve(node)
    return bool(shape.fields or shape.hidden)


def _join(first: ResolvedField, second: ResolvedField) -> ResolvedField:
    is_conditional = first.conditions and second.conditions
    return ResolvedField(
        name=first.name,
        alternatives=distinct((*first.alternatives, *second.alternatives)),
        required=first.required and second.required,
        conditions=tuple(dict.fromkeys((*first.conditions, *second.conditions))) if is_conditional else (),
    )
