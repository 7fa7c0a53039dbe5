"""Rows become objects, unless one is damaged: then it alone is passed over, or refused, and the log names it.

In a damaged store anything may stand anywhere. So rows are read without conversions, which would fail for all rows of a
statement or make something out of anything, and each value is tested for its column's type.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import cache
from itertools import product
from types import NoneType
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy import Boolean, Connection, Integer, LargeBinary, Select, Table, Text, type_coerce
from sqlalchemy.sql.elements import Label
from sqlalchemy.types import NullType

from lnoffers.service.errors import StoreError

T = TypeVar("T")
Row = Sequence[Any]

MOST_LOGGED: Final = 1000
"""How many damaged rows are named in the log, each once for a connection."""

_KINDS: Final = (
    (LargeBinary, bytes, "bytes"),
    (Text, str, "text"),
    ((Integer, Boolean), int, "a number"),
)
"""How values of the types that the schema has are stored."""

logger = logging.getLogger(__name__)


class RowError(StoreError):
    """A row that cannot be read. The message names it, and shows none of its values but the key."""

    def __init__(self, table: Table, row: Row, why: str) -> None:
        super().__init__(f"{name_of(table, row)} cannot be read: {why}. lnoffers check-store lists all faults")


class _Column(NamedTuple):
    name: str
    types: tuple[type, ...]
    what: str


@cache
def untyped(table: Table) -> tuple[Label[Any], ...]:
    """Return the table's columns, whose values come as they are stored."""
    return tuple(type_coerce(column, NullType()).label(column.name) for column in table.columns)


def name_of(table: Table, row: Row) -> str:
    """Return how a row is called in messages: by its table and its key, which comes first."""
    key = row[0]
    return f"{table.name} {key.hex() if isinstance(key, bytes) else repr(key)}"


def wrong_values(table: Table, row: Row) -> list[str]:
    """Return what is wrong with the types of a row's values, which are those of `untyped`."""
    return [
        f"its {column.name} is {'missing' if value is None else f'not {column.what}'}"
        for column, value in zip(_columns(table), row, strict=True)
        if type(value) not in column.types
    ]


def read(table: Table, row: Row, make: Callable[..., T]) -> T:
    """Return what `make` makes of a row's values; it may raise ValueError, whose message says what is wrong.

    Raises:
        RowError: if a value is of the wrong type, or `make` refuses them.
    """
    if tuple(map(type, row)) not in _signatures(table):
        raise RowError(table, row, wrong_values(table, row)[0])
    try:
        return make(*row)
    except ValueError as error:
        raise RowError(table, row, str(error)) from error


def read_many(
    connection: Connection, table: Table, query: Select[Any], make: Callable[..., T], limit: int | None
) -> list[T]:
    """Return what `read` makes of the first rows of a query, up to `limit` of those that it can read."""
    at_once = limit
    while True:
        rows = connection.execute(query.limit(at_once)).all()
        found = [made for row in rows for made in _readable(connection, table, row, make)]
        if at_once is None or len(rows) < at_once or len(found) >= (limit or 0):
            return found[:limit]
        at_once *= 2  # so many are damaged


def _readable(connection: Connection, table: Table, row: Row, make: Callable[..., T]) -> list[T]:
    try:
        return [read(table, row, make)]
    except RowError as error:
        _log_once(connection, f"Passed over: {error}")
        return []


def _log_once(connection: Connection, message: str) -> None:
    logged: set[str] = connection.info.setdefault(__name__, set())
    if message in logged or len(logged) > MOST_LOGGED:
        return
    logged.add(message)
    logger.warning("%s", message if len(logged) <= MOST_LOGGED else "There are more rows that cannot be read")


@cache
def _signatures(table: Table) -> frozenset[tuple[type, ...]]:
    """Return the types that a good row's values may have together: one look-up a row takes less than a test a value."""
    return frozenset(product(*(column.types for column in _columns(table))))


@cache
def _columns(table: Table) -> tuple[_Column, ...]:
    return tuple(
        _Column(column.name, (kind, NoneType) if column.nullable else (kind,), what)
        for column in table.columns
        for declared, kind, what in _KINDS
        if isinstance(column.type, declared)
    )
