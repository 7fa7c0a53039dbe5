"""Lists of any length: short ones as one response, long ones page by page, each read when its turn to be sent comes.

A page is read in a transaction of its own and begins behind the last row of the one before. So neither the list nor a
snapshot of the store is held for a client that takes its time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar

Row = TypeVar("Row")
Response = TypeVar("Response")

PAGE_ROWS: Final = 100
"""Some two milliseconds of work, which is how long other clients wait for it."""


def in_pages(
    read: Callable[[Row | None, int], Sequence[Row]], respond: Callable[[Sequence[Row]], Response]
) -> Response | Iterator[Response]:
    """The rows that `read(last, limit)` gives, as the responses that `respond` makes of a page.

    `read` returns up to `limit` rows, those that come after `last` in the order of the list; fewer only at its end.
    """
    first = read(None, PAGE_ROWS)
    return respond(first) if len(first) < PAGE_ROWS else _pages(first, read, respond)


def _pages(
    page: Sequence[Row], read: Callable[[Row | None, int], Sequence[Row]], respond: Callable[[Sequence[Row]], Response]
) -> Iterator[Response]:
    while page:
        yield respond(page)
        page = read(page[-1], PAGE_ROWS) if len(page) == PAGE_ROWS else ()
