"""The base of the generated classes for received values: responses, notifications, and the payloads of hooks.

The node may be of another version than the classes. Its values stay readable: a field that the node left out is unset,
and reading it is an error; unknown fields are kept in the text that the object was decoded from (see `unknown`).

All our own names begin and end with two underscores, because no attribute for a document's field does.
"""

from __future__ import annotations

import re
from dataclasses import fields
from functools import cache
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, TypeAlias

from ..errors import missing_field

UNSET: Final = object()
"""Stands for an attribute without a value."""
_PLAIN_NAME: Final = re.compile(r"[\w/-]+")


Pairs: TypeAlias = "tuple[tuple[str, str], ...]"
"""A constant table of a class."""


class Origin(NamedTuple):
    """The origin of a received object."""

    source: str
    """The command, notification or hook."""
    path: str
    """The object's path in the received value, e.g. "channels[3].htlcs[0]"; "" for the whole value."""
    text: bytes | None
    """The JSON text of the whole value, for the object that represents it."""


class Received:
    """The base of a class of received values; `==` and `repr` pass over what is unset."""

    __slots__ = ("__received__",)

    if TYPE_CHECKING:  # at run time these annotations would be evaluated again for every generated class
        __received__: Origin
        """Set in whole responses, and in parts that lack a field."""
        __source__: ClassVar[str]
        """The command, notification or hook, for the classes of whole responses and payloads."""
        __wire_names__: ClassVar[Pairs]
        """(attribute, name in JSON) where they differ."""
        __added__: ClassVar[Pairs]
        """(required attribute, the release that added it) if the document says."""
        __discriminator__: ClassVar[str]
        """For a member of a union: the attribute that distinguishes the members."""
        __other__: ClassVar[type[Received]]
        """For a member of a union: the class for unknown values of the discriminator."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Received) or other.__class__ is not self.__class__:
            return NotImplemented
        return _values(self) == _values(other)

    __hash__ = None  # type: ignore[assignment] # as of any dataclass that can change

    def __setstate__(self, state: tuple[None, dict[str, Any]]) -> None:
        """Take what copies and pickles keep."""
        for name, value in state[1].items():
            setattr(self, name, value)
        explain_missing(self)

    @recursive_repr()
    def __repr__(self) -> str:
        shown = (f"{name}={value!r}" for name, value in _values(self) if value is not UNSET)
        return f"{type(self).__qualname__}({', '.join(shown)})"


def explain_missing(value: Received) -> None:
    """Make reading an unset attribute of this object a MissingFieldError, which says more than an AttributeError.

    Its class gets `__getattr__` for that only now, because msgspec looks up each absent optional field: with
    `__getattr__` in all classes, decoding would take three times as long. Type checkers do not see it, because they
    would accept every misspelt attribute.
    """
    cls: type[Any] = type(value)
    if any(each is UNSET for _, each in _values(value)):
        cls.__getattr__ = _missing


def _missing(self: Received, name: str) -> Any:
    cls: type = type(self)
    origin: Origin | None = getattr(self, "__received__", None) if name != "__received__" else None
    wire = dict(wire_names(cls)).get(name) if origin is not None else None
    if origin is None or wire is None:
        raise AttributeError(f"{cls.__name__!r} object has no attribute {name!r}", name=name, obj=self)
    releases: dict[str, str] = dict(getattr(cls, "__added__", ()))
    raise missing_field(origin.source, member_path(origin.path, wire), name, releases.get(name))


@cache
def wire_names(cls: type) -> Pairs:
    """Return (attribute, wire name) of a dataclass's members in their order; `__wire_names__` has those that differ."""
    renamed: dict[str, str] = dict(getattr(cls, "__wire_names__", ()))
    return tuple((field.name, renamed.get(field.name, field.name)) for field in fields(cls))


def member_path(path: str, name: str) -> str:
    """Return the path of the member `name` of the object at `path`: "a.b", or "a['b c']" for another name."""
    if _PLAIN_NAME.fullmatch(name) is None:
        return f"{path}[{name!r}]"
    return f"{path}.{name}" if path else name


def _values(value: Received) -> list[tuple[str, Any]]:
    cls: type = type(value)
    return [(name, getattr(value, name, UNSET)) for name, _ in wire_names(cls)]
