"""What is compared: where a field can be, which types it can have there, whether it can be missing.

`dialect` finds it in documents and `classes` in what was generated, neither knowing of the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

Path: TypeAlias = tuple[str, ...]
"""Names from the top of a request or response down, by their wire names; ELEMENT for the elements of an array."""

ELEMENT: Final = "[]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field, or the elements of an array."""

    types: frozenset[str]
    """The dialect's types, except: "any" where there is none, "map" for an object without members of its own, and a
    closed set of strings as one text of all its members."""
    optional: bool
    """Whether it can be missing; False for elements."""
    hidden: bool = False
    """Whether it, or what it is a part of, is not to be shown."""


Facts: TypeAlias = Mapping[Path, Field]


def closed(members: Iterable[str]) -> str:
    """Return how a closed set of strings is written as a type."""
    return f"one of {', '.join(sorted(members))}"


def names(path: Path) -> Path:
    """Return a path without elements, as pages show it."""
    return tuple(name for name in path if name != ELEMENT)


def dotted(path: Path) -> str:
    """Return a path as people write it: `channels[].state`."""
    return ".".join(path).replace(f".{ELEMENT}", ELEMENT) or "(all of it)"


def differences(declared: Facts, made: Facts) -> Iterator[tuple[Path, str]]:
    """Yield the path and the difference wherever `made` is not what is `declared`."""
    for path, field in declared.items():
        other = made.get(path)
        if other is None:
            yield path, "is not there"
            continue
        if field.types != other.types:
            yield path, f"is {_words(other.types)}, not {_words(field.types)}"
        if field.optional != other.optional:
            yield path, f"is {_presence(other)}, not {_presence(field)}"
    for path in made.keys() - declared.keys():
        yield path, "is declared nowhere"


def _words(types: frozenset[str]) -> str:
    return " or ".join(sorted(types)) or "nothing"


def _presence(field: Field) -> str:
    return "optional" if field.optional else "always there"
