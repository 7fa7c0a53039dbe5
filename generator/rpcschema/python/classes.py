"""The plan of the dataclasses that a document becomes.

Each object of a document becomes one class with a name of its own (parent's name and member's name), so that adding
or removing one document never renames another's classes. A member that is declared differently in several branches of
a conditional takes any of the declared types.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from rpcschema.model.nodes import Document, Node
from rpcschema.model.resolve import ResolvedField, distinct, resolve
from rpcschema.problems import Problem
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
        request = planner.plan_class(name, (document.request,), docs.request_doc(document), with_defaults=True)
    response = planner.plan_class(
        names.response_class(document), (document.response,), docs.response_doc(document), with_defaults=False
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

    def plan_class(self, name: str, nodes: Sequence[Node], doc: str, *, with_defaults: bool) -> ClassPlan:
        """Plans one object declared by `nodes` (all of them at once) and what is nested in it."""
        self.taken.add(name)
        members = _merge(nodes)
        attributes = tuple(self.plan_attribute(name, member, with_defaults=with_defaults) for member in members)
        self.refuse_collisions(nodes[0], attributes)
        made = ClassPlan(name=name, doc=doc, attributes=attributes)
        self.classes[name] = made
        return made

    def plan_attribute(self, owner: str, member: ResolvedField, *, with_defaults: bool) -> Attribute:
        nodes = member.alternatives
        return Attribute(
            name=names.attribute(member.name),
            wire=member.name,
            nodes=nodes,
            schema=self.schema(nodes, owner + names.pascal(member.name), with_defaults=with_defaults),
            required=member.required,
            default=types.default_value(nodes[0]) if with_defaults and not member.required else None,
            doc=docs.field_doc(nodes, member.conditions),
        )

    def refuse_collisions(self, node: Node, attributes: tuple[Attribute, ...]) -> None:
        seen: dict[str, str] = {}
        for attribute in attributes:
            other = seen.setdefault(attribute.name, attribute.wire)
            if other != attribute.wire:
                message = f"{other!r} and {attribute.wire!r} both become {attribute.name} in Python; rename one of them"
                self.problems.append(Problem(self.document.file, node.pointer, message))

    def schema(self, nodes: Sequence[Node], name: str, *, with_defaults: bool) -> Schema:
        """The JSON Schema of a value that any of `nodes` may declare; `name` is for a class, should it need one."""
        parts = list(_alternatives(nodes))
        choices: list[Schema] = []
        objects = [part for part in parts if _is_object(part)]
        arrays = [part for part in parts if part.type == "array"]
        scalars = [part for part in parts if not _is_object(part) and part.type != "array"]
        if any(part.type is None for part in scalars):
            return {}
        if objects:
            choices.append(self.object_schema(objects, name, with_defaults=with_defaults))
        if arrays:
            items = [part.items for part in arrays if part.items is not None]
            choices.append(
                {"type": "array", "items": self.schema(items, name, with_defaults=with_defaults) if items else {}}
            )
        choices.extend(self.scalar_schemas(scalars))
        if len(choices) == 1:
            return choices[0]
        return {"anyOf": choices} if choices else {}

    def object_schema(self, objects: Sequence[Node], name: str, *, with_defaults: bool) -> Schema:
        if not all(_merge((node,)) for node in objects):
            return {"type": "object", "additionalProperties": True}
        unique, number = name, 1
        while unique in self.taken:
            number += 1
            unique = f"{name}{number}"
        doc = docs.field_doc(objects, ()) or f"Part of `{self.document.name}`."
        self.plan_class(unique, objects, doc, with_defaults=with_defaults)
        return {"$ref": f"#/components/schemas/{unique}"}

    def scalar_schemas(self, nodes: Sequence[Node]) -> Iterator[Schema]:
        """One schema a distinct scalar type; a closed set of strings stays closed only if nothing beside it is an
        open string.
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
        return {"type": dialect_type}


def _alternatives(nodes: Sequence[Node]) -> Iterator[Node]:
    """The declarations that stand in `oneOf` and `anyOf` of values, all the way down."""
    for node in nodes:
        nested = (*node.one_of, *node.any_of)
        if node.type is None and nested and not node.fields:
            yield from _alternatives(nested)
        else:
            yield node


def _is_object(node: Node) -> bool:
    return node.type == "object" or (node.type is None and bool(node.fields))


def _merge(nodes: Sequence[Node]) -> list[ResolvedField]:
    """The members of objects that are declared several times: all names, required only if required everywhere."""
    resolved = [resolve(node) for node in nodes]
    if len(resolved) == 1:
        return list(resolved[0].fields)
    merged: dict[str, ResolvedField] = {}
    counts: dict[str, int] = {}
    for shape in resolved:
        for member in shape.fields:
            counts[member.name] = counts.get(member.name, 0) + 1
            known = merged.get(member.name)
            merged[member.name] = member if known is None else _join(known, member)
    return [member if counts[name] == len(resolved) else _optional(member) for name, member in merged.items()]


def _join(first: ResolvedField, second: ResolvedField) -> ResolvedField:
    return ResolvedField(
        name=first.name,
        alternatives=distinct((*first.alternatives, *second.alternatives)),
        required=first.required and second.required,
        conditions=tuple(dict.fromkeys((*first.conditions, *second.conditions))),
    )


def _optional(member: ResolvedField) -> ResolvedField:
    return ResolvedField(
        name=member.name, alternatives=member.alternatives, required=False, conditions=member.conditions
    )
