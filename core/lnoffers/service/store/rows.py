"""Rows become objects. A damaged row is refused, or passed over in lists, and the log names it.

In a damaged store any value may stand in any column. So each value is tested for its column's type.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any, Final, Generic, TypeVar

from lnoffers.service.errors import StoreError
from lnoffers.service.store.database import Connection
from lnoffers.service.store.schema import Table

T = TypeVar("T")
Row = Sequence[Any]

MOST_LOGGED: Final = 1000
"""How many damaged rows the log names, each once for a connection."""

_WORDS: Final = {bytes: "bytes", str: "text", int: "a number"}

logger = logging.getLogger(__name__)


class RowError(StoreError):
    """A row that cannot be read. The message names it, and shows none of its values but the key."""

    def __init__(self, table: Table, row: Row, why: str) -> None:
        super().__init__(f"{name_of(table, row)} cannot be read: {why}. lnoffers check-store lists all faults")


def name_of(table: Table, row: Row) -> str:
    """Return how messages name a row: by its table and its key, which comes first."""
    key = row[0]
    return f"{table.name} {key.hex() if isinstance(key, bytes) else repr(key)}"


def wrong_values(table: Table, row: Row) -> list[str]:
    """Return what is wrong with the types of a row's values."""
    return [
        f"its {column} is {'missing' if value is None else f'not {_WORDS[types[0]]}'}"
        for (column, types), value in zip(table.columns.items(), row, strict=True)
        if type(value) not in types
    ]


class Rows(Generic[T]):
    """The rows of a table, and the objects that they become."""

    def __init__(self, table: Table, make: Callable[..., T]) -> None:
        """`make` makes an object of a row's values, or raises ValueError, whose message says what is wrong."""
        self._table: Final = table
        self._make: Final = make
        # The types that a good row's values may have together: one look-up a row is faster than a test a value.
        self._signatures: Final = frozenset(product(*table.columns.values()))

    def read(self, row: Row) -> T:
        """Return what a row becomes.

        Raises:
            RowError: if a value is of the wrong type, or `make` refuses them.
        """
        if tuple(map(type, row)) not in self._signatures:
            raise RowError(self._table, row, wrong_values(self._table, row)[0])
        try:
            return self._make(*row)
        except ValueError as error:
            raise RowError(self._table, row, str(error)) from error

    def read_many(self, connection: Connection, query: str, values: Sequence[Any], limit: int | None) -> list[T]:
        """Return what the first rows of a query become, up to `limit` of those that can be read."""
        at_once = limit
        while True:
            limited, more = (query, ()) if at_once is None else (f"{query} LIMIT ?", (at_once,))
            rows = connection.execute(limited, (*values, *more)).fetchall()
            found = [made for row in rows for made in self._readable(connection, row)]
            if at_once is None or len(rows) < at_once or len(found) >= (limit or 0):
                return found[:limit]
            at_once *= 2  # so many are damaged

    def _readable(self, connection: Connection, row: Row) -> list[T]:
        try:
            return [self.read(row)]
        except RowError as error:
            _log_once(connection.logged, f"Passed over: {error}")
            return []


def _log_once(logged: set[str], message: str) -> None:
    if message in logged or len(logged) > MOST_LOGGED:
        return
    logged.add(message)
    logger.warning("%s", message if len(logged) <= MOST_LOGGED else "There are more rows that cannot be read")
