"""Generate answers that are valid by their document, conditionals included, and the same for the same draw.

An object is built from all the schemas that apply to it: its own, and the sides of its conditionals that its values
select. First come the fields that conditionals test, then all others. If the result is not valid after all, because
conditionals contradict what was drawn, it is drawn again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from lnstandin.mock.draws import Draw
from lnstandin.mock.scalars import scalar
from rpcschema.model.nodes import Branch, Json, SchemaNode
from rpcschema.model.validation import OBJECTS, TYPES, is_valid, side_of

_ATTEMPTS: Final = 100
_MOST_ELEMENTS: Final = 3


class NoValueError(Exception):
    """No value was found that a schema allows: its parts contradict each other."""


@dataclass(frozen=True, slots=True)
class Generator:
    """Generates the values of one answer.

    A field of the answer that has the name of a parameter gets its value, if the document allows that.
    """

    given: Mapping[str, Json]
    """The parameters of the call, by name."""

    def value(self, schemas: Sequence[SchemaNode], name: str, draw: Draw) -> Any:
        """Return a value for the field `name` that all of `schemas` allow. Raises NoValueError."""
        echoed = self.given.get(name)
        if isinstance(echoed, str | int | float) and all(_is_echo(each, echoed) for each in schemas):
            return echoed
        forms = [_form(schema, draw) for schema in schemas]
        if enums := [form.enum for form in forms if form.enum is not None]:
            return _member(enums, name, draw)
        kind = next((form.type for form in forms if form.type is not None), None)
        if (kind is None or kind in OBJECTS) and any(map(_declares, forms)):
            return self.object(forms, draw)
        if kind == "array":
            return self._array(forms, name, draw)
        return _fitting(forms, kind or _guessed(name), name, draw)

    def object(self, schemas: Sequence[SchemaNode], draw: Draw) -> dict[str, Any]:
        """Return an object that all of `schemas` allow. Raises NoValueError."""
        for attempt in range(_ATTEMPTS):
            try:
                found = _Object(self, schemas, draw, draw.at(f"attempt {attempt}")).made()
            except NoValueError:
                continue
            if all(is_valid(schema, found) for schema in schemas):
                return found
        raise NoValueError(f"{schemas[0].pointer}: no object found that the document allows")

    def _array(self, schemas: Sequence[SchemaNode], name: str, draw: Draw) -> list[Any]:
        items = [schema.items for schema in schemas if schema.items is not None]
        if not items:
            return []
        least = max([1, *(schema.min_items for schema in schemas if schema.min_items is not None)])
        most = min([max(least, _MOST_ELEMENTS), *(each.max_items for each in schemas if each.max_items is not None)])
        length = min(least, most) + draw.at("length").below(max(1, most - least + 1))
        try:
            return [self.value(items, f"{name}[]", draw.at(at)) for at in range(length)]
        except NoValueError:
            if least > 1 or any(schema.min_items for schema in schemas):
                raise
            return []


@dataclass(slots=True)
class _Object:
    """One attempt at an object."""

    generator: Generator
    schemas: Sequence[SchemaNode]
    draw: Draw
    """For values: the same in each attempt, so that they do not depend on each other."""
    choices: Draw
    """For what conditionals test, and which fields are present."""
    values: dict[str, Any] = field(default_factory=dict)
    decided: set[str] = field(default_factory=set)
    """The fields that are present or absent for good. A conditional that tests others does not apply yet."""

    def made(self) -> dict[str, Any]:
        """Return the object, its fields in the order of the document."""
        while (name := next((each for each in self._tested() if each not in self.decided), None)) is not None:
            self._decide(name, self.choices)
        for name in self._names():
            if name not in self.decided:
                self._decide(name, self.draw)
        return {name: self.values[name] for name in self._names() if name in self.values}

    def _decide(self, name: str, draw: Draw) -> None:
        active = self._active()
        self.decided.add(name)
        declared = [part.node for each in active for part in each.fields or () if part.name == name]
        is_required = any(name in (each.required or ()) for each in active)
        is_allowed = all(
            each.extras is not False or any(part.name == name for part in each.fields or ()) for each in active
        )
        schemas = [node for node in declared if not node.is_marker] or declared
        if not is_required and not (is_allowed and schemas and self._is_present(name, schemas)):
            return
        try:
            self.values[name] = self.generator.value(schemas or [SchemaNode(pointer="")], name, draw.at(name))
        except NoValueError:
            if is_required:
                raise

    def _is_present(self, name: str, schemas: Sequence[SchemaNode]) -> bool:
        """Return whether an optional field is present: half of them are, few warnings, and nothing deprecated."""
        if all(schema.is_marker for schema in schemas) or any(each.deprecated or each.hidden for each in schemas):
            return False
        return self.choices.at(name).at("present").below(8 if name.startswith("warning") else 2) == 0

    def _active(self) -> list[SchemaNode]:
        """Return the schemas that apply, as far as they are known."""
        return [each for schema in self.schemas for each in self._applying(schema)]

    def _applying(self, schema: SchemaNode) -> Iterator[SchemaNode]:
        yield schema
        for branch in schema.branches:
            if self.decided.issuperset(_tested_by(branch)) and (side := side_of(branch, self.values)) is not None:
                yield from self._applying(side)
        for key, forms in (("anyOf", schema.any_of), ("oneOf", schema.one_of)):
            if forms and not schema.shapes:
                yield from self._applying(self.choices.at(key).choice(forms))

    def _tested(self) -> Iterator[str]:
        """Yield the names of the fields that the conditionals of the active schemas test."""
        return (name for schema in self._active() for branch in schema.branches for name in _tested_by(branch))

    def _names(self) -> list[str]:
        return list(dict.fromkeys(name for schema in self._active() for name in _mentioned(schema)))


def _tested_by(branch: Branch) -> Iterator[str]:
    yield from (part.name for part in branch.when.fields or ())
    yield from branch.when.required or ()


def _mentioned(schema: SchemaNode) -> Iterator[str]:
    yield from (part.name for part in schema.fields or ())
    yield from schema.required or ()


def _declares(schema: SchemaNode) -> bool:
    return bool(schema.fields or schema.required or schema.branches)


def _form(schema: SchemaNode, draw: Draw) -> SchemaNode:
    """Return one of the alternatives of a value that has several, or the schema itself."""
    forms = schema.shapes
    return _form(draw.at("form").choice(forms), draw.at("inside")) if forms else schema


def _is_echo(schema: SchemaNode, value: Json) -> bool:
    return schema.is_marker or (bool(schema.type or schema.enum or schema.shapes) and is_valid(schema, value))


def _member(enums: Sequence[Sequence[Json]], name: str, draw: Draw) -> Json:
    """Return a member of all of the enums."""
    members = [each for each in enums[0] if all(any(each is o or each == o for o in other) for other in enums)]
    if not members:
        raise NoValueError(f"{name}: its enums have no member in common")
    return draw.at("member").choice(members)


def _fitting(schemas: Sequence[SchemaNode], kind: str, name: str, draw: Draw) -> Any:
    """Return a scalar of the length that the schemas want."""
    if kind in OBJECTS:
        return {}
    value = scalar(kind, name, draw)
    bounds = [each for each in schemas if each.min_length is not None or each.max_length is not None]
    if isinstance(value, str) and bounds and not all(is_valid(replace(each, fields=None), value) for each in bounds):
        return _of_length(kind, value, bounds, draw)
    return value


def _of_length(kind: str, value: str, bounds: Sequence[SchemaNode], draw: Draw) -> str:
    least = max(each.min_length or 0 for each in bounds)
    most = min((each.max_length for each in bounds if each.max_length is not None), default=max(least, len(value)))
    length = min(max(len(value), least), most)
    longest = draw.data((length + 1) // 2).hex() if kind in {"hex", "hexstr"} else value.ljust(length, "a")
    return longest[:length]


def _guessed(name: str) -> str:
    """Return a type for a field whose document gives none: the type that has its name, else a string."""
    return name if name in TYPES else "string"
