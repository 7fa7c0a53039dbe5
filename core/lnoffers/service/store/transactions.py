"""Transactions of the store: one for a call that comes alone, one shared by all calls that come together.

No call is answered before its transaction is on disk, and that takes a millisecond or more. So a server runs calls in a
`Group`: each call is a savepoint, which it can undo alone, and one commit makes all of them durable. A call that only
reads neither waits for other processes that write nor keeps them waiting. If another process writes, a call of a group
that is to write raises `LockedError`, and may be run again later.

Failures come in three kinds. If a statement or the commit fails, nothing of the transaction is stored; the connection
is given up, and the next call has a new one. If the disk does not confirm a commit (fsync failed), nobody knows whether
it is stored: nothing is written from then on. If a file of the store was deleted or replaced, nothing is written until
it is back; what is readable can still be read.
"""

from __future__ import annotations

import sqlite3
from time import monotonic
from types import TracebackType
from typing import Final

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from lnoffers.service.errors import StoreError
from lnoffers.service.store import engine as sqlite
from lnoffers.service.store.files import StoreFiles

LOG_BYTES: Final = 1 << 24
"""How long the log may become before writers pause. SQLite itself starts it over from a quarter of that on."""
PAUSE_SECONDS: Final = 5.0
"""How long writers pause for readers of an old part of the log."""

DATABASE_ERRORS: Final = (SQLAlchemyError, sqlite3.Error)


class LockedError(Exception):
    """The call cannot write yet, because another process writes. It has done nothing: it may be run again later."""


class Group:
    """Calls that share a transaction. It starts when the first call needs it, and again when the first call writes."""

    def __init__(self) -> None:
        self.joined = 0
        """How often calls joined the transaction that writes: it grows during each call that depends on the commit."""
        self.writing = False
        """Whether the transaction is one that writes."""
        self.failure: str | None = None
        """Why nothing of this group is committed."""


class Transaction:
    """What `Store.transaction` returns, to be entered once."""

    # Every call runs through it, and a class takes a third of the time of a generator.
    __slots__ = ("_begins", "_connection", "_database", "_group", "_has_savepoint", "_writes")

    def __init__(self, database: Database, group: Group | None, *, writes: bool) -> None:
        self._database = database
        self._group = group
        self._writes = writes
        self._begins = False
        self._has_savepoint = False

    def __enter__(self) -> Connection:
        group = self._group
        if group is None:
            self._begins = True
            self._connection = self._database.begin(writes=self._writes)
        else:
            self._begins = self._writes and not group.writing  # then it is undone with the whole transaction
            self._connection = self._database.join(group, writes=self._writes)
            if group.writing and not self._begins:
                sqlite.set_savepoint(self._connection)
                self._has_savepoint = True
        return self._connection

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if isinstance(error, DATABASE_ERRORS):
            raise StoreError(self._database.failed(error, self._group)) from error
        try:
            if self._has_savepoint:
                sqlite.end_savepoint(self._connection, undo=error is not None)
            elif self._begins and error is not None:
                sqlite.roll_back(self._connection)
                if self._group is not None:
                    self._group.writing = False
        except DATABASE_ERRORS as another:
            raise StoreError(self._database.failed(another, self._group)) from another
        if self._group is None and error is None:
            self._database.commit(writes=self._writes)


class LogLimit:
    """Keeps the write-ahead log from growing without end while readers come and go.

    SQLite starts the log over when nobody reads from it. With readers that overlap, that never happens while something
    is written. So when the log has grown too long, writers pause: every reader that comes now reads the database file
    once the log's content has moved there, and when the last of the others has left, the log can be emptied. A reader
    that stays longer than the pause is not waited for; then the log may grow to twice its size before the next pause.
    """

    def __init__(self, files: StoreFiles) -> None:
        self._files = files
        self._bytes = LOG_BYTES
        self._paused_at: float | None = None

    def is_passed(self, connection: Connection) -> bool:
        """Return whether to pause: the log is too long and cannot be emptied now. Do not call it in a transaction."""
        size = self._files.log_bytes
        if size <= self._bytes:
            return False
        if sqlite.empty_log(connection):
            self._bytes, self._paused_at = LOG_BYTES, None
            return False
        now = monotonic()
        self._paused_at = self._paused_at or now
        if now < self._paused_at + PAUSE_SECONDS:
            return True
        self._bytes, self._paused_at = 2 * size, None
        return False


class Database:
    """The store's one connection, made when it is first needed, and again after a failure."""

    def __init__(self, engine: Engine, files: StoreFiles) -> None:
        self.connected = 0
        """How often."""
        self.unsynced = False
        """Whether the disk did not confirm a commit: then nothing is written any more."""
        self._engine = engine
        self._files = files
        self._log_limit = LogLimit(files)
        self._busy_seconds = sqlite.BUSY_SECONDS
        self._connection: Connection | None = None

    def wait_for_others(self, seconds: float) -> None:
        self._busy_seconds = seconds
        if self._connection is not None:
            sqlite.wait_no_longer_than(seconds, self._connection)

    def connection(self) -> Connection:
        """Return the connection; raises StoreError if a new one is needed and the store's file is not at its path."""
        if self._connection is None:
            if fault := self._files.fault():
                raise StoreError(fault)
            self._connection = self._engine.connect()
            self.connected += 1
            sqlite.wait_no_longer_than(self._busy_seconds, self._connection)
            sqlite.open_log(self._connection)
            self._files.note_log()
        return self._connection

    def begin(self, *, writes: bool) -> Connection:
        """Begin a transaction. Raises StoreError."""
        if writes and (fault := self._fault()):
            raise StoreError(fault)
        try:
            connection = self.connection()
            sqlite.begin(connection, writes=writes)
        except DATABASE_ERRORS as error:
            raise StoreError(self.failed(error, None)) from error
        return connection

    def join(self, group: Group, *, writes: bool) -> Connection:
        """See that the group has a transaction, and one that writes if that is what it is for.

        Raises:
            LockedError: if it cannot write yet.
            StoreError: if the database fails.
        """
        starts_writing = writes and not group.writing
        if starts_writing:
            group.failure = group.failure or self._fault()
        if writes and group.failure is not None:
            raise StoreError(group.failure)
        try:
            connection = self.connection()
            if starts_writing:
                if sqlite.has_begun(connection):
                    sqlite.roll_back(connection)  # what has only read may have seen an older state
                if self._log_limit.is_passed(connection):
                    raise LockedError
                sqlite.begin(connection, writes=True)
                group.writing = True
            elif not sqlite.has_begun(connection):
                sqlite.begin(connection, writes=False)
        except DATABASE_ERRORS as error:
            if starts_writing and sqlite.is_locked(error):
                raise LockedError from error
            raise StoreError(self.failed(error, group)) from error
        if group.writing:
            group.joined += 1
        return connection

    def commit(self, *, writes: bool) -> None:
        """Commit, and see that it is stored where the next process looks for it. Raises StoreError."""
        connection = self._connection
        if connection is not None and sqlite.has_begun(connection):
            try:
                sqlite.commit(connection)
            except DATABASE_ERRORS as error:
                raise StoreError(self.failed(error, None)) from error
        elif writes:
            raise StoreError("The store failed: its transaction is gone")
        if writes and (fault := self._files.fault()):
            raise StoreError(fault)

    def end(self, group: Group) -> None:
        """Commit what the group has done, if it can be. Raises StoreError if nothing of it is stored."""
        if group.failure is None:
            self.commit(writes=group.writing)
            return
        if self._connection is not None:
            try:
                sqlite.roll_back(self._connection)  # what it has read; files that are gone can still be read
            except DATABASE_ERRORS:
                self.disconnect()
        raise StoreError(group.failure)

    def failed(self, error: Exception, group: Group | None) -> str:
        """Give up the connection, and what it has not committed with it; return what to say about that."""
        failure = f"The store failed: {sqlite.reason(error)}"
        if sqlite.is_unsynced(error):
            self.unsynced = True
            failure += ". The disk did not confirm a write, so it is unknown whether this call is stored"
        if group is not None:
            group.failure = failure
            group.writing = False
        self.disconnect()
        return failure

    def disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._files.forget_log()
            connection.invalidate()
            connection.close()

    def close(self) -> None:
        self.disconnect()
        self._engine.dispose()

    def _fault(self) -> str | None:
        """Return why nothing can be written, if that is so."""
        if self.unsynced:
            return "The store failed: the disk did not confirm an earlier write, so nothing more is stored"
        return self._files.fault()
