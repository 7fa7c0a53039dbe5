"""What stored offers and invoice_requests have in common: how they are listed, their state, and changing it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Table, bindparam, case, select, update

from lnoffers.service.status import TRANSITIONS, Event, Status
from lnoffers.service.store.statement import Statement


def find(  # noqa: PLR0913 - what lists of both take
    connection: Connection,
    table: Table,
    *,
    identity: bytes | None = None,
    active_only: bool = False,
    after: bytes | None = None,
    limit: int | None = None,
) -> Sequence[Row[Any]]:
    """All rows or the one with this id, in ascending order of their ids; from `after` on, and no more than `limit`.

    `after` itself is not among them.
    """
    [key] = table.primary_key
    query = select(table).order_by(key).limit(limit)
    if after is not None:
        query = query.where(key > after)
    if identity is not None:
        query = query.where(key == identity)
    if active_only:
        query = query.where(table.c.status.bitwise_and(Status.ACTIVE.value) != 0)
    return connection.execute(query).all()


def apply(connection: Connection, table: Table, identity: bytes, event: Event) -> tuple[Any, ...] | None:
    """Let `event` happen to the row with this id and return what it has become; None if its state does not allow it.

    One statement tests the state and changes it, so of several processes that try exactly one succeeds.
    """
    rows = _statement(table, event).run(connection, identity=identity)
    return rows[0] if rows else None


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
    """The state of the row with this id; None if there is none."""
    [key] = table.primary_key
    found = connection.execute(select(table.c.status).where(key == identity)).scalar_one_or_none()
    return None if found is None else Status(found)
