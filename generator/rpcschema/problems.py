"""What is wrong with a document, as values.

Nothing in this package raises for a bad document: each stage returns what it could make and the problems it met, so
that one bad document never hides the others and all of them are reported together.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


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


def has_errors(problems: Iterable[Problem]) -> bool:
    """True if any of `problems` is an ERROR."""
    return any(problem.level is Level.ERROR for problem in problems)


class RenderError(Exception):
    """A target could not make what it should; the message says of what and why. It becomes a Problem."""
