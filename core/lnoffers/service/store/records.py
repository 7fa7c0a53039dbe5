"""What stored offers and invoice_requests have in common: how they are listed, their state, and changing it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TypeVar

from sqlalchemy import Connection, Table, bindparam, case, select, update

from lnoffers.service.status import TRANSITIONS, Event, Status
from lnoffers.service.store import rows
from lnoffers.service.store.statement import Statement

T = TypeVar("T")


def find(  # noqa: PLR0913 - what lists of both take
    connection: Connection,
    table: Table,
    make: Callable[..., T],
    *,
    identity: bytes | None = None,
    active_only: bool = False,
    after: bytes | None = None,
    limit: int | None = None,
) -> list[T]:
    """Return what `make` makes of all rows, in ascending order of their ids, or of the one with this id.

    They begin behind `after`, and are no more than `limit`. Rows that cannot be read are passed over.

    Raises:
        RowError: if it is one by its id that cannot be read.
    """
    [key] = table.primary_key
    query = select(*rows.untyped(table)).order_by(key)
    if after is not None:
        query = query.where(key > after)
    if identity is not None:
        query = query.where(key == identity)
    if active_only:
        query = query.where(table.c.status.bitwise_and(Status.ACTIVE.value) != 0)
    if identity is not None:
        return [rows.read(table, row, make) for row in connection.execute(query)]
    return rows.read_many(connection, table, query, make, limit)


def apply(connection: Connection, table: Table, make: Callable[..., T], identity: bytes, event: Event) -> T | None:
    """Let `event` happen to the row with this id and return what it has become; None if its state does not allow it.

    One statement tests the state and changes it, so of several processes that try exactly one succeeds.

    Raises:
        RowError: if the row cannot be read.
    """
    changed = _statement(table, event).run(connection, identity=identity)
    return rows.read(table, changed[0], make) if changed else None


def change(connection: Connection, table: Table, identity: bytes, event: Event) -> Status | None:
    """Do as `apply`, but all that counts of the row is its new state: nothing else in it need be readable."""
    changed = _statement(table, event).run(connection, identity=identity)
    return Status(changed[0][table.c.keys().index("status")]) if changed else None


@cache
def _statement(table: Table, event: Event) -> Statement:
    [key] = table.primary_key
    moves = {int(before): int(after) for before, after in TRANSITIONS[event].items()}
    return Statement(
        update(table)
        .where(key == bindparam("identity", required=False), table.c.status.in_(moves))
        .values(status=case(moves, value=table.c.status))
        .returning(*table.c)
    )


def status_of(connection: Connection, table: Table, identity: bytes) -> Status | None:
    """Return the state of the row with this id; None if there is none."""
    [key] = table.primary_key
    found = connection.execute(select(table.c.status).where(key == identity)).scalar_one_or_none()
    return None if found is None else Status(found)
