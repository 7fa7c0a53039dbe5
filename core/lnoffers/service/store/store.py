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
from types import TracebackType
from typing import Final

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from lnoffers.service.errors import StoreError
from lnoffers.service.store import engine as sqlite
from lnoffers.service.store.migrations import STEPS, Identity, check, migrate, version_of

DATABASE_ERRORS: Final = (SQLAlchemyError, sqlite3.Error)


class Group:
    """Calls that share a transaction, which begins when the first of them needs it, anew when the first one writes."""

    def __init__(self) -> None:
        self.joined = 0
        """How often the transaction that writes has been used; it grows during a call that depends on its commit."""
        self.writing = False
        """Whether the transaction is one that writes."""
        self.failure: StoreError | None = None
        """Why nothing of this group will be committed."""

    def join(self, connection: Connection, *, writes: bool) -> bool:
        """See that there is a transaction, and one that writes if that is what it is for; whether it is such a one."""
        if writes and not self.writing:
            # What has only read so far may have seen an older state, and leaves nothing behind.
            sqlite.roll_back(connection)
            sqlite.begin(connection, writes=True)
            self.writing = True
        elif not sqlite.has_begun(connection):
            sqlite.begin(connection, writes=False)
        if self.writing:
            self.joined += 1
        return self.writing


class Transaction:
    """What `Store.transaction` gives, to be entered once."""

    # A call's way leads through it, and a class takes a third of the time of a generator.
    __slots__ = ("_connection", "_database", "_group", "_has_savepoint", "_writes")

    def __init__(self, database: _Database, group: Group | None, *, writes: bool) -> None:
        self._database = database
        self._group = group
        self._writes = writes
        self._has_savepoint = False

    def __enter__(self) -> Connection:
        group = self._group
        if group is not None and group.failure is not None and self._writes:
            raise group.failure
        try:
            self._connection = connection = self._database.connection()
            if group is None:
                sqlite.begin(connection, writes=self._writes)
            elif group.join(connection, writes=self._writes):
                sqlite.set_savepoint(connection)
                self._has_savepoint = True
        except DATABASE_ERRORS as error:
            raise self._database.failed(error, group) from error
        return connection

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        try:
            if self._has_savepoint:
                sqlite.end_savepoint(self._connection, undo=error is not None)
            elif self._group is None:
                end = sqlite.commit if error is None else sqlite.roll_back
                end(self._connection)
        except DATABASE_ERRORS as another:
            cause = error if isinstance(error, DATABASE_ERRORS) else another
            raise self._database.failed(cause, self._group) from cause
        if isinstance(error, DATABASE_ERRORS):
            raise self._database.failed(error, self._group) from error


class _Database:
    """The one connection, made when it is first needed, and anew after a failure."""

    def __init__(self, engine: Engine) -> None:
        self.connected = 0
        """How often."""
        self._engine = engine
        self._busy_seconds = sqlite.BUSY_SECONDS
        self._connection: Connection | None = None

    def wait_for_others(self, seconds: float) -> None:
        self._busy_seconds = seconds
        if self._connection is not None:
            sqlite.wait_no_longer_than(seconds, self._connection)

    def connection(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
            self.connected += 1
            sqlite.wait_no_longer_than(self._busy_seconds, self._connection)
        return self._connection

    def failed(self, error: Exception, group: Group | None) -> StoreError:
        """Give the connection up, and what it has not committed with it; the error that tells of it."""
        failure = StoreError(f"The store failed: {_reason(error)}")
        if group is not None:
            group.failure = failure
            group.writing = False
        self.disconnect()
        return failure

    def commit(self, group: Group) -> None:
        """Commit what the group has done, if it has done anything; its `failure` tells of a failure."""
        if self._connection is not None and sqlite.has_begun(self._connection):
            try:
                sqlite.commit(self._connection)
            except DATABASE_ERRORS as error:
                group.failure = self.failed(error, group)
        elif group.writing:
            group.failure = StoreError("The store failed: its transaction is gone")

    def disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()

    def close(self) -> None:
        self.disconnect()
        self._engine.dispose()


class Store:
    """An open store. One thread uses it at a time; processes may share the file."""

    def __init__(self, engine: Engine) -> None:
        self._database = _Database(engine)
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
                with engine.connect() as connection, sqlite.transaction(connection, exclusive=True):
                    migrate(connection, identity)
        return cls(engine)

    def wait_for_others(self, seconds: float) -> None:
        """Let transactions wait so long for other processes that write."""
        self._database.wait_for_others(seconds)

    def close(self) -> None:
        """Give the file back. What was not committed is lost."""
        self._database.close()

    def transaction(self, *, writes: bool = True) -> Transaction:
        """A connection for one call: all that it does there is kept, or, if the block raises, none of it.

        It is durable when the block is left, or within a `group`, when the group is.

        Raises:
            StoreError: if the database fails; what the group, if there is one, has written fails with it.
        """
        return Transaction(self._database, self._group, writes=writes)

    def version(self) -> tuple[int, int]:
        """Something that is another once another process has changed the store: a cheap look without a transaction.

        Raises:
            StoreError: if the database fails.
        """
        try:
            changes = sqlite.changes_of_others(self._database.connection())
        except DATABASE_ERRORS as error:
            raise self._database.failed(error, None) from error
        return self._database.connected, changes

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
            self._database.commit(group)
            if group.failure is not None:
                raise group.failure


def _existing_version(file: Path, identity: Identity | None) -> int:
    """The version of the store in a file, 0 if there is none; StoreError if it is something else or not `identity`'s.

    The file is opened for reading only: even turning the log on would change what may be somebody else's.
    """
    engine = sqlite.existing(file)
    if engine is None:
        return 0
    with engine.connect() as connection, sqlite.transaction(connection):
        return version_of(connection) if identity is None else check(connection, identity)


@contextmanager
def naming(file: Path) -> Iterator[None]:
    """Turn what goes wrong with a database in a file into an error that names it."""
    try:
        yield
    except (*DATABASE_ERRORS, OSError, StoreError) as error:
        raise StoreError(f"{file}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """What the database or the system said, without the statement and its values."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error.orig) if isinstance(error, DBAPIError) else str(error)
