"""Read rows as objects. A damaged row raises RowError, or is skipped in a list; the log names it.

In a damaged store any column may contain any value, so the type of each value is checked.
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
    """A row cannot be read. The message names the row by its key and contains none of its other values."""

    def __init__(self, table: Table, row: Row, why: str) -> None:
        super().__init__(f"{name_of(table, row)} cannot be read: {why}. lnoffers check-store lists all faults")


def name_of(table: Table, row: Row) -> str:
    """Return a row's name for messages: its table, and its key, which is the first column."""
    key = row[0]
    return f"{table.name} {key.hex() if isinstance(key, bytes) else repr(key)}"


def wrong_values(table: Table, row: Row) -> list[str]:
    """Return a message for each value of a row that is missing or has the wrong type."""
    return [
        f"its {column} is {'missing' if value is None else f'not {_WORDS[types[0]]}'}"
        for (column, types), value in zip(table.columns.items(), row, strict=True)
        if type(value) not in types
    ]


class Rows(Generic[T]):
    """Reads the rows of a table as objects."""

    def __init__(self, table: Table, make: Callable[..., T]) -> None:
        """Create a reader; `make` returns the object for a row's values, or raises ValueError with the reason."""
        self._table: Final = table
        self._make: Final = make
        # All valid combinations of types: one lookup per row is faster than one check per value.
        self._signatures: Final = frozenset(product(*table.columns.values()))

    def read(self, row: Row) -> T:
        """Return the object for a row.

        Raises:
            RowError: if a value has the wrong type, or `make` raises ValueError.
        """
        if tuple(map(type, row)) not in self._signatures:
            raise RowError(self._table, row, wrong_values(self._table, row)[0])
        try:
            return self._make(*row)
        except ValueError as error:
            raise RowError(self._table, row, str(error)) from error

    def read_many(self, connection: Connection, query: str, values: Sequence[Any], limit: int | None) -> list[T]:
        """Return the objects for the first rows of a query: at most `limit` of those that can be read."""
        at_once = limit
        while True:
            limited, more = (query, ()) if at_once is None else (f"{query} LIMIT ?", (at_once,))
            rows = connection.execute(limited, (*values, *more)).fetchall()
            found = [made for row in rows for made in self._readable(connection, row)]
            if at_once is None or len(rows) < at_once or len(found) >= (limit or 0):
                return found[:limit]
            at_once *= 2  # damaged rows left too few

    def _readable(self, connection: Connection, row: Row) -> list[T]:
        try:
            return [self.read(row)]
        except RowError as error:
            _log_once(connection.logged, f"Skipped: {error}")
            return []


def _log_once(logged: set[str], message: str) -> None:
    if message in logged or len(logged) > MOST_LOGGED:
        return
    logged.add(message)
    logger.warning("%s", message if len(logged) <= MOST_LOGGED else "There are more rows that cannot be read")
