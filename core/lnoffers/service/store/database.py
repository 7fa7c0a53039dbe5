"""The interface between the store and a database. `sqlite` implements it, as a module for another database would.

SQL text is passed to the driver unchanged. Values are written as `?`, which another driver's module would replace by
its own placeholder, so statements contain `?` for no other purpose. They use only the SQL that SQLite and PostgreSQL
share; everything else is a method here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

BUSY_SECONDS: Final = 10.0
"""How long to wait for another process's transaction."""


class Connection(Protocol):
    """A connection. Transactions begin only with `begin`, and end only with `commit` and `rollback`."""

    logged: set[str]
    """The damaged rows that the log has named (see `rows`)."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""

    def execute(self, statement: str, values: Sequence[Any] = ..., /) -> Any:
        """Run a statement and return the driver's cursor, which decides the types of the values in its rows."""

    def begin(self, *, writes: bool) -> None:
        """Begin a transaction. If it `writes`, wait until no other transaction does, and block the next."""

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
        """Return the database's own messages about damage to its structures."""


class FailureKind(Enum):
    """The kinds of failures that are handled differently."""

    LOCKED = auto()
    """Another process holds a lock; the transaction has not begun."""
    UNSYNCED = auto()
    """An fsync failed: what was written before may be on disk, in part, or not at all."""
    NO_DATABASE = auto()
    """The file is not a database."""
    OTHER = auto()


class Failure(NamedTuple):
    """What an error of the driver means."""

    reason: str
    """What went wrong and what to do, or else the database's own words; no statement and no values."""
    kind: FailureKind = FailureKind.OTHER


class Database(Protocol):
    """An open database: creates the store's connection, and checks what a connection cannot see."""

    errors: type[Exception]
    """The base of all errors that the driver raises."""
    types: Mapping[str, str]
    """How `migrations` writes the types whose names differ between databases."""

    def connect(self, busy_seconds: float = BUSY_SECONDS) -> Connection:
        """Open and return the only connection; it waits at most `busy_seconds` for other processes."""

    def disconnect(self) -> None:
        """Close the connection, if there is one, and undo a transaction that is open."""

    def fault(self) -> str | None:
        """Return why nothing can be stored safely, or None. Called before and after each commit."""

    def must_pause(self) -> bool:
        """Return whether writers must wait before they begin. Called outside of transactions."""

    def keep_copy(self, version: int) -> Path:
        """Copy the store before an upgrade from this version; return the path of the copy.

        Raises:
            StoreError: if it cannot be made.
        """

    def explain(self, error: Exception) -> Failure:
        """Return what an error of the driver, or of the system, means."""
