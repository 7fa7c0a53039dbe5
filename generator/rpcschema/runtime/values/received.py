"""What the generated classes of received values stand on: answers, notifications, the payloads of hooks.

The node that sent one may be of another version than the classes. It stays readable: what the node left out is unset,
and an error only when it is read; what the classes do not know is kept in the text that the object came from (see
`unknown`).

All names of ours begin and end with two underscores, because no attribute that stands for a document's field does.
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
"""A table of a class: it is made with the class, and cannot change."""


class Origin(NamedTuple):
    """Where a received object comes from."""

    source: str
    """The command, notification or hook."""
    path: str
    """The object's place in what was received, "" for all of it, e.g. "channels[3].htlcs[0]"."""
    text: bytes | None
    """All that was received, as JSON text, for the object that stands for all of it."""


class Received:
    """The base of a class of received values; `==` and `repr` pass over what is unset."""

    __slots__ = ("__received__",)

    if TYPE_CHECKING:  # at run time these annotations would be evaluated anew for every class that is generated
        __received__: Origin
        """Set in whole answers, and in their parts that lack something."""
        __source__: ClassVar[str]
        """The command, notification or hook, for the classes of whole answers."""
        __wire_names__: ClassVar[Pairs]
        """(attribute, name in JSON) where they differ."""
        __added__: ClassVar[Pairs]
        """(required attribute, the release that added it) where the document tells."""
        __discriminator__: ClassVar[str]
        """For a member of a union of classes: the attribute that tells the members apart."""
        __other__: ClassVar[type[Received]]
        """For a member of a union: the class of what has a discriminator that no member knows."""

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


def explain_missing(answer: Received) -> None:
    """Have a MissingFieldError, which says more than an AttributeError, raised for what is unset in this object.

    Its class gets `__getattr__` for that, but not before: msgspec looks for each optional field that is absent, and
    with a `__getattr__` in all classes decoding would take three times as long. Static type checkers do not see it:
    they would take every misspelt attribute for one that exists.
    """
    cls: type[Any] = type(answer)
    if any(value is UNSET for _, value in _values(answer)):
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


def _values(answer: Received) -> list[tuple[str, Any]]:
    cls: type = type(answer)
    return [(name, getattr(answer, name, UNSET)) for name, _ in wire_names(cls)]
