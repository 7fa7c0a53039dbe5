"""Lists of any length: short ones as one response, long ones page by page, each read when its turn to be sent comes.

A page is read in a transaction of its own and begins behind the last row of the one before. So neither the list nor a
snapshot of the store is held for a client that takes its time. A page ends early if its strings are long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Final, Protocol, TypeVar


class Listed(Protocol):
    """What a list shows one of."""

    @property
    def bolt12(self) -> str:
        """Most of what is shown."""


Row = TypeVar("Row", bound=Listed)
Response = TypeVar("Response")

PAGE_ROWS: Final = 100
"""Some two milliseconds of work, which is how long other clients wait for it."""
PAGE_CHARACTERS: Final = 1 << 18
"""Of strings on a page of more than one row; a hundred ordinary ones have less than half of that."""


def in_pages(
    read: Callable[[Row | None, int], Sequence[Row]], respond: Callable[[Sequence[Row]], Response]
) -> Response | Iterator[Response]:
    """The rows that `read(last, limit)` gives, as the responses that `respond` makes of a page.

    `read` returns up to `limit` rows, those that come after `last` in the order of the list; fewer only at its end.
    """
    first = read(None, PAGE_ROWS)
    return respond(first) if len(_fitting(first)) == len(first) < PAGE_ROWS else _pages(first, read, respond)


def _pages(
    found: Sequence[Row], read: Callable[[Row | None, int], Sequence[Row]], respond: Callable[[Sequence[Row]], Response]
) -> Iterator[Response]:
    while found:
        page = _fitting(found)
        is_last = len(page) == len(found) < PAGE_ROWS
        found = ()  # the others are read again when their turn comes, rather than held
        yield respond(page)
        if not is_last:
            found = read(page[-1], PAGE_ROWS)


def _fitting(rows: Sequence[Row]) -> Sequence[Row]:
    """The rows that make up a page, at least one of them."""
    sizes = accumulate(len(row.bolt12) for row in rows)
    return rows[: max(1, sum(size <= PAGE_CHARACTERS for size in sizes))]
