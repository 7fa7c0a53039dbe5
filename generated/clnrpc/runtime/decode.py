"""JSON -> the dataclasses of the generated package.

`decode` is the one place where an answer becomes typed, and so where it is decided what a client tolerates of another
version's node.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import is_dataclass
from functools import cache, reduce
from typing import Any, TypeAlias, TypeVar, get_args, get_origin, get_type_hints

import msgspec

from .encode import wire_names
from .errors import DecodeError

T = TypeVar("T")
_Rename: TypeAlias = Callable[[Any], Any]


def decode(cls: type[T], raw: bytes) -> T:
    """The value of the dataclass `cls` that the JSON text `raw` holds; members it does not have are passed over.

    Raises DecodeError, which names the class and the place:
    "GetinfoResponse: Expected `int`, got `str` - at `$.blockheight`".
    """
    kind: type = cls
    try:
        value: T = _decoder(kind)(raw)
    except msgspec.DecodeError as error:
        raise DecodeError(f"{cls.__name__}: {error}") from None
    return value


def build(cls: type[T], values: dict[str, Any]) -> T:
    """The dataclass `cls` from values by attribute, where objects and arrays may still be plain JSON structures.

    Raises DecodeError with the attribute and the place.
    """
    plain: type = cls
    for attribute, kind in _structured(plain):
        if (value := values.get(attribute)) is not None:
            rename = _renamer(kind)
            try:
                values = values | {attribute: msgspec.convert(rename(value) if rename else value, kind)}
            except msgspec.ValidationError as error:
                raise DecodeError(f"{attribute}: {error}") from None
    return cls(**values)


@cache
def _decoder(cls: type) -> Callable[[bytes], Any]:
    """Straight from the bytes; but msgspec cannot rename for dataclasses, so a class with renames takes a dict."""
    rename = _renamer(cls)
    if rename is None:
        return msgspec.json.Decoder(cls).decode
    return lambda raw: msgspec.convert(rename(msgspec.json.decode(raw)), cls)


@cache
def _renamer(kind: Any) -> _Rename | None:
    """Puts attribute names for wire names in what shall become a `kind`; None if there is nothing to rename."""
    if is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        members = tuple((attribute, wire, _renamer(hints[attribute])) for attribute, wire in wire_names(kind))
        if all(attribute == wire and rename is None for attribute, wire, rename in members):
            return None
        return lambda value: _rename_members(members, value) if isinstance(value, dict) else value
    renames = [rename for rename in map(_renamer, get_args(kind)) if rename is not None]
    if not renames:
        return None
    inner = _one_after_another(renames)
    if get_origin(kind) is list:
        return lambda value: [inner(item) for item in value] if isinstance(value, list) else value
    if get_origin(kind) is dict:
        return lambda value: {name: inner(item) for name, item in value.items()} if isinstance(value, dict) else value
    return inner


def _one_after_another(renames: list[_Rename]) -> _Rename:
    """Of the members of a union each lets pass what is not its own kind of JSON value, so at most one does anything."""
    return lambda value: reduce(lambda changed, rename: rename(changed), renames, value)


def _rename_members(members: tuple[tuple[str, str, _Rename | None], ...], value: dict[str, Any]) -> dict[str, Any]:
    return {
        attribute: rename(value[wire]) if rename else value[wire]
        for attribute, wire, rename in members
        if wire in value
    }


@cache
def _structured(cls: type) -> tuple[tuple[str, Any], ...]:
    """The attributes, with their types, in which dataclasses are nested."""
    return tuple((attribute, kind) for attribute, kind in get_type_hints(cls).items() if _holds_dataclass(kind))


def _holds_dataclass(kind: Any) -> bool:
    return is_dataclass(kind) or any(map(_holds_dataclass, get_args(kind)))
