"""Problems of documents, as values.

Nothing in this package raises for a bad document. Each stage returns what it could make and the problems it found, so
one bad document never hides the others, and all problems are reported together.
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
"""The most faults of one sort that are reported for a document."""
MOST_ALIKE: Final = 3
"""Up to this number, warnings with the same message are listed one by one."""
_LONGEST: Final = 60
"""The most characters of a text that a message quotes."""


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
    """The same for all problems of one sort."""
    detail: str = ""
    """What distinguishes this problem, such as the names involved."""
    level: Level = Level.ERROR

    def __str__(self) -> str:
        place = f"{self.file}: {self.pointer}" if self.pointer else self.file
        message = f"{self.message}: {self.detail}" if self.detail else self.message
        return f"{place}: {self.level.value}: {message}"


class Fault(NamedTuple):
    """A problem in a file that is not known yet; the attributes are those of Problem."""

    pointer: str
    message: str
    detail: str = ""
    level: Level = Level.ERROR

    def of(self, file: str) -> Problem:
        """Return the problem in `file`."""
        return Problem(file, *self)


def join_pointer(base: str, *tokens: str | int) -> str:
    """Return the JSON pointer of the node that `tokens` lead to from `base`, escaped according to RFC 6901."""
    return base + "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in tokens)


def quoted(text: str) -> str:
    """Return `text` in quotes, on one line, and shortened."""
    return repr(shortened(text))


def shortened(text: str) -> str:
    """Return `text`, cut if it is long."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def suggestion(text: str, known: Iterable[str]) -> str:
    """Return the end of a message that suggests the `known` word closest to `text`; "" if none is close."""
    close = get_close_matches(text[:_LONGEST], known, n=1, cutoff=0.8)
    return f"; did you mean {close[0]!r}?" if close else ""


def bounded(found: Iterable[Fault]) -> Iterator[Fault]:
    """Yield the first MOST faults of `found`; if there are more, a last one says so."""
    rest = iter(found)
    yield from islice(rest, MOST)
    if (another := next(rest, None)) is not None:
        message = f"there are more problems like these; only the first {MOST} of a document are listed"
        yield Fault("", message, level=another.level)


def grouped(problems: Iterable[Problem]) -> Iterator[tuple[Problem, int]]:
    """Yield `problems` in order, each with the number of others that it stands for.

    All errors are included. Of more than MOST_ALIKE warnings with the same message, only the first is.
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
    """Return whether any of `problems` is an ERROR."""
    return any(problem.level is Level.ERROR for problem in problems)


class RenderError(Exception):
    """A target could not render its output; the message says which part and why. It becomes a Problem."""
