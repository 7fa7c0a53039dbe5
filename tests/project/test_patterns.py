"""The regular expressions of all packages work on the oldest Python that we support."""

from __future__ import annotations

import pkgutil
import re
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from re import _parser as parser  # type: ignore[attr-defined]
from types import ModuleType
from typing import Any

import pytest

import clnrpc
import lnoffers
import rpcschema

SINGLE = {"ANY", "IN", "LITERAL", "NOT_LITERAL", "ATOMIC_GROUP"}
"""What may be repeated possessively: characters, and groups that are atomic."""


def modules(package: ModuleType) -> Iterator[str]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not found.name.endswith("__main__") and ".types." not in found.name:
            yield found.name


def patterns(module: ModuleType) -> Iterator[re.Pattern[Any]]:
    """Yield the compiled patterns of a module, of which some have only a method as a name."""
    for value in vars(module).values():
        pattern = getattr(value, "__self__", value)
        if isinstance(pattern, re.Pattern):
            yield pattern


def repeated(tree: Iterable[tuple[Any, Any]]) -> Iterator[str]:
    """Yield the kind of each item or sequence of items that is repeated possessively."""
    for kind, arguments in tree:
        if str(kind) == "POSSESSIVE_REPEAT":
            items = arguments[2]
            yield str(items[0][0]) if len(items) == 1 else "SEQUENCE"
        yield from repeated(_inside(arguments))


def _inside(arguments: Any) -> Iterator[tuple[Any, Any]]:
    for argument in arguments if isinstance(arguments, (tuple, list)) else [arguments]:
        if isinstance(argument, parser.SubPattern):
            yield from argument
        elif isinstance(argument, (tuple, list)):
            yield from _inside(argument)


def test_the_search_finds_groups_that_are_not_atomic() -> None:
    found = [*repeated(parser.parse(r"a(?:(b(?:cd)*+)|e*+)(?:(?>fg))*+"))]
    assert [kind for kind in found if kind not in SINGLE] == ["SEQUENCE"]


@pytest.mark.parametrize("name", [*modules(clnrpc), *modules(lnoffers), *modules(rpcschema)])
def test_only_characters_and_atomic_groups_are_repeated_possessively(name: str) -> None:
    # Before Python 3.11.5, which Debian 12 is, the repetition of any other group could end within the group.
    import_module(name)
    for pattern in patterns(sys.modules[name]):
        assert {*repeated(parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG))} <= SINGLE, pattern.pattern
