"""JSON -> the dataclasses of the generated package.

`decode` is the one place where a response becomes typed, so it decides what a client tolerates from a node of another
version. It decodes strictly first, straight from the bytes, and falls back to `tolerant` if that fails. `build_request`
is always strict: it builds the request that a service gets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Final, NamedTuple, TypeVar, get_args, get_type_hints, overload

import msgspec

from ..errors import DecodeError
from .plain import is_object
from .received import Origin, Received, wire_names
from .rename import renamer

T = TypeVar("T")


@overload
def decode(kind: type[T], raw: bytes) -> T: ...
@overload
def decode(kind: UnionType, raw: bytes) -> Any: ...
def decode(kind: type[T] | UnionType, raw: bytes) -> T | Any:
    """Return the JSON text `raw` as the dataclass `kind`, or as a member of the union `kind`.

    Unknown fields are available through `unknown.unknown_fields`. Raises DecodeError, with the name of the command, if
    `raw` is not a JSON object: "getinfo: the node sent an array, not a JSON object".
    """
    source = _source(kind)
    try:
        cls: type[Any] = _member_of(kind, raw) if isinstance(kind, UnionType) else kind
        value = _decode(cls, raw, source)
    except _UNREADABLE as error:
        raise _unreadable(source, error) from None
    if isinstance(value, Received):
        value.__received__ = Origin(source, "", raw)
    return value


def decode_plain(source: str, raw: bytes) -> Any:
    """Return the plain JSON value that `source` (a command, say) sent. Raises DecodeError."""
    try:
        return msgspec.json.decode(raw)
    except _UNREADABLE as error:
        raise _unreadable(source, error) from None


def build_request(cls: type[T], values: dict[str, Any]) -> T:
    """Return the dataclass `cls` with values by attribute; objects and arrays may still be plain JSON values.

    Raises DecodeError with the place, by wire names: "outputs[0]: missing required member: pay-to".
    """
    plain: type = cls
    for attribute, kind in _structured(plain):
        if (value := values.get(attribute)) is not None:
            rename = renamer(kind)
            try:
                values = values | {attribute: msgspec.convert(rename(value) if rename else value, kind)}
            except msgspec.ValidationError:
                from .mismatch import mismatch  # needed only for refused requests

                raise DecodeError(mismatch(kind, value, dict(wire_names(plain))[attribute])) from None
    return cls(**values)


_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def _unreadable(source: str, error: Exception) -> DecodeError:
    """Return the error for unreadable JSON in our own words, because msgspec's words change between its releases."""
    if isinstance(error, RecursionError):
        return DecodeError(f"{source}: the node sent JSON that is nested too deeply")
    return DecodeError(
        f"{source}: the node sent invalid JSON: wrong syntax, a number that is out of range, or"
        " text that is not Unicode"
    )


def _decode(cls: type[T], raw: bytes, source: str) -> T:
    plain_class: type = cls
    try:
        value: T = _decoder(plain_class)(raw)
    except msgspec.ValidationError:
        plain = msgspec.json.decode(raw)
        if not is_object(plain):
            from .mismatch import json_kind

            raise DecodeError(f"{source}: the node sent {json_kind(plain)}, not a JSON object") from None
        from .tolerant import tolerate  # most clients never need it

        value = tolerate(cls, plain, source)
    return value


@cache
def _decoder(cls: Any) -> Callable[[bytes], Any]:
    """Return a function that decodes a class straight from the bytes, or through a dict if names differ."""
    rename = renamer(cls)
    if rename is None:
        return msgspec.json.Decoder(cls).decode

    return lambda raw: msgspec.convert(rename(msgspec.json.decode(raw)), cls)


def _source(kind: Any) -> str:
    """Return the command, notification or hook of this class or union of classes."""
    cls = get_args(kind)[0] if isinstance(kind, UnionType) else kind
    return getattr(cls, "__source__", "") or cls.__name__


class _Union(NamedTuple):
    """How to tell the members of a union apart."""

    discriminator: Callable[[bytes], Any]
    """Reads only the discriminator of a response."""
    classes: Mapping[Any, type]
    """By the discriminator's value."""
    other: type


def _member_of(union: UnionType, raw: bytes) -> type:
    cases = _cases(union)
    try:
        value = cases.discriminator(raw).value
    except msgspec.ValidationError:  # not an object
        return cases.other
    return cases.classes.get(value, cases.other) if isinstance(value, str) else cases.other


@cache
def _cases(union: UnionType) -> _Union:
    members = get_args(union)
    first: type[Received] = members[0]
    attribute = first.__discriminator__
    wire = dict(wire_names(members[0]))[attribute]
    reader = msgspec.defstruct("Discriminator", [("value", Any, None)], rename={"value": wire})
    classes = {value: member for member in members for value in get_args(get_type_hints(member)[attribute])}
    return _Union(msgspec.json.Decoder(reader).decode, classes, first.__other__)


@cache
def _structured(cls: type) -> tuple[tuple[str, Any], ...]:
    """Return the attributes, with their types, in which dataclasses are nested."""
    return tuple((attribute, kind) for attribute, kind in get_type_hints(cls).items() if _holds_dataclass(kind))


def _holds_dataclass(kind: Any) -> bool:
    return is_dataclass(kind) or any(map(_holds_dataclass, get_args(kind)))
