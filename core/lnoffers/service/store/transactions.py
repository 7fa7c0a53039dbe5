"""Transactions of the store: one for a call that comes alone, one shared by all calls that come together.

No call is answered before its transaction is on disk, and that takes a millisecond or more. So a server runs calls in a
`Group`. The first call that writes begins the transaction. Each later call is a savepoint, which it can undo alone, and
one commit makes all of them durable. A call that only reads neither waits for other processes that write nor keeps them
waiting. While another process writes, a call of a group that is to write raises `LockedError`, and may be run again
later.

Failures come in three kinds. If a statement or the commit fails, nothing of the transaction is stored; the connection
is given up, and the next call has a new one. If the disk does not confirm a commit (fsync failed), nobody knows whether
it is stored: nothing is written from then on. If a file of the store was deleted or replaced, nothing is written until
it is back; what is readable can still be read.
"""

from __future__ import annotations

from types import TracebackType

from lnoffers.service.errors import ServiceError, StoreError
from lnoffers.service.store.database import BUSY_SECONDS, Connection, Database, FailureKind


class LockedError(ServiceError):
    """The call cannot write yet, because another process writes. It has done nothing: it may be run again later."""


class Group:
    """Calls that share a transaction, committed when the block is left (see `Session.group`).

    The transaction starts when the first call needs it, and again when the first call writes.
    """

    __slots__ = ("_session", "failure", "joined", "writing")

    def __init__(self, session: Session) -> None:
        self._session = session
        self.joined = 0
        """How often calls joined the transaction that writes: it grows during each call that depends on the commit."""
        self.writing = False
        """Whether the transaction is one that writes."""
        self.failure: str | None = None
        """Why nothing of this group is committed."""

    def __enter__(self) -> Group:
        self._session.current = self
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        self._session.current = None
        self._session.end(self)


class Transaction:
    """What one call does (see `Session.transaction`); entered once."""

    # Every call runs through it, and a class takes a third of the time of a generator.
    __slots__ = ("_connection", "_group", "_is_part", "_session", "_writes")

    def __init__(self, session: Session, *, writes: bool) -> None:
        self._session = session
        self._group = session.current
        self._writes = writes

    def __enter__(self) -> Connection:
        group = self._group
        self._is_part = group is not None and group.writing  # of what others have begun: a savepoint
        self._connection = connection = self._session.begin(group, writes=self._writes)
        return connection

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        session, group = self._session, self._group
        if isinstance(error, session.errors):
            raise StoreError(session.failed(error, group)) from error
        try:
            if self._is_part:
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
    """The store's one connection, made when it is first needed, and again after a failure, and its transactions."""

    def __init__(self, database: Database) -> None:
        self.current: Group | None = None
        self.errors = database.errors
        self.unsynced = False
        """Whether the disk did not confirm a commit: nobody knows what is stored, and nothing more will be."""
        self._database = database
        self._connection: Connection | None = None
        self._connected = 0
        self._busy_seconds = BUSY_SECONDS

    def transaction(self, *, writes: bool = True) -> Transaction:
        """Give one call a connection: all that it does there is kept, or, if the block raises, none of it.

        It is durable when the block is left, or within a `group`, when the group is.

        Raises:
            StoreError: if the database fails; what the group, if there is one, has written fails with it.
        """
        return Transaction(self, writes=writes)

    def group(self) -> Group:
        """Let all transactions in the block be one, committed when it is left, however it is left.

        A call that raised has undone its own part by then, and only that. A transaction that is to write while another
        process does raises LockedError.

        Raises:
            StoreError: if nothing was committed.
        """
        return Group(self)

    def begins_to_write(self) -> bool:
        """Begin to write in the current group, if no other process writes; return whether it has begun.

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
        """Return something that changes once another process has changed the store, without a transaction.

        Raises:
            StoreError: if the database fails.
        """
        try:
            changes = self._connect().changes_of_others()
        except self.errors as error:
            raise StoreError(self.failed(error, None)) from error
        return self._connected, changes

    def wait_for_others(self, seconds: float) -> None:
        """Let transactions wait so long for other processes that write."""
        self._busy_seconds = seconds
        if self._connection is not None:
            self._connection.wait_no_longer_than(seconds)

    def close(self) -> None:
        """Close the connection. What was not committed is lost."""
        self._connection = None
        self._database.disconnect()

    def begin(self, group: Group | None, *, writes: bool) -> Connection:
        """Begin a transaction, or a part of the group's.

        Raises:
            LockedError: if the group cannot write yet.
            StoreError: if the database fails.
        """
        starts_writing = writes and (group is None or not group.writing)
        if starts_writing and (why_not := (group and group.failure) or self._fault()):
            if group is not None:
                group.failure = why_not
            raise StoreError(why_not)
        try:
            connection = self._connection or self._connect()
            if group is None:
                connection.begin(writes=writes)
            elif group.writing:
                connection.execute("SAVEPOINT one_call")
                group.joined += 1
            elif writes:
                if connection.in_transaction:
                    connection.rollback()  # what has only read may have seen an older state
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
        """Commit, and see that it is stored where the next process looks for it. Raises StoreError."""
        connection = self._connection
        if connection is not None and connection.in_transaction:
            try:
                connection.commit()
            except self.errors as error:
                raise StoreError(self.failed(error, None)) from error
        elif writes:
            raise StoreError("The store failed: its transaction is gone")
        if writes and (fault := self._database.fault()):
            raise StoreError(fault)

    def end(self, group: Group) -> None:
        """Commit what the group has done, if it can be. Raises StoreError if nothing of it is stored."""
        if group.failure is None:
            self.commit(writes=group.writing)
            return
        if self._connection is not None:
            try:
                self._connection.rollback()  # what it has read; files that are gone can still be read
            except self.errors:
                self.close()
        raise StoreError(group.failure)

    def failed(self, error: Exception, group: Group | None) -> str:
        """Give up the connection, and what it has not committed with it; return what to say about that."""
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
        """Return the connection; raises StoreError if a new one is needed and the store's file is not at its path."""
        if self._connection is None:
            if fault := self._database.fault():
                raise StoreError(fault)
            self._connection = self._database.connect(self._busy_seconds)
            self._connected += 1
        return self._connection

    def _fault(self) -> str | None:
        """Return why nothing can be written, if that is so."""
        if self.unsynced:
            return "The store failed: the disk did not confirm an earlier write, so nothing more is stored"
        return self._database.fault()
