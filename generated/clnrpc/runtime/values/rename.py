"""Attribute names for wire names, in plain JSON structures: msgspec cannot rename the members of dataclasses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import is_dataclass
from functools import cache, reduce
from typing import Any, TypeAlias, get_args, get_origin, get_type_hints

from .plain import is_array, is_object
from .received import wire_names

Rename: TypeAlias = Callable[[Any], Any]


@cache
def renamer(kind: Any) -> Rename | None:
    """Return what replaces wire names by attribute names in the plain JSON of a `kind`; None if nothing differs.

    It leaves alone whatever is not what the type says.
    """
    if is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        members = tuple((attribute, wire, renamer(hints[attribute])) for attribute, wire in wire_names(kind))
        if all(attribute == wire and rename is None for attribute, wire, rename in members):
            return None
        return lambda value: _rename_members(members, value)
    renames = [rename for rename in map(renamer, get_args(kind)) if rename is not None]
    if not renames:
        return None
    inner = _one_after_another(renames)
    if get_origin(kind) is list:
        return lambda value: _rename_elements(inner, value)
    if get_origin(kind) is dict:
        return lambda value: _rename_values(inner, value)
    return inner


def _one_after_another(renames: list[Rename]) -> Rename:
    """Combine the renames of a union: each passes over what is not its own kind of JSON value."""
    return lambda value: reduce(lambda changed, rename: rename(changed), renames, value)


def _rename_members(members: tuple[tuple[str, str, Rename | None], ...], value: Any) -> Any:
    if not is_object(value):
        return value
    return {
        attribute: rename(value[wire]) if rename else value[wire]
        for attribute, wire, rename in members
        if wire in value
    }


def _rename_elements(rename: Rename, value: Any) -> Any:
    return [rename(item) for item in value] if is_array(value) else value


def _rename_values(rename: Rename, value: Any) -> Any:
    return {name: rename(item) for name, item in value.items()} if is_object(value) else value
