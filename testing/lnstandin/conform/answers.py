"""Compare a value that a node sent with what a document declares: an answer, a notification, or a hook's payload.

An object is compared with all schemas that apply to it: its own, and the sides of its conditionals that it selects.
Findings never quote a value, except one that is not in its enum: answers hold secrets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lnstandin.conform.findings import Kind
from lnstandin.conform.usage import is_for_developers
from rpcschema.model.nodes import Property, SchemaNode
from rpcschema.model.validation import TYPES, is_same, is_valid, side_of
from rpcschema.model.walk import parts


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference between a value and its schemas."""

    kind: Kind
    where: str
    document: str
    node: str


def differences(schemas: Sequence[SchemaNode], value: Any, where: str) -> Iterator[Difference]:
    """Yield the differences between a value and all of `schemas`; `where` is the value's place."""
    chosen = [_form(schema, value) for schema in schemas]
    for schema, form in zip(schemas, chosen, strict=True):
        if form is None:
            kinds = " or ".join(each.type or "another form" for each in schema.shapes)
            yield Difference(Kind.FIELD_TYPE, where, kinds, _sort(value))
            return
    forms = [form for form in chosen if form is not None]
    for form in forms:
        if form.type is not None and not TYPES.get(form.type, lambda _: True)(value):
            yield Difference(Kind.FIELD_TYPE, where, form.type, _sort(value))
            return
        if form.enum is not None and not any(is_same(value, member) for member in form.enum):
            yield Difference(Kind.FIELD_ENUM, where, ", ".join(map(str, form.enum)), _shortened(value))
    if isinstance(value, dict):
        yield from _compare_object(forms, value, where)
    elif isinstance(value, list):
        yield from _compare_length(forms, len(value), where, "elements")
        items = [form.items for form in forms if form.items is not None]
        for item in value if items else ():
            yield from differences(items, item, f"{where}[]")
    elif isinstance(value, str):
        yield from _compare_length(forms, len(value), where, "characters")


def _compare_object(schemas: Sequence[SchemaNode], value: dict[str, Any], where: str) -> Iterator[Difference]:
    active = [each for schema in schemas for each in _active(schema, value)]
    all_parts = [part for schema in schemas for part in parts(schema)]
    is_described = any(each.fields or each.required or each.branches for each in active)
    for name, item in value.items():
        place = f"{where}.{name}"
        mentions = [node for each in active for node in _named(each, name)]
        declared = [node for node in mentions if not node.is_marker]
        elsewhere = [node for part in all_parts for node in _named(part, name) if not node.is_marker]
        is_forbidden = any(each.extras is False and not _named(each, name) for each in active)
        if mentions and not is_forbidden and (declared or elsewhere):
            yield from differences(declared, item, place) if declared else _compare_with_any(elsewhere, item, place)
        elif mentions or is_described:
            kind = _kind_of_extra(active, bool(mentions), bool(elsewhere))
            if kind is not Kind.FIELD_OPEN or not is_for_developers(name):
                yield Difference(kind, place, _EXTRAS[kind], f"sends it ({_sort(item)})")
    for name in dict.fromkeys(name for each in active for name in each.required or ()):
        if name not in value and not any(node.deprecated for each in active for node in _named(each, name)):
            yield Difference(Kind.FIELD_MISSING, f"{where}.{name}", "required here", "does not send it")
    for schema in active:
        for alternatives in (schema.any_of, schema.one_of):
            if alternatives and not schema.shapes and not any(is_valid(each, value) for each in alternatives):
                yield Difference(Kind.FIELD_CONDITION, where, f"one of {len(alternatives)} forms", "sends none of them")


_EXTRAS = {
    Kind.FIELD_UNKNOWN: "has no such field",
    Kind.FIELD_OPEN: "allows any other field, and does not have this one",
    Kind.FIELD_UNDECLARED: "allows it, but declares it nowhere",
    Kind.FIELD_CONDITION: "has it, but not in this case",
}


def _kind_of_extra(active: Iterable[SchemaNode], is_allowed: bool, is_declared: bool) -> Kind:
    """Return the kind of a field that is not declared where it was met."""
    if is_declared:
        return Kind.FIELD_CONDITION
    if is_allowed:
        return Kind.FIELD_UNDECLARED
    return Kind.FIELD_OPEN if any(each.extras is True for each in active) else Kind.FIELD_UNKNOWN


def _compare_with_any(schemas: Sequence[SchemaNode], value: Any, where: str) -> Iterator[Difference]:
    """Yield no difference if the value is what one of the schemas declares, else those with the first."""
    if not any(is_valid(schema, value) for schema in schemas):
        yield from differences(schemas[:1], value, where)


def _active(schema: SchemaNode, value: dict[str, Any]) -> Iterator[SchemaNode]:
    """Yield the schema and the sides of its conditionals that apply; one that tests a missing field decides nothing."""
    yield schema
    missing = {name for name in schema.required or () if name not in value}
    for branch in schema.branches:
        is_decided = not missing.intersection(field.name for field in branch.when.fields or ())
        if is_decided and (side := side_of(branch, value)) is not None:
            yield from _active(side, value)
    for alternatives in (schema.any_of, schema.one_of):
        if not schema.shapes:
            for each in alternatives:
                if is_valid(each, value):
                    yield from _active(each, value)


def _named(schema: SchemaNode, name: str) -> list[SchemaNode]:
    fields: tuple[Property, ...] = schema.fields or ()
    return [field.node for field in fields if field.name == name]


def _form(schema: SchemaNode, value: Any) -> SchemaNode | None:
    """Return the schema itself, or the alternative that the value has; None if it has none of them."""
    if not schema.shapes:
        return schema
    return next((each for each in schema.shapes if is_valid(each, value)), None)


def _compare_length(schemas: Iterable[SchemaNode], length: int, where: str, unit: str) -> Iterator[Difference]:
    for schema in schemas:
        least, most = (
            (schema.min_items, schema.max_items) if unit == "elements" else (schema.min_length, schema.max_length)
        )
        if length < (least or 0) or (most is not None and length > most):
            limits = f"from {least or 0} to {most}" if most is not None else f"at least {least}"
            yield Difference(Kind.FIELD_LENGTH, where, f"{limits} {unit}", f"sends {length}")


def _sort(value: Any) -> str:
    """Return what a value is, without the value."""
    if isinstance(value, str):
        return f"string of {len(value)} characters"
    names = {bool: "boolean", int: "integer", float: "number", dict: "object", list: "array", type(None): "null"}
    return names[type(value)]


def _shortened(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
