"""The schemas of documents as JSON Schema, for the targets that export them.

A schema means what the document means, conditionals included, and is also of use to tools that ignore conditionals, as
most code generators do:

- `properties` has every field that an object can have, even if only a conditional declares it.
- The conditionals follow in `allOf`. They repeat no declaration: there, `{}` is a field whose schema stands above.
- An object that is one of several things (`model.cases`) is an `anyOf` with an object for each of them.
- Alternatives are `anyOf`, because a value can fit more than one: 5 is a u32 and an msat.

Rules about several parameters are included only if nodes enforce them (decision 0068).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any, Final, TypeAlias

from rpcschema.model.cases import Cases, cases, shape
from rpcschema.model.conditions import asks_nothing
from rpcschema.model.dump import dump_node
from rpcschema.model.nodes import Branch, Document, Request, SchemaNode
from rpcschema.model.resolve import Resolved, ResolvedField, resolve
from rpcschema.python.types import default_value
from rpcschema.targets.scalars import definition_name, unnamed
from rpcschema.text import words

Schema: TypeAlias = dict[str, Any]

_LIMITS: Final = (
    ("minLength", "min_length"),
    ("maxLength", "max_length"),
    ("minItems", "min_items"),
    ("maxItems", "max_items"),
)


@dataclass(frozen=True, slots=True)
class Dialect:
    """The version of JSON Schema that a format uses."""

    home: str
    """The JSON pointer of the definitions, which ends with "/"."""
    is_draft_7: bool = False
    """Whether it is draft 7 rather than 2020-12: there, members beside `$ref` are ignored."""
    has_defaults: bool = True
    """Whether defaults that parse as the field's type are values; others are sentences in the description."""


@dataclass(frozen=True, slots=True)
class Writer:
    """Writes schemas in one dialect of JSON Schema."""

    dialect: Dialect
    is_parameter: bool = False
    """Whether callers of commands write the values, so that amounts may have a unit."""

    def half(self, document: Document, name: str) -> Schema:
        """Return the schema of the `request` or the `response` of a document, which is always an object."""
        is_parameter = document.kind == "rpc" and name == "request"
        writer = replace(self, is_parameter=is_parameter)
        node: SchemaNode = document.request if name == "request" else document.response
        written = {"type": "object", **writer.schema(node)}
        if is_parameter and (rules := list(_rules(document.request))):
            written["allOf"] = [*written.get("allOf", ()), *rules]
        return written

    def schema(self, node: SchemaNode) -> Schema:
        """Return the schema of a value."""
        written = self._type(node) | self._remarks(node) | _limits(node)
        if node.items is not None:
            written["items"] = self.schema(node.items)
        if node.shapes:
            written["anyOf"] = [self.schema(each) for each in node.shapes]
        elif (found := cases(node)) is not None:
            written |= {"type": "object", "anyOf": [self._case(found, *each) for each in found.nodes]}
        elif _is_object(node):
            written |= self._object(node)
        return self._without_neighbours_of_references(written)

    def _case(self, found: Cases, value: str, node: SchemaNode) -> Schema:
        """Return the object that has this value of the discriminator."""
        written = self._object(node)
        declared = written["properties"][found.discriminator]
        about = {key: declared[key] for key in ("description", "deprecated") if key in declared}
        written["properties"][found.discriminator] = {"const": value, **about}
        return {"type": "object", "title": value, **written}

    def _type(self, node: SchemaNode) -> Schema:
        if node.type is None:
            return {}
        plain = unnamed(node.type)
        if plain is not None:
            return dict(plain)
        return {"$ref": self.dialect.home + definition_name(node.type, is_parameter=self.is_parameter)}

    def _remarks(self, node: SchemaNode) -> Schema:
        """Return what a schema says to its readers: description, deprecation, default."""
        value = default_value(node) if self.dialect.has_defaults else None
        sentences = [
            words.extension_words("it") if node.extension else "",
            ". ".join(f"{each[0].upper()}{each[1:]}" for each in words.release_words(node.added, node.deprecated)),
            words.default_words(node) if value is None else "",
        ]
        about = " ".join(each if each.endswith(".") else f"{each}." for each in sentences if each)
        lines = "\n".join((*(node.description or ()), *(node.service_notes or ())))
        written: Schema = {"description": text} if (text := "\n\n".join(filter(None, (lines, about)))) else {}
        if node.deprecated:
            written["deprecated"] = True
        if value is not None:
            written["default"] = value
        if node.comment is not None:
            written["$comment"] = node.comment
        return written

    def _without_neighbours_of_references(self, written: Schema) -> Schema:
        if "$ref" in written and len(written) > 1 and self.dialect.is_draft_7:
            reference = {"$ref": written.pop("$ref")}
            return {"allOf": [reference, *written.pop("allOf", ())], **written}
        return written

    def _object(self, node: SchemaNode) -> Schema:
        """Return the members that describe an object: its fields, then what else holds."""
        resolved = resolve(node)
        fields = {field.name: field for field in (*resolved.fields, *resolved.hidden)}
        properties: Schema = {name: self._field(fields[name]) for name in _in_order(node, fields)}
        if node.extras is False:  # a name that is only allowed must be in the list
            properties |= {field.name: True for field in node.fields or () if field.name in resolved.phantoms}
        written: Schema = {"properties": properties} if properties else {}
        required = _always(node, fields, resolved)
        if required:
            written["required"] = required
        if node.extras is False or resolved.extras:
            written["additionalProperties"] = node.extras
        written |= self._choices(node, fields)
        several = {name: field for name, field in fields.items() if name in properties and _is_several(field)}
        own = {each.name: self.schema(each.node) for each in node.fields or () if each.name in several}
        parts = [{"properties": own}] if (own := {name: each for name, each in own.items() if each}) else []
        parts += [part for branch in node.branches if (part := self._branch(branch, fields))]
        return written | ({"allOf": parts} if parts else {})

    def _field(self, field: ResolvedField) -> Schema:
        forms = _different(field.alternatives)
        if len(forms) == 1:
            return self.schema(forms[0])
        return {"anyOf": [self.schema(form) for form in forms]}

    def _branch(self, branch: Branch, fields: Mapping[str, ResolvedField]) -> Schema:
        """Return a conditional of an object with these fields; {} if it says nothing."""
        if asks_nothing(branch.when):
            return {} if branch.then is None else self._side(branch.then, fields)
        sides = {"then": branch.then, "else": branch.otherwise}
        written = {key: self._side(side, fields) for key, side in sides.items() if side is not None}
        return {"if": self._side(branch.when, {}), **written} if written else {}

    def _side(self, node: SchemaNode, fields: Mapping[str, ResolvedField]) -> Schema:
        """Return one side of a conditional, or an alternative, of an object with these fields."""
        written = self._type(node) | _limits(node)
        if node.fields is not None:
            written["properties"] = {
                each.name: {} if _repeats(each.node, fields.get(each.name)) else self.schema(each.node)
                for each in node.fields
            }
        if node.required:
            written["required"] = list(node.required)
        if node.extras is not None:
            written["additionalProperties"] = node.extras
        written |= self._choices(node, fields)
        parts = [part for branch in node.branches if (part := self._branch(branch, fields))]
        return written | ({"allOf": parts} if parts else {})

    def _choices(self, node: SchemaNode, fields: Mapping[str, ResolvedField]) -> Schema:
        """Return the alternatives of an object; of constraints in `oneOf`, exactly one holds."""
        written = {}
        if node.any_of:
            written["anyOf"] = [self._side(each, fields) for each in node.any_of]
        if node.one_of:
            is_exact = all(each.is_constraint for each in node.one_of) or node.any_of
            written["oneOf" if is_exact else "anyOf"] = [self._side(each, fields) for each in node.one_of]
        return written


def references(schema: Any) -> Iterator[str]:
    """Yield the names of the definitions that a schema refers to."""
    if isinstance(schema, dict):
        if isinstance(reference := schema.get("$ref"), str):
            yield reference.rpartition("/")[2]
        for value in schema.values():
            yield from references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from references(value)


def _limits(node: SchemaNode) -> Schema:
    written: Schema = {} if node.enum is None else {"enum": list(node.enum)}
    return written | {key: value for key, name in _LIMITS if (value := getattr(node, name)) is not None}


def _is_object(node: SchemaNode) -> bool:
    return bool(node.fields or node.required or node.branches or node.any_of or node.one_of or node.extras is not None)


def _in_order(node: SchemaNode, fields: Iterable[str]) -> Iterator[str]:
    """Yield the names of `fields`: those of the base in its order, which is that of positions, then the others."""
    base = [field.name for field in node.fields or ()]
    names = dict.fromkeys(fields)
    yield from (name for name in base if name in names)
    yield from (name for name in names if name not in base)


def _always(node: SchemaNode, fields: Mapping[str, ResolvedField], resolved: Resolved) -> list[str]:
    names = (*(node.required or ()), *(name for name, field in fields.items() if field.required), *resolved.undeclared)
    return list(dict.fromkeys(names))


def _different(nodes: tuple[SchemaNode, ...]) -> list[SchemaNode]:
    """Return `nodes` without those that differ from an earlier one only in documentation."""
    return list({shape([node]): node for node in reversed(nodes)}.values())[::-1] if len(nodes) > 1 else list(nodes)


def _is_several(field: ResolvedField) -> bool:
    return len(field.alternatives) > 1 and len(_different(field.alternatives)) > 1


def _repeats(node: SchemaNode, field: ResolvedField | None) -> bool:
    """Return whether `node` says nothing about a field that the list of all fields does not say."""
    if node.is_marker:
        return True
    if field is None or _is_several(field):
        return False
    return dump_node(node) in [dump_node(each) for each in field.alternatives]


def _rules(request: Request) -> Iterator[Schema]:
    """Yield the rules about several parameters that nodes enforce."""
    enforced = request.enforced or ()
    if "oneOfMany" in enforced:
        for group in request.one_of_many or ():
            yield from ({"not": {"required": list(pair)}} for pair in combinations(group, 2))
    if "pairedWith" in enforced:
        for group in request.paired_with or ():
            yield {"anyOf": [{"required": list(group)}, {"not": {"anyOf": [{"required": [name]} for name in group]}}]}
    if "dependentUpon" in enforced:
        for name, dependents in request.dependent_upon or ():
            yield from ({"if": {"required": [each]}, "then": {"required": [name]}} for each in dependents)
