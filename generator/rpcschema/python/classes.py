"""Plan the dataclasses of a document.

Each object of a document becomes one class. Its name consists of its parent's and its member's, so adding or removing a
document never renames another document's classes. A member that the branches of a conditional declare differently
accepts all declared types. Only a whole response that is one of several things, and says which (`model.cases`), becomes
a union of classes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import Any, Final, TypeAlias

from rpcschema.model.cases import Cases, cases, shape
from rpcschema.model.nodes import ABSENT, Document, SchemaNode
from rpcschema.model.resolve import ResolvedField, distinct, resolve
from rpcschema.model.walk import added_with_parent
from rpcschema.problems import Level, Problem
from rpcschema.python import docs, names, types

Schema: TypeAlias = Mapping[str, Any]
"""Plain JSON Schema, in the subset that every class generator understands."""
_SEVERAL: Final = 3
"""From this number of members on, their common release is said once, for the class."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One member of a planned class."""

    name: str
    """The name in Python."""
    wire: str
    """The name in JSON."""
    nodes: tuple[SchemaNode, ...]
    """Its declarations: more than one if branches of a conditional disagree."""
    schema: Schema
    required: bool
    default: bool | int | str | None
    """The value that absence means, if the document's default is a value."""
    doc: str
    argument_doc: str
    """The text for a method's argument; its signature does not show the default."""

    @property
    def is_extension(self) -> bool:
        """Whether Core Lightning does not have it."""
        return any(node.extension for node in self.nodes)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassPlan:
    """A dataclass to render; its attributes are in document order."""

    name: str
    doc: str
    attributes: tuple[Attribute, ...]
    received: bool
    """Whether clients receive such objects from a node, which may be of another version."""
    releases: str = ""
    """A sentence on the releases that added several attributes; it is part of `doc`."""
    source: str = ""
    """The document's name, for the class of a whole response or payload."""
    case: Case | None = None
    """Set for a member of a union."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """How to tell a member of a union from the others."""

    discriminator: str
    """The attribute whose value distinguishes the members."""
    other: str
    """The class for values of the discriminator that no member has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnionPlan:
    """A whole response that is one of several classes."""

    name: str
    doc: str
    members: tuple[str, ...]
    """The names of the classes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All classes of a document, each before its users, and the problems with their names."""

    request: ClassPlan | None
    response: ClassPlan | UnionPlan
    classes: tuple[ClassPlan, ...]
    problems: tuple[Problem, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All that the document's module defines."""
        union = (self.response.name,) if isinstance(self.response, UnionPlan) else ()
        return (*(planned.name for planned in self.classes), *union)


def plan(document: Document, scalars: str) -> Plan:
    """Plan the classes of `document`.

    `scalars` is the module of the scalar aliases, e.g. "clnrpc.runtime.values.scalars".
    """
    is_hook = document.kind == "hook"
    inward = _Planner(document, scalars, received=is_hook)
    request = None
    if (name := names.request_class(document)) is not None:
        request = inward.plan_class(name, (document.request,), docs.request_doc(document), whole=True)
    outward = replace(inward, received=not is_hook)
    name, doc = names.response_class(document), docs.response_doc(document)
    found = None if is_hook else cases(document.response)
    response: ClassPlan | UnionPlan
    if found is None:
        response = outward.plan_class(name, (document.response,), doc, whole=True)
    else:
        response = outward.plan_union(name, found, doc)
    return Plan(
        request=request,
        response=response,
        classes=tuple(outward.classes.values()),
        problems=tuple(dict.fromkeys(outward.problems)),
    )


@dataclass
class _Planner:
    """Plans one direction of a document; both directions share names and problems."""

    document: Document
    scalars: str
    received: bool
    """Whether clients receive it: true for a hook's payload, false for its response."""
    classes: dict[str, ClassPlan] = field(default_factory=dict)
    taken: set[str] = field(default_factory=lambda: set(names.NOT_FOR_ITEMS))
    problems: list[Problem] = field(default_factory=list)

    @cached_property
    def repeated_releases(self) -> frozenset[str]:
        """The pointers of nodes whose release is said where what holds them is described."""
        halves = (self.document.request, self.document.response)
        return frozenset(chain.from_iterable(added_with_parent(half, self.document.added) for half in halves))

    @property
    def sent(self) -> bool:
        """Whether these are a command's parameters, which have defaults and forms that only a caller writes."""
        return self.document.kind == "rpc" and not self.received

    def plan_class(self, name: str, nodes: Sequence[SchemaNode], doc: str, *, whole: bool = False) -> ClassPlan:
        """Plan one object that all of `nodes` declare together, and the objects nested in it.

        `whole` means that the object is not part of another one.
        """
        self.taken.add(name)
        return self.add(name, doc, self.attributes(name, nodes[0], self.members(nodes), {}), whole=whole)

    def plan_union(self, name: str, found: Cases, doc: str) -> UnionPlan:
        """Plan a class for each thing that a response can be, and one for unknown values of the discriminator."""
        self.taken.add(name)
        tag = found.discriminator
        members = {value: self.members((node,)) for value, node in found.nodes}
        classes = {value: self.unique(names.case_class(self.document, value)) for value in members}
        other = self.unique(names.case_class(self.document, "other"))
        shared = self.shared_schemas(name, list(members.values()))

        base = self.members((found.base,))
        attributes = self.attributes(other, found.base, base, {**shared, tag: {"type": "string"}})
        self.add(other, docs.response_doc(self.document, docs.case_words(tag, None)), attributes, whole=True)
        case = Case(discriminator=names.member(self.document, tag), other=other)
        for value, fields in members.items():
            fixed = {tag: {"type": "string", "enum": [value]}}
            attributes = self.attributes(classes[value], found.base, fields, {**shared, **fixed})
            case_doc = docs.response_doc(self.document, docs.case_words(tag, value))
            self.add(classes[value], case_doc, attributes, whole=True, case=case)
        return UnionPlan(name=name, doc=docs.union_doc(doc, tag, other), members=tuple(classes.values()))

    def shared_schemas(self, name: str, cases: Sequence[Sequence[ResolvedField]]) -> dict[str, Schema]:
        """Return the schemas of fields that several members of the union `name` declare alike, so that they share
        classes.
        """
        by_name: dict[str, list[ResolvedField]] = {}
        for fields in cases:
            for member in fields:
                by_name.setdefault(member.name, []).append(member)
        alike = {
            wire: distinct(chain.from_iterable(each.alternatives for each in found))
            for wire, found in by_name.items()
            if len(found) > 1 and len({shape(each.alternatives) for each in found}) == 1
        }
        return {wire: self.schema(nodes, name, wire) for wire, nodes in alike.items()}

    def add(
        self, name: str, doc: str, attributes: tuple[Attribute, ...], *, whole: bool, case: Case | None = None
    ) -> ClassPlan:
        """Keep a planned class, and return it."""
        releases = docs.releases_doc(self.shared_releases((each.wire, each.nodes) for each in attributes))
        made = ClassPlan(
            name=name,
            doc=f"{doc}\n\n{releases}" if releases else doc,
            attributes=attributes,
            received=self.received,
            releases=releases,
            source=self.document.name if self.received and whole else "",
            case=case,
        )
        self.classes[name] = made
        return made

    def unique(self, name: str) -> str:
        """Return `name`, or `name` with the first number that makes it unused."""
        found, number = name, 1
        while found in self.taken:
            number += 1
            found = f"{name}{number}"
        self.taken.add(found)
        return found

    def attributes(
        self, owner: str, node: SchemaNode, fields: Sequence[ResolvedField], schemas: Mapping[str, Schema]
    ) -> tuple[Attribute, ...]:
        """Plan the members of the class `owner`; `schemas` has the types that are already decided, by wire name."""
        shared = self.shared_releases((each.name, each.alternatives) for each in fields).keys()
        made = tuple(self.plan_attribute(owner, member, shared, schemas.get(member.name)) for member in fields)
        self.refuse_collisions(node, made)
        return made

    def shared_releases(self, members: Iterable[tuple[str, Sequence[SchemaNode]]]) -> dict[str, list[str]]:
        """Return the releases that added several members of an object, with their names: these are said once."""
        found: dict[str, list[str]] = {}
        for name, nodes in members:
            if release := docs.added(node for node in nodes if node.pointer not in self.repeated_releases):
                found.setdefault(release, []).append(name)
        return {release: names for release, names in found.items() if len(names) >= _SEVERAL}

    def plan_attribute(
        self, owner: str, member: ResolvedField, shared: Collection[str], schema: Schema | None = None
    ) -> Attribute:
        nodes = member.alternatives
        default = types.default_value(nodes[0]) if self.sent and not member.required else None
        is_said = docs.added(nodes) in shared
        said = [
            replace(node, added=None) if is_said or node.pointer in self.repeated_releases else node for node in nodes
        ]
        shown = [replace(node, default=ABSENT) for node in said] if default is not None else said
        presence = docs.presence(member, received=self.received)
        return Attribute(
            name=names.member(self.document, member.name),
            wire=member.name,
            nodes=nodes,
            schema=self.schema(nodes, owner, member.name) if schema is None else schema,
            required=member.required,
            default=default,
            doc=docs.field_doc(shown, presence),
            argument_doc=docs.field_doc(said, presence) if self.sent else "",
        )

    def members(self, nodes: Sequence[SchemaNode]) -> list[ResolvedField]:
        """Return the members of an object that all of `nodes` declare; one is required only if each of them requires
        it.
        """
        merged: dict[str, ResolvedField] = {}
        counts: Counter[str] = Counter()
        for node in nodes:
            for member in self.members_of(node):
                counts[member.name] += 1
                known = merged.get(member.name)
                merged[member.name] = member if known is None else _join(known, member)
        return [
            member if counts[name] == len(nodes) else replace(member, required=False, demands=())
            for name, member in merged.items()
        ]

    def members_of(self, node: SchemaNode) -> list[ResolvedField]:
        """Return the members of one declaration, hidden ones at their positions."""
        shape = resolve(node)
        places = {each.name: place for place, each in enumerate(node.fields or ())}
        return sorted((*shape.fields, *shape.hidden), key=lambda member: places.get(member.name, len(places)))

    def refuse_collisions(self, node: SchemaNode, attributes: tuple[Attribute, ...]) -> None:
        seen: dict[str, str] = {}
        for attribute in attributes:
            other = seen.setdefault(attribute.name, attribute.wire)
            if other != attribute.wire:
                message = f"{other!r} and {attribute.wire!r} both become {attribute.name} in Python; rename one of them"
                self.problems.append(Problem(self.document.file, node.pointer, message))

    def warn(self, node: SchemaNode, message: str) -> None:
        self.problems.append(Problem(self.document.file, node.pointer, message, level=Level.WARNING))

    def schema(self, nodes: Sequence[SchemaNode], owner: str, name: str) -> Schema:
        """Return the JSON Schema of a value that any of `nodes` may declare.

        The value is the member `name` of the class `owner`, or an element of it, which is named in the singular.
        """
        parts = list(self.alternatives(nodes))
        objects = [part for part in parts if types.is_object_node(part)]
        arrays = [part for part in parts if part.type == "array"]
        scalars = [part for part in parts if not types.is_object_node(part) and part.type != "array"]
        if any(part.type is None and types.enum_members(part) is None for part in scalars):
            return {}  # the document gives no type
        choices: list[Schema] = []
        if objects:
            choices.append(self.object_schema(objects, names.item_class(owner, name)))
        if arrays:
            items = [part.items for part in arrays if part.items is not None]
            choices.append({"type": "array", "items": self.schema(items, owner, names.singular(name)) if items else {}})
        choices.extend(self.scalar_schemas(scalars))
        if len(choices) == 1:
            return choices[0]
        return {"anyOf": choices} if choices else {}

    def alternatives(self, nodes: Sequence[SchemaNode]) -> Iterator[SchemaNode]:
        """Yield the declarations in `oneOf` and `anyOf` of values, recursively."""
        for node in nodes:
            nested = (*node.one_of, *node.any_of)
            if nested and not types.is_object_node(node):
                if node.type is None:
                    yield from self.alternatives(nested)
                    continue
                self.warn(node, "alternatives next to a type are ignored in Python")
            yield node

    def object_schema(self, objects: Sequence[SchemaNode], name: str) -> Schema:
        if not all(map(_has_members, objects)):
            return {"type": "object", "additionalProperties": True}
        unique = self.unique(name)
        self.plan_class(unique, objects, docs.item_doc(self.document, objects))
        return {"$ref": f"#/$defs/{unique}"}

    def scalar_schemas(self, nodes: Sequence[SchemaNode]) -> Iterator[Schema]:
        """Yield one schema for each scalar type. An enum is left out if another declaration allows any value of its
        type.
        """
        enums = [types.enum_members(node) for node in nodes]
        seen: set[str] = set()
        for node, enum in zip(nodes, enums, strict=True):
            if enum is None and node.type is not None and node.type not in seen:
                seen.add(node.type)
                yield self.scalar(node.type)
        members = dict.fromkeys(chain.from_iterable(enum or () for enum in enums))
        texts = [member for member in members if isinstance(member, str)]
        numbers = [member for member in members if isinstance(member, int)]
        if texts and not seen & types.TEXTS:
            yield {"type": "string", "enum": texts}
        if numbers and not seen & types.NUMBERS:
            yield {"type": "integer", "enum": numbers}

    def scalar(self, dialect_type: str) -> Schema:
        if dialect_type in types.SCALARS:
            return {"customTypePath": f"{self.scalars}.{types.SCALARS[dialect_type]}"}
        return {"type": dialect_type} if dialect_type in types.PLAIN else {}


def _has_members(node: SchemaNode) -> bool:
    shape = resolve(node)
    return bool(shape.fields or shape.hidden)


def _join(first: ResolvedField, second: ResolvedField) -> ResolvedField:
    is_conditional = first.conditions and second.conditions
    return ResolvedField(
        name=first.name,
        alternatives=distinct((*first.alternatives, *second.alternatives)),
        required=first.required and second.required,
        conditions=tuple(dict.fromkeys((*first.conditions, *second.conditions))) if is_conditional else (),
        demands=first.demands if first.demands == second.demands else (),
    )
