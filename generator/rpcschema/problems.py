"""What is wrong with a document, as values.

Nothing in this package raises for a bad document: each stage returns what it could make and the problems it met, so
that one bad document never hides the others and all of them are reported together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from itertools import islice
from typing import Final

MOST: Final = 100
"""Findings of one kind that are told of one document; whoever has mended these can run again."""
_SHOWN: Final = 60


class Level(StrEnum):
    """How bad it is: an ERROR keeps the document from being rendered, a WARNING does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong in one place.

    `file` is the path as the user named it, `pointer` a JSON pointer (RFC 6901; "" is the whole document) or
    "line L column C" for text that is not JSON.
    """

    file: str
    pointer: str
    message: str
    level: Level = Level.ERROR

    def __str__(self) -> str:
        place = f"{self.file}: {self.pointer}" if self.pointer else self.file
        return f"{place}: {self.level.value}: {self.message}"


def join_pointer(base: str, *tokens: str | int) -> str:
    """The JSON pointer of what lies below `base` by `tokens`, escaped as RFC 6901 wants it."""
    return base + "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in tokens)


def quoted(text: str) -> str:
    """`text` in quotes, on one line, and cut if it is long."""
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")


def suggestion(text: str, known: Iterable[str]) -> str:
    """The end of a message: which of the `known` words was meant, if one is close to `text`."""
    close = get_close_matches(text[:_SHOWN], known, n=1, cutoff=0.8)
    return f"; did you mean {close[0]!r}?" if close else ""


def bounded(found: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The first of `found`, (JSON pointer, message), and a word on the rest if there are more than MOST."""
    rest = iter(found)
    yield from islice(rest, MOST)
    if next(rest, None) is not None:
        yield "", f"there is more than this: only the first {MOST} problems of a document are listed"


def has_errors(problems: Iterable[Problem]) -> bool:
    """True if any of `problems` is an ERROR."""
    return any(problem.level is Level.ERROR for problem in problems)


class RenderError(Exception):
    """A target could not make what it should; the message says of what and why. It becomes a Problem."""
