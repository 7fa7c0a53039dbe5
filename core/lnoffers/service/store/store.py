"""Transactions: one of its own for a call that comes alone, one shared by all calls that come together.

Nothing is answered before its transaction is on disk, and that takes a millisecond or more. So a server runs the calls
that are ready in one `group`: each is a savepoint, which it alone can undo, and one commit makes all of them durable.
Calls that only read neither wait for other processes that write nor keep them waiting.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from lnoffers.service.errors import StoreError
from lnoffers.service.store import engine as sqlite
from lnoffers.service.store.migrations import STEPS, Identity, check, migrate, version_of


class Group:
    """Calls that share a transaction, which begins when the first of them needs it, anew when the first one writes."""

    def __init__(self) -> None:
        self.joined = 0
        """How often the transaction that writes has been used; it grows during a call that depends on its commit."""
        self.writing = False
        """Whether the transaction is one that writes."""
        self.failure: StoreError | None = None
        """Why nothing of this group will be committed."""


class Store:
    """An open store. One thread uses it at a time; processes may share the file.

    `busy_seconds` is how long a transaction waits for another process that writes.
    """

    def __init__(self, engine: Engine) -> None:
        self.busy_seconds = sqlite.BUSY_SECONDS
        self._engine = engine
        self._connection: Connection | None = None
        self._connected = 0
        self._group: Group | None = None

    @staticmethod
    def is_new(db: str | None, default: Path) -> bool:
        """Whether the file that the URL `db` names, or `default`, has no store in it yet. Changes nothing.

        Raises:
            OptionsError: if `db` is not usable.
            StoreError: if no store can be there, or something else is.
        """
        file = sqlite.store_file(db, default)
        with naming(file):
            return _existing_version(file, None) == 0

    @classmethod
    def open(cls, db: str | None, default: Path, identity: Identity) -> Store:
        """Open the store that the URL `db` names, or the file `default`; make and migrate it as needed.

        What is refused stays as it is, to the byte.

        Raises:
            OptionsError: if `db` is not usable.
            StoreError: if it cannot be opened, or is another node's, another program's or a newer release's.
        """
        file = sqlite.store_file(db, default)
        with naming(file):
            version = _existing_version(file, identity)
            engine = sqlite.open_engine(file)
            if version < len(STEPS):
                with engine.connect() as connection, sqlite.begin_exclusive(connection):
                    migrate(connection, identity)
        return cls(engine)

    def close(self) -> None:
        """Give the file back. What was not committed is lost."""
        self._disconnect()
        self._engine.dispose()

    @contextmanager
    def transaction(self, *, writes: bool = True) -> Iterator[Connection]:
        """A connection for one call: all that it does there is kept, or, if the block raises, none of it.

        It is durable when the block is left, or within a `group`, when the group is.

        Raises:
            StoreError: if the database fails; what the group, if there is one, has written fails with it.
        """
        group = self._group
        if group is None:
            with self._failing(None) as connection, sqlite.begin(connection, writes=writes):
                yield connection
            return
        if writes and group.failure is not None:
            raise group.failure
        with self._failing(group) as connection:
            self._begin(group, connection, writes=writes)
            if not group.writing:
                yield connection
                return
            group.joined += 1
            with sqlite.savepoint(connection):
                yield connection

    def version(self) -> tuple[int, int]:
        """Something that is another once another process has changed the store: a cheap look without a transaction.

        Raises:
            StoreError: if the database fails.
        """
        with self._failing(None) as connection:
            return self._connected, sqlite.changes_of_others(connection)

    @contextmanager
    def group(self) -> Iterator[Group]:
        """Let all transactions in the block be one, committed when it is left, however it is left.

        A call that raised has undone its own part by then, and only that.

        Raises:
            StoreError: if nothing was committed.
        """
        self._group = group = Group()
        try:
            yield group
        finally:
            self._group = None
            if self._connection is not None and self._connection.in_transaction():
                with self._failing(group) as connection:
                    connection.commit()
            if group.failure is not None:
                raise group.failure

    @staticmethod
    def _begin(group: Group, connection: Connection, *, writes: bool) -> None:
        """See that the group has a transaction, and one that writes if that is what it is for."""
        if writes and not group.writing:
            connection.rollback()  # what has only read so far may have seen an older state, and leaves nothing behind
            sqlite.begin(connection, writes=True)
            group.writing = True
        elif not connection.in_transaction():
            sqlite.begin(connection, writes=False)

    @contextmanager
    def _failing(self, group: Group | None) -> Iterator[Connection]:
        """The connection; after a failure of the database it is given up, and what it had not committed with it."""
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
                self._connected += 1
                sqlite.wait_no_longer_than(self.busy_seconds, self._connection)
            yield self._connection
        except (SQLAlchemyError, sqlite3.Error) as error:
            failure = StoreError(f"The store failed: {_reason(error)}")
            if group is not None:
                group.failure = failure
                group.writing = False
            self._disconnect()
            raise failure from error

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()


def _existing_version(file: Path, identity: Identity | None) -> int:
    """The version of the store in a file, 0 if there is none; StoreError if it is something else or not `identity`'s.

    The file is opened for reading only: even turning the log on would change what may be somebody else's.
    """
    engine = sqlite.existing(file)
    if engine is None:
        return 0
    with engine.connect() as connection, sqlite.begin(connection, writes=False):
        return version_of(connection) if identity is None else check(connection, identity)


@contextmanager
def naming(file: Path) -> Iterator[None]:
    """Turn what goes wrong with a database in a file into an error that names it."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error, OSError, StoreError) as error:
        raise StoreError(f"{file}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """What the database or the system said, without the statement and its values."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error.orig) if isinstance(error, DBAPIError) else str(error)
