"""What is wrong with a document, as values.

Nothing in this package raises for a bad document: each stage returns what it could make and the problems it met, so
that one bad document never hides the others and all of them are reported together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from itertools import islice
from typing import Final, NamedTuple

MOST: Final = 100
"""Findings of one kind that are reported of one document; whoever has mended these can run again."""
MOST_ALIKE: Final = 3
"""Warnings that say the same and are listed each."""
_LONGEST: Final = 60
"""Characters of a text that a message repeats."""


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
    """Alike for problems of one kind."""
    detail: str = ""
    """What is particular to this one: the names that it is about, say."""
    level: Level = Level.ERROR

    def __str__(self) -> str:
        place = f"{self.file}: {self.pointer}" if self.pointer else self.file
        message = f"{self.message}: {self.detail}" if self.detail else self.message
        return f"{place}: {self.level.value}: {message}"


class Fault(NamedTuple):
    """A problem whose file is not known where it is found; the attributes are those of Problem."""

    pointer: str
    message: str
    detail: str = ""
    level: Level = Level.ERROR

    def of(self, file: str) -> Problem:
        """The problem in `file`."""
        return Problem(file, *self)


def join_pointer(base: str, *tokens: str | int) -> str:
    """The JSON pointer of what lies below `base` by `tokens`, escaped as RFC 6901 wants it."""
    return base + "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in tokens)


def quoted(text: str) -> str:
    """`text` in quotes, on one line, and cut if it is long."""
    return repr(shortened(text))


def shortened(text: str) -> str:
    """`text`, cut if it is long."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def suggestion(text: str, known: Iterable[str]) -> str:
    """The end of a message: which of the `known` words was meant, if one is close to `text`."""
    close = get_close_matches(text[:_LONGEST], known, n=1, cutoff=0.8)
    return f"; did you mean {close[0]!r}?" if close else ""


def bounded(found: Iterable[Fault]) -> Iterator[Fault]:
    """The first of `found`, and a last one that says so if there are more than MOST."""
    rest = iter(found)
    yield from islice(rest, MOST)
    if (another := next(rest, None)) is not None:
        message = f"there are more problems like these; only the first {MOST} of a document are listed"
        yield Fault("", message, level=another.level)


def grouped(problems: Iterable[Problem]) -> Iterator[tuple[Problem, int]]:
    """`problems` in order, each with the number of others for which it stands.

    All errors are there. Of warnings that say the same, more than MOST_ALIKE, only the first is.
    """
    given = tuple(problems)
    counts = Counter(problem.message for problem in given if problem.level is Level.WARNING)
    first = {problem.message: problem for problem in reversed(given) if problem.level is Level.WARNING}
    for problem in given:
        if problem.level is Level.ERROR or counts[problem.message] <= MOST_ALIKE:
            yield problem, 0
        elif first[problem.message] is problem:
            yield problem, counts[problem.message] - 1


def has_errors(problems: Iterable[Problem]) -> bool:
    """True if any of `problems` is an ERROR."""
    return any(problem.level is Level.ERROR for problem in problems)


class RenderError(Exception):
    """A target could not make what it should; the message says of what and why. It becomes a Problem."""
