"""What the store needs of a database. `sqlite` provides it; a module for another database would fill the same classes.

SQL text goes to the driver as it is written. Each value is a `?`, which a module for another driver replaces by that
driver's own mark, so no statement contains `?` for any other purpose. Statements use only what both SQLite and
PostgreSQL read; all else is a method here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, TypeAlias

BUSY_SECONDS: Final = 10.0
"""How long to wait for another process's transaction."""


Cursor: TypeAlias = Any
"""The outcome of a statement: rows, which are tuples, by iteration, `fetchone` and `fetchall`, and `rowcount`."""


class Connection(Protocol):
    """A connection. It is in no transaction until `begin`: nothing begins or ends one by itself."""

    logged: set[str]
    """The damaged rows that the log has named (see `rows`)."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""

    def execute(self, statement: str, values: Sequence[Any] = ..., /) -> Cursor:
        """Run a statement, whose values come as the driver has them."""

    def begin(self, *, writes: bool) -> None:
        """Begin a transaction. One that `writes` waits until no other one does, and keeps others from writing."""

    def commit(self) -> None:
        """End the transaction and make it durable."""

    def rollback(self) -> None:
        """Undo the transaction and end it, if there is one."""

    def wait_no_longer_than(self, seconds: float) -> None:
        """Set how long `begin` waits for other connections."""

    def changes_of_others(self) -> int:
        """Return a number that changes when another connection commits; compare it only on the same connection."""

    def tables(self) -> list[str]:
        """Return the names of all tables and views."""

    def columns(self, table: str) -> list[str]:
        """Return the names of a table's columns; none if there is no such table."""

    def damages(self) -> list[str]:
        """Return what is wrong with the database's own structures, in its own words."""


class FailureKind(Enum):
    """The failures that are not treated like all others."""

    LOCKED = auto()
    """Another process holds a lock; the transaction has not begun."""
    UNSYNCED = auto()
    """An fsync failed: what was written before may be on disk, in part, or not at all."""
    NO_DATABASE = auto()
    """The file holds something else."""
    OTHER = auto()


class Failure(NamedTuple):
    """What an error of the driver means."""

    reason: str
    """What went wrong and what to do, or else the database's own words; no statement and no values."""
    kind: FailureKind = FailureKind.OTHER


class Database(Protocol):
    """An open database: makes the store's connection, and watches over what a connection does not see."""

    errors: type[Exception]
    """The base of all errors that the driver raises."""
    types: Mapping[str, str]
    """How `migrations` writes the types whose names differ between databases."""

    def connect(self, busy_seconds: float = BUSY_SECONDS) -> Connection:
        """Open and return the connection, of which there is one at a time; it waits for others no longer than that."""

    def disconnect(self) -> None:
        """Close the connection, if there is one, and undo a transaction that is open."""

    def fault(self) -> str | None:
        """Return why nothing can be stored safely, if that is so. Called before and after each commit."""

    def must_pause(self) -> bool:
        """Return whether writers must wait a little before they begin. Called outside of transactions."""

    def keep_copy(self, version: int) -> Path:
        """Copy the store as it is before an upgrade from this version; return where the copy is.

        Raises:
            StoreError: if it cannot be made.
        """

    def explain(self, error: Exception) -> Failure:
        """Return what an error of the driver, or of the system, means."""
