"""Transactions of the store: one for a single call, or one shared by a group of calls.

No call is answered before its transaction is on disk, and that takes a millisecond or more. So a server runs calls in a
`Group`. The first call that writes begins the transaction. Each later call runs in a savepoint, so that it can be
undone without the others, and one commit makes all of them durable. A call that only reads neither waits for other
processes that write nor delays them. If another process is writing, a call of a group that has to write raises
`LockedError`; it can be retried.

Failures come in three kinds. If a statement or the commit fails, nothing of the transaction is stored; the connection
is dropped, and the next call opens a new one. If the disk does not confirm a commit (fsync failed), nobody knows
whether it is stored, and nothing more is written. If a file of the store was deleted or replaced, nothing is written
until it is back; reading continues as far as possible.
"""

from __future__ import annotations

from types import TracebackType
from typing import Final

from lnoffers.service.errors import ServiceError, StoreError
from lnoffers.service.store.database import BUSY_SECONDS, Connection, Database, FailureKind

_GONE: Final = "The store failed: its transaction is gone"


class LockedError(ServiceError):
    """The call cannot write yet, because another process is writing. It has changed nothing and can be retried."""


class Group:
    """Calls that share a transaction, committed at the end of the block (see `Session.group`).

    The first call begins the transaction. While all calls only read, it takes no lock; the first call that writes
    replaces it by one that does.
    """

    __slots__ = ("_session", "failure", "joined", "writing")

    def __init__(self, session: Session) -> None:
        self._session = session
        self.joined = 0
        """The number of calls in the transaction that writes. A call during which it grows depends on the commit."""
        self.writing = False
        """Whether the transaction can write: it holds the write lock."""
        self.failure: str | None = None
        """Why the group cannot be committed; None if it can."""

    def __enter__(self) -> Group:
        self._session.current = self
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._session.current = None
        self._session.end(self)


class Transaction:
    """The transaction of one call, or its savepoint in a group (see `Session.transaction`); used once."""

    # A class, because every call enters one, and a context manager made of a generator takes three times as long.
    __slots__ = ("_connection", "_group", "_is_savepoint", "_session", "_writes")

    def __init__(self, session: Session, *, writes: bool) -> None:
        self._session = session
        self._group = session.current
        self._writes = writes

    def __enter__(self) -> Connection:
        group = self._group
        self._is_savepoint = group is not None and group.writing
        self._connection = connection = self._session.begin(group, writes=self._writes)
        return connection

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        session, group = self._session, self._group
        if isinstance(error, session.errors):
            raise StoreError(session.failed(error, group)) from error
        try:
            if self._is_savepoint:
                if error is not None:
                    self._connection.execute("ROLLBACK TO SAVEPOINT one_call")
                self._connection.execute("RELEASE SAVEPOINT one_call")
            elif error is not None and (self._writes or group is None):
                self._connection.rollback()
                if group is not None:
                    group.writing = False
        except session.errors as another:
            raise StoreError(session.failed(another, group)) from another
        if group is None and error is None:
            session.commit(writes=self._writes)


class Session:
    """The store's only connection, and its transactions. It is opened when needed, and again after a failure."""

    def __init__(self, database: Database) -> None:
        self.current: Group | None = None
        self.errors = database.errors
        self.unsynced = False
        """Whether the disk did not confirm a commit: nobody knows what is stored, and nothing more is written."""
        self._database = database
        self._connection: Connection | None = None
        self._connected = 0
        self._busy_seconds = BUSY_SECONDS

    def transaction(self, *, writes: bool = True) -> Transaction:
        """Return the transaction of one call, for a `with` block; if the block raises, everything in it is undone.

        The transaction is durable at the end of the block, or in a `group`, at the end of the group.

        Raises:
            StoreError: if the database fails; then nothing that the group has written is stored.
        """
        return Transaction(self, writes=writes)

    def group(self) -> Group:
        """Return a group, for a `with` block: all transactions in it become one, committed at its end.

        It is committed even if the block raises: a failed call has already undone its own changes. A transaction that
        has to write while another process is writing raises LockedError.

        Raises:
            StoreError: if nothing was committed.
        """
        return Group(self)

    def begins_to_write(self) -> bool:
        """Take the write lock for the current group; return False if another process holds it.

        Raises:
            StoreError: if the database fails.
        """
        assert self.current is not None
        try:
            self.begin(self.current, writes=True)
        except LockedError:
            return False
        return True

    def version(self) -> tuple[int, int]:
        """Return a value that changes when another process has changed the store; this needs no transaction.

        Raises:
            StoreError: if the database fails.
        """
        try:
            changes = self._connect().changes_of_others()
        except self.errors as error:
            raise StoreError(self.failed(error, self.current)) from error
        return self._connected, changes

    def wait_for_others(self, seconds: float) -> None:
        """Set how long transactions wait until another process has finished writing."""
        self._busy_seconds = seconds
        if self._connection is not None:
            self._connection.wait_no_longer_than(seconds)

    def close(self) -> None:
        """Close the connection. Uncommitted changes are lost."""
        self._connection = None
        self._database.disconnect()

    def begin(self, group: Group | None, *, writes: bool) -> Connection:
        """Begin a transaction, or join that of the group.

        Raises:
            LockedError: if the group cannot write yet.
            StoreError: if the database fails.
        """
        starts_writing = writes and (group is None or not group.writing)
        if starts_writing and (fault := (group and group.failure) or self._fault()):
            if group is not None:
                group.failure = fault
            raise StoreError(fault)
        try:
            connection = self._connection or self._connect()
            if group is None:
                connection.begin(writes=writes)
            elif group.writing:
                if not connection.in_transaction:
                    group.failure = _GONE
                    raise StoreError(_GONE)  # a savepoint would begin a transaction that nobody commits or undoes
                connection.execute("SAVEPOINT one_call")
                group.joined += 1
            elif writes:
                if connection.in_transaction:
                    connection.rollback()  # its reads may have seen an older state
                if self._database.must_pause():
                    raise LockedError
                connection.begin(writes=True)
                group.writing = True
                group.joined += 1
            elif not connection.in_transaction:
                connection.begin(writes=False)
        except self.errors as error:
            is_locked = self._database.explain(error).kind is FailureKind.LOCKED
            if is_locked and starts_writing and group is not None:
                raise LockedError from error
            raise StoreError(self.failed(error, group)) from error
        return connection

    def commit(self, *, writes: bool) -> None:
        """Commit, and check that the store's files are still in place.

        Raises:
            StoreError: if nothing is stored, or only in a file that the next process will not open.
        """
        connection = self._connection
        if connection is not None and connection.in_transaction:
            try:
                connection.commit()
            except self.errors as error:
                raise StoreError(self.failed(error, None)) from error
        elif writes:
            raise StoreError(_GONE)
        if writes and (fault := self._database.fault()):
            raise StoreError(fault)

    def end(self, group: Group) -> None:
        """Commit the group.

        Raises:
            StoreError: if it failed; then nothing of the group is stored.
        """
        if group.failure is None:
            self.commit(writes=group.writing)
            return
        if self._connection is not None:
            try:
                self._connection.rollback()  # keeps the connection: deleted files can still be read through it
            except self.errors:
                self.close()
        raise StoreError(group.failure)

    def failed(self, error: Exception, group: Group | None) -> str:
        """Drop the connection with all uncommitted changes; return the text of the error for the caller."""
        reason, kind = self._database.explain(error)
        failure = f"The store failed: {reason}"
        if kind is FailureKind.UNSYNCED:
            self.unsynced = True
            failure += ". The disk did not confirm a write, so it is unknown whether this call is stored"
        if group is not None:
            group.failure = failure
            group.writing = False
        self.close()
        return failure

    def _connect(self) -> Connection:
        """Return the connection; open one if there is none.

        Raises:
            StoreError: if the store's file is not at its path.
        """
        if self._connection is None:
            if fault := self._database.fault():
                raise StoreError(fault)
            self._connection = self._database.connect(self._busy_seconds)
            self._connected += 1
        return self._connection

    def _fault(self) -> str | None:
        """Return why nothing can be written; None if writing is possible."""
        if self.unsynced:
            return "The store failed: the disk did not confirm an earlier write, so nothing more is stored"
        return self._database.fault()
