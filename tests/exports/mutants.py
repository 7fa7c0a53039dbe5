"""Values that differ from an example in one fact. It shares nothing with the export, and knows no schema.

A mutant lacks one field, has one more, or has another value in one place. Whether that contradicts the document is for
others to say.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, Final, NamedTuple

NEW_FIELD: Final = "zz_new"
_OTHERS: Final[tuple[Any, ...]] = (None, True, -1, 1.5, 2**64, "", "zz", "0" * 65, [], {}, [[]])
"""What stands in the place of a value, unless it is equal."""


class Mutant(NamedTuple):
    """A value, and what was changed in it."""

    value: Any
    place: str
    change: str


def mutants(value: Any) -> Iterator[Mutant]:
    """Yield every mutant of a value."""
    for path in _paths(value):
        place = ".".join(map(str, path)) or "(all of it)"
        found = _at(value, path)
        if isinstance(found, dict):
            yield Mutant(_with(value, (*path, NEW_FIELD), 1), place, "has one more field")
        if path:
            if isinstance(path[-1], str):
                yield Mutant(_without(value, path), place, "is missing")
            for other in _OTHERS:
                if type(other) is not type(found) or other != found:
                    yield Mutant(_with(value, path, other), place, f"is {other!r}")
        if isinstance(found, str) and found:
            yield Mutant(_with(value, path, found[:-1]), place, "is shorter")
            yield Mutant(_with(value, path, f"{found}z"), place, "is longer")


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inside:
        yield from _paths(each, (*path, key))


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def _with(value: Any, path: tuple[str | int, ...], other: Any) -> Any:
    copy = deepcopy(value)
    _at(copy, path[:-1])[path[-1]] = other
    return copy


def _without(value: Any, path: tuple[str | int, ...]) -> Any:
    copy = deepcopy(value)
    del _at(copy, path[:-1])[path[-1]]
    return copy
