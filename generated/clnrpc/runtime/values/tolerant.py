"""Decode plain JSON values whose types differ from the declared ones, because the node is of another version.

What fits is converted. A value of another type is kept as it is: a new enum member, an amount as text. A missing
required member stays unset, and only reading it is an error. A part that fits is converted as a whole, so Python code
runs only for the objects that lead to a part that does not.
"""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints

import msgspec

from .plain import is_array, is_object
from .received import UNSET, Origin, Received, explain_missing, member_path, wire_names
from .rename import renamer


def tolerate(cls: type, value: dict[str, Any], source: str) -> Any:
    """Return the plain JSON object `value`, which `source` (a command, say) sent, as the dataclass `cls`."""
    return _object(cls, value, source, "")


class DeclaredMember(NamedTuple):
    """A member of a dataclass."""

    attribute: str
    wire: str
    kind: Any
    default: Any
    """UNSET if it is required."""


class _Parts(NamedTuple):
    """The types inside of a value; None or Any if nothing is declared."""

    members: type | None
    """The dataclass that an object becomes."""
    elements: Any
    values: Any
    """The type of the values of a map."""


def _object(cls: type, value: dict[str, Any], source: str, path: str) -> Any:
    plain_class: type[Any] = cls
    made: Any = object.__new__(plain_class)
    for attribute, wire, kind, default in declared_members(cls):
        if wire in value:
            setattr(made, attribute, _take(kind, value[wire], source, member_path(path, wire)))
        elif default is not UNSET:
            setattr(made, attribute, default)
    if isinstance(made, Received):
        made.__received__ = Origin(source, path, None)
        explain_missing(made)
    return made


def _take(kind: Any, value: Any, source: str, path: str) -> Any:
    rename = renamer(kind)
    try:
        return msgspec.convert(rename(value) if rename else value, kind)
    except msgspec.ValidationError:
        parts = _parts(kind)
    if is_array(value):
        return [_take(parts.elements, item, source, f"{path}[{index}]") for index, item in enumerate(value)]
    if is_object(value) and parts.members is not None:
        return _object(parts.members, value, source, path)
    if is_object(value):
        return {name: _take(parts.values, item, source, member_path(path, name)) for name, item in value.items()}
    return value


@cache
def declared_members(cls: type) -> tuple[DeclaredMember, ...]:
    """Return the members that the dataclass `cls` declares, in order."""
    hints = get_type_hints(cls)
    defaults = (UNSET if field.default is MISSING else field.default for field in fields(cls))
    return tuple(
        DeclaredMember(attribute, wire, hints[attribute], default)
        for (attribute, wire), default in zip(wire_names(cls), defaults, strict=True)
    )


@cache
def _parts(kind: Any) -> _Parts:
    members: type | None = None
    elements = values = Any
    origin = get_origin(kind)
    for choice in (kind,) if origin in (list, dict) or not get_args(kind) else get_args(kind):
        if isinstance(choice, type) and is_dataclass(choice):
            members = choice
        elif get_origin(choice) is list:
            (elements,) = get_args(choice)
        elif get_origin(choice) is dict:
            _, values = get_args(choice)
    return _Parts(members, elements, values)
