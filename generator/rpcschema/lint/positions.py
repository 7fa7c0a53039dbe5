"""The lines of a JSON document: from JSON pointers to line numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from rpcschema.problems import join_pointer

_TOKEN: Final = re.compile(r'"(?:(?>[^"\\]++|\\.))*+"|[\[\]{},:]|[^\s\[\]{},:"]+')
_PLACE: Final = re.compile(r"line (\d+) column \d+")


@dataclass(slots=True)
class _Open:
    """An object or array that is not complete."""

    pointer: str
    is_array: bool
    step: str | int
    """The key or index of the member that is being read."""
    expects_key: bool


def line_of(pointer: str, positions: Mapping[str, int]) -> int:
    """Return the line of what a pointer leads to, or else of the nearest thing that holds it.

    A pointer can also be "line L column C", as that of a file that is not JSON.
    """
    if found := _PLACE.fullmatch(pointer):
        return int(found[1])
    while pointer not in positions and pointer:
        pointer = pointer.rpartition("/")[0]
    return positions.get(pointer, 1)


def positions(text: str) -> Mapping[str, int]:
    """Return the lines, from 1, on which the members and elements in `text`, valid JSON, begin."""
    return dict(_positions(text))


def _positions(text: str) -> Iterator[tuple[str, int]]:
    open_ones: list[_Open] = []
    line, end = 1, 0
    yield "", 1
    for token in _TOKEN.finditer(text):
        line += text.count("\n", end, token.start())
        end = token.start()
        mark = token[0]
        outer = open_ones[-1] if open_ones else None
        if mark == ",":
            assert outer is not None
            outer.step = outer.step + 1 if isinstance(outer.step, int) else outer.step
            outer.expects_key = not outer.is_array
        elif mark in "}]":
            open_ones.pop()
        elif outer is not None and outer.expects_key:
            outer.step, outer.expects_key = _unquoted(mark), False
            yield join_pointer(outer.pointer, outer.step), line
        elif mark != ":":
            pointer = "" if outer is None else join_pointer(outer.pointer, outer.step)
            if outer is not None and outer.is_array:
                yield pointer, line
            if mark in "{[":
                is_array = mark == "["
                open_ones.append(_Open(pointer, is_array, 0 if is_array else "", not is_array))


def _unquoted(token: str) -> str:
    return str(json.loads(token))
