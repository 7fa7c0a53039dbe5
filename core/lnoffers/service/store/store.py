"""Open a store, for use or only for reading, and copy it. `transactions` describes its use."""

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
        """Return whether there is no store yet at the URL `db`, or else in the file `default`. Changes nothing.

        Raises:
            OptionsError: if `db` is not usable.
            StoreError: if the file cannot hold a store, or contains something else.
        """
        file = store_file(db, default)
        with naming(file), _looking(file) as connection:
            return connection is None or version_of(connection) == 0

    @classmethod
    def open(cls, db: str | None, default: Path, identity: Identity) -> Store:
        """Open the store at the URL `db`, or else in the file `default`; create it if necessary.

        A store of an older version is copied and then upgraded. A store that is refused is not changed at all.

        Raises:
            OptionsError: if `db` is not usable.
            StoreError: if it cannot be opened, or belongs to another node, another program or a newer release.
        """
        file = store_file(db, default)
        with naming(file):
            # Read-only, because even turning the log on would change a file that may not be ours.
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
    """Yield a connection in a read-only transaction; None if there is no database."""
    connection = open_existing(file)
    if connection is None:
        yield None
        return
    with closing(connection):
        connection.begin(writes=False)
        yield connection


@contextmanager
def read_only(file: Path) -> Iterator[Connection]:
    """Yield a connection to an existing database, in a read-only transaction.

    Raises:
        StoreError: if there is no database.
    """
    if not file.parent.is_dir():
        raise StoreError(NO_STORE)
    with _looking(file) as connection:
        if connection is None:
            raise StoreError(NO_STORE)
        yield connection


@contextmanager
def naming(file: Path) -> Iterator[None]:
    """Turn errors of a database into a StoreError that names its file."""
    try:
        yield
    except (SqliteDatabase.errors, OSError, StoreError) as error:
        raise StoreError(f"{file}: {explain(error).reason}") from error


def back_up(db: str | None, default: Path, target: Path) -> None:
    """Copy the current state of the store at the URL `db`, or else in the file `default`, to a new file.

    A server may use the store meanwhile: it is neither changed nor locked.

    Raises:
        OptionsError: if `db` is not usable.
        StoreError: if there is no store, or the copy cannot be made; then no new file is left.
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
