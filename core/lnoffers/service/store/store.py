"""Opening a store, to use it or only to look at it, and copying it. `transactions` says how it is used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from lnoffers.service.errors import HOW_TO_MAKE, StoreError
from lnoffers.service.files import whole_file
from lnoffers.service.store.database import Connection
from lnoffers.service.store.migrations import STEPS, Identity, check, migrate, version_of
from lnoffers.service.store.sqlite import SqliteDatabase, copy, explain, open_existing, store_file
from lnoffers.service.store.transactions import Session

NO_STORE: Final = f"there is no store here. {HOW_TO_MAKE}"


class Store(Session):
    """An open store. One thread uses it at a time; processes may share the file."""

    @staticmethod
    def is_new(db: str | None, default: Path) -> bool:
        """Return whether the file that the URL `db` names, or `default`, has no store in it yet. Changes nothing.

        Raises:
            OptionsError: if `db` is not usable.
            StoreError: if no store can be there, or something else is.
        """
        file = store_file(db, default)
        with naming(file), _looking(file) as connection:
            return connection is None or version_of(connection) == 0

    @classmethod
    def open(cls, db: str | None, default: Path, identity: Identity) -> Store:
        """Open the store that the URL `db` names, or the file `default`; make it as needed.

        An older one is copied and brought up to date. What is refused stays as it is, to the byte.

        Raises:
            OptionsError: if `db` is not usable.
            StoreError: if it cannot be opened, or is another node's, another program's or a newer release's.
        """
        file = store_file(db, default)
        with naming(file):
            # For reading only: even turning the log on would change what may be somebody else's.
            with _looking(file) as connection:
                version = 0 if connection is None else check(connection, identity)
            database = SqliteDatabase(file)
            if version < len(STEPS):
                try:
                    connection = database.connect()
                    connection.begin(writes=True)
                    migrate(connection, identity, database)
                    connection.commit()
                finally:
                    database.disconnect()
            return cls(database)


@contextmanager
def _looking(file: Path) -> Iterator[Connection | None]:
    """Run a transaction that can only read; None if there is no database."""
    connection = open_existing(file)
    if connection is None:
        yield None
        return
    with closing(connection):
        connection.begin(writes=False)
        yield connection


@contextmanager
def read_only(file: Path) -> Iterator[Connection]:
    """Run a transaction that can only read, of a database that exists.

    Raises:
        StoreError: if there is none.
    """
    if not file.parent.is_dir():
        raise StoreError(NO_STORE)
    with _looking(file) as connection:
        if connection is None:
            raise StoreError(NO_STORE)
        yield connection


@contextmanager
def naming(file: Path) -> Iterator[None]:
    """Turn what goes wrong with a database in a file into an error that names it."""
    try:
        yield
    except (SqliteDatabase.errors, OSError, StoreError) as error:
        raise StoreError(f"{file}: {explain(error).reason}") from error


def back_up(db: str | None, default: Path, target: Path) -> None:
    """Copy the store that the URL `db` names, or the file `default`, as it is at this moment, to a new file.

    A server may use the store meanwhile: it is not changed, and nobody waits.

    Raises:
        OptionsError: if `db` is not usable.
        StoreError: if there is no store, or the copy cannot be made; then there is no file.
    """
    file = store_file(db, default)
    with naming(file), read_only(file) as connection:
        if version_of(connection) == 0:
            raise StoreError(NO_STORE)
    try:
        with whole_file(target) as made, naming(target):
            copy(file, made)
            with read_only(made) as connection:
                if found := connection.damages():
                    raise StoreError(f"the copy is damaged, as the store may be ({found[0]}): see lnoffers check-store")
    except FileExistsError as error:
        raise StoreError(f"{target} exists: choose another name, or move it away") from error
    except OSError as error:
        raise StoreError(f"cannot make {target}: {error.strerror}") from error
