"""List stored offers and invoice_requests, and read and change their states."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from lnoffers.service.status import TRANSITIONS, Status, StatusChange
from lnoffers.service.store.database import Connection
from lnoffers.service.store.rows import Rows
from lnoffers.service.store.schema import Table

T = TypeVar("T")


class Records(Rows[T]):
    """The stored offers, or the stored invoice_requests."""

    def __init__(self, table: Table, make: Callable[..., T]) -> None:
        super().__init__(table, make)
        self._updates: Final = {event: _update(table, event) for event in StatusChange}

    def find(
        self,
        connection: Connection,
        identity: bytes | None = None,
        *,
        active_only: bool = False,
        after: bytes | None = None,
        limit: int | None = None,
    ) -> list[T]:
        """Return the records in ascending order of their ids, or only the one with the id `identity`.

        A list begins after the id `after`, has at most `limit` records, and skips rows that cannot be read.

        Raises:
            RowError: if the record with the id `identity` cannot be read.
        """
        key, conditions, values = self._table.key, ["TRUE"], list[Any]()
        if identity is not None:
            conditions.append(f"{key} = ?")
            values.append(identity)
        if after is not None:
            conditions.append(f"{key} > ?")
            values.append(after)
        if active_only:
            conditions.append(f"(status & {Status.ACTIVE:d}) <> 0")
        query = f"{self._table.select} WHERE {' AND '.join(conditions)} ORDER BY {key}"
        if identity is not None:
            return [self.read(row) for row in connection.execute(query, values)]
        return self.read_many(connection, query, values, limit)

    def apply(self, connection: Connection, identity: bytes, event: StatusChange) -> T | None:
        """Apply `event` to a record, and return the changed record; None if its state does not allow the event.

        One statement checks and changes the state, so if several processes try at once, exactly one succeeds.

        Raises:
            RowError: if the row cannot be read.
        """
        changed = connection.execute(f"{self._updates[event]} {self._table.listed}", (identity,)).fetchall()
        return self.read(changed[0]) if changed else None

    def change(self, connection: Connection, identity: bytes, event: StatusChange) -> Status | None:
        """Apply `event` as `apply` does, but return only the new state; the rest of the row may be damaged."""
        changed = connection.execute(f"{self._updates[event]} status", (identity,)).fetchall()
        return Status(changed[0][0]) if changed else None

    def status_of(self, connection: Connection, identity: bytes) -> Status | None:
        """Return the state of a record; None if there is no such record."""
        query = f"SELECT status FROM {self._table.name} WHERE {self._table.key} = ?"
        found = connection.execute(query, (identity,)).fetchone()
        return None if found is None else Status(found[0])


def _update(table: Table, event: StatusChange) -> str:
    """Return the UPDATE statement for an event, up to the word RETURNING."""
    moves = TRANSITIONS[event]
    cases = " ".join(f"WHEN {before:d} THEN {after:d}" for before, after in moves.items())
    return (
        f"UPDATE {table.name} SET status = CASE status {cases} END "
        f"WHERE {table.key} = ? AND status IN ({', '.join(f'{before:d}' for before in moves)}) RETURNING"
    )
