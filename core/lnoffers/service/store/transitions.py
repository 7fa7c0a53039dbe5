"""Changing the state of a stored offer or invoice_request."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, case, update

from lnoffers.service.status import TRANSITIONS, Event


def apply(connection: Connection, table: Table, identity: bytes, event: Event) -> Row[Any] | None:
    """Let `event` happen to the row with this id and return what it has become; None if its state does not allow it.

    One statement tests the state and changes it, so of several processes that try exactly one succeeds.
    """
    [key] = table.primary_key
    moves = {int(before): int(after) for before, after in TRANSITIONS[event].items()}
    allowed: ColumnElement[bool] = table.c.status.in_(moves)
    change = (
        update(table)
        .where(key == identity, allowed)
        .values(status=case(moves, value=table.c.status))
        .returning(*table.c)
    )
    return connection.execute(change).one_or_none()
