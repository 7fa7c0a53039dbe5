"""The store: opened once, then used through transactions (see `transactions`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine

from lnoffers.service.errors import HOW_TO_MAKE, StoreError
from lnoffers.service.store import engine as sqlite
from lnoffers.service.store.files import StoreFiles
from lnoffers.service.store.migrations import STEPS, Identity, check, migrate, version_of
from lnoffers.service.store.transactions import DATABASE_ERRORS, Database, Group, LockedError, Transaction

NO_STORE: Final = f"there is no store here. {HOW_TO_MAKE}"


class Store:
    """An open store. One thread uses it at a time; processes may share the file."""

    def __init__(self, engine: Engine, files: StoreFiles) -> None:
        self._database = Database(engine, files)
        self._group: Group | None = None

    @staticmethod
    def is_new(db: str | None, default: Path) -> bool:
        """Return whether the file that the URL `db` names, or `default`, has no store in it yet. Changes nothing.

        Raises:
            OptionsError: if `db` is not usable.
            StoreError: if no store can be there, or something else is.
        """
        file = sqlite.store_file(db, default)
        with naming(file):
            return _existing_version(file, None) == 0

    @classmethod
    def open(cls, db: str | None, default: Path, identity: Identity) -> Store:
        """Open the store that the URL `db` names, or the file `default`; make it as needed.

        An older one is copied and brought up to date. What is refused stays as it is, to the byte.

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
                    migrate(connection, identity, file)
            return cls(engine, StoreFiles(file))

    @property
    def unsynced(self) -> bool:
        """Whether the disk did not confirm a commit: nobody knows what is stored, and nothing more will be."""
        return self._database.unsynced

    def wait_for_others(self, seconds: float) -> None:
        """Let transactions wait so long for other processes that write."""
        self._database.wait_for_others(seconds)

    def close(self) -> None:
        """Give the file back. What was not committed is lost."""
        self._database.close()

    def transaction(self, *, writes: bool = True) -> Transaction:
        """Give one call a connection: all that it does there is kept, or, if the block raises, none of it.

        It is durable when the block is left, or within a `group`, when the group is.

        Raises:
            StoreError: if the database fails; what the group, if there is one, has written fails with it.
        """
        return Transaction(self._database, self._group, writes=writes)

    def version(self) -> tuple[int, int]:
        """Return something that changes once another process has changed the store: a cheap look without a transaction.

        Raises:
            StoreError: if the database fails.
        """
        try:
            changes = sqlite.changes_of_others(self._database.connection())
        except DATABASE_ERRORS as error:
            raise StoreError(self._database.failed(error, None)) from error
        return self._database.connected, changes

    @contextmanager
    def group(self) -> Iterator[Group]:
        """Let all transactions in the block be one, committed when it is left, however it is left.

        A call that raised has undone its own part by then, and only that. A transaction that is to write while another
        process does raises LockedError.

        Raises:
            StoreError: if nothing was committed.
        """
        self._group = group = Group()
        try:
            yield group
        finally:
            self._group = None
            self._database.end(group)

    def begins_to_write(self) -> bool:
        """Have the group begin to write now, if nobody else does; whether it has.

        Raises:
            StoreError: if the database fails.
        """
        assert self._group is not None
        try:
            self._database.join(self._group, writes=True)
        except LockedError:
            return False
        return True


def _existing_version(file: Path, identity: Identity | None) -> int:
    """Return the version of the store in a file, 0 if none; StoreError if it is something else or not `identity`'s.

    The file is opened for reading only: even turning the log on would change what may be somebody else's.
    """
    engine = sqlite.existing(file)
    if engine is None:
        return 0
    with engine.connect() as connection, sqlite.transaction(connection):
        return version_of(connection) if identity is None else check(connection, identity)


@contextmanager
def read_only(file: Path) -> Iterator[Connection]:
    """Run a transaction that can only read, of a database that exists.

    Raises:
        StoreError: if there is none.
    """
    engine = sqlite.existing(file) if file.parent.is_dir() else None
    if engine is None:
        raise StoreError(NO_STORE)
    with engine.connect() as connection, sqlite.transaction(connection):
        yield connection


@contextmanager
def naming(file: Path) -> Iterator[None]:
    """Turn what goes wrong with a database in a file into an error that names it."""
    try:
        yield
    except (*DATABASE_ERRORS, OSError, StoreError) as error:
        raise StoreError(f"{file}: {sqlite.reason(error)}") from error
