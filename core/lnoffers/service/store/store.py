"""Transactions: one of its own for a call that comes alone, one shared by all calls that come together.

Nothing is answered before its transaction is on disk, and that takes a millisecond or more. So a server runs the calls
that are ready in one `group`: each is a savepoint, which it alone can undo, and one commit makes all of them durable.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from lnoffers.service.errors import StoreError
from lnoffers.service.store.engine import exclusive, open_engine, store_url
from lnoffers.service.store.migrations import Identity, migrate


class Group:
    """Calls that share a transaction, which begins when the first of them needs it."""

    def __init__(self) -> None:
        self.joined = 0
        """How often the transaction has been used; it grows during a call that depends on its commit."""
        self.failure: StoreError | None = None
        """Why nothing of this group will be committed."""


class Store:
    """An open store. One thread uses it at a time; processes may share the file."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None
        self._group: Group | None = None

    @classmethod
    def open(cls, db: str | None, default: Path, identity: Identity) -> Store:
        """Open the store that the URL `db` names, or the file `default`; make and migrate it as needed.

        Raises:
            OptionsError: if `db` is not usable.
            StoreError: if it cannot be opened, or is another node's, another program's or a newer release's.
        """
        url = store_url(db, default)
        try:
            engine = open_engine(url)
            with exclusive(engine.connect()) as connection, connection.begin():
                migrate(connection, identity)
        except (SQLAlchemyError, OSError, StoreError) as error:
            raise StoreError(f"{url.database}: {_reason(error)}") from error
        return cls(engine)

    def close(self) -> None:
        """Give the file back. What was not committed is lost."""
        self._disconnect()
        self._engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A connection for one call: all that it does there is kept, or, if the block raises, none of it.

        It is durable when the block is left, or within a `group`, when the group is.

        Raises:
            StoreError: if the database fails; the group, if there is one, fails with it.
        """
        group = self._group
        if group is None:
            with self._failing(None) as connection, connection.begin():
                yield connection
            return
        if group.failure is not None:
            raise group.failure
        group.joined += 1
        with self._failing(group) as connection:
            if not connection.in_transaction():
                connection.begin()
            with _savepoint(connection):
                yield connection

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
            if group.failure is not None:
                raise group.failure
            if group.joined:
                with self._failing(group) as connection:
                    connection.commit()

    @contextmanager
    def _failing(self, group: Group | None) -> Iterator[Connection]:
        """The connection; after a failure of the database it is given up, and what it had not committed with it."""
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
            yield self._connection
        except SQLAlchemyError as error:
            failure = StoreError(f"The store failed: {_reason(error)}")
            if group is not None:
                group.failure = failure
            self._disconnect()
            raise failure from error

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()
            connection.close()


@contextmanager
def _savepoint(connection: Connection) -> Iterator[None]:
    """Undo what the block did if it raises. SQLAlchemy's `begin_nested` would take as long as the rest of the call."""
    connection.exec_driver_sql("SAVEPOINT one_call")
    try:
        yield
    except BaseException:
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT one_call")
        raise
    finally:
        connection.exec_driver_sql("RELEASE SAVEPOINT one_call")


def _reason(error: Exception) -> str:
    """What the database or the system said, without the statement and its values."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error.orig) if isinstance(error, DBAPIError) else str(error)
