"""Lists of any length: a short one is one response, a long one is read and sent page by page.

Each page is read in a transaction of its own, when it is sent, and begins after the last row of the one before. So a
slow client holds neither the list nor a snapshot of the store. A page ends early if its strings are long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Any, Final, TypeVar

Row = TypeVar("Row")
Response = TypeVar("Response")

PAGE_ROWS: Final = 100
"""Takes about two milliseconds, during which other clients wait."""
PAGE_CHARACTERS: Final = 1 << 18
"""The most characters of all strings of a page with several rows; a hundred usual strings have less than half."""


def _length_of_bolt12(row: Any) -> int:
    return len(row.bolt12)


def in_pages(
    read: Callable[[Row | None, int], Sequence[Row]],
    respond: Callable[[Sequence[Row]], Response],
    *,
    rows: int = PAGE_ROWS,
    length: Callable[[Row], int] = _length_of_bolt12,
) -> Response | Iterator[Response]:
    """Return all rows: as one response, or as an iterator over responses with one page each.

    `read(last, limit)` returns up to `limit` rows after `last`, and fewer only at the end of the list; `respond`
    returns the response for a page, which has up to `rows` rows. `length` returns the characters of a row's string, by
    far its longest part.
    """
    first = read(None, rows)
    if len(_fitting(first, length)) == len(first) < rows:
        return respond(first)
    return _pages(first, read, respond, rows, length)


def _pages(
    found: Sequence[Row],
    read: Callable[[Row | None, int], Sequence[Row]],
    respond: Callable[[Sequence[Row]], Response],
    rows: int,
    length: Callable[[Row], int],
) -> Iterator[Response]:
    while found:
        page = _fitting(found, length)
        is_last = len(page) == len(found) < rows
        found = ()  # the others are read again when their turn comes, rather than held
        yield respond(page)
        if not is_last:
            found = read(page[-1], rows)


def _fitting(rows: Sequence[Row], length: Callable[[Row], int]) -> Sequence[Row]:
    """Return the first rows that fit a page, at least one."""
    sizes = accumulate(map(length, rows))
    return rows[: max(1, sum(size <= PAGE_CHARACTERS for size in sizes))]
