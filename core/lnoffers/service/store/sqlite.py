"""SQLite: how a store's file is found, opened and copied, how its transactions begin, and what its errors mean.

The log (WAL) is on, with `synchronous=FULL`: a commit returns once the log is on disk. A transaction that writes takes
the write lock when it begins, so none has to be repeated because another process wrote first. One that only reads takes
no lock.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
import time
from collections.abc import Mapping
from contextlib import closing
from itertools import chain, count
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

from lnoffers.service.errors import OptionsError, StoreError
from lnoffers.service.files import open_regular, refuse_link, whole_file
from lnoffers.service.store.database import BUSY_SECONDS, Failure, FailureKind
from lnoffers.service.store.files import LogLimit, StoreFiles

_SCHEME: Final = "sqlite:///"

_FAILURES: Final = {
    sqlite3.SQLITE_BUSY: Failure(
        "another process holds the database; try again, or end that process", FailureKind.LOCKED
    ),
    sqlite3.SQLITE_NOTADB: Failure(
        "the file holds something other than a store; choose another one, or restore a backup", FailureKind.NO_DATABASE
    ),
    sqlite3.SQLITE_CORRUPT: Failure("the database is damaged; keep a copy of it, and restore a backup"),
}
"""What users read instead of SQLite's words, which change between its releases and do not say what to do."""


def store_file(db: str | None, default: Path) -> Path:
    """Return the file that the URL `--db` names, or else `default`.

    Raises:
        OptionsError: if it is not the URL of a file that SQLite can open, without options. The message does not repeat
            the URL, which may hold a password.
    """
    if db is None:
        return default
    name = unquote(db.removeprefix(_SCHEME))
    if not db.startswith(_SCHEME) or "?" in db or name in {"", ":memory:"} or "\0" in name:
        raise OptionsError("--db must name a file for SQLite and nothing else: sqlite:////absolute/path")
    return Path(name).absolute()


class SqliteConnection(sqlite3.Connection):
    """The driver's connection, and what is SQLite's own (see `database.Connection`).

    The driver's methods are inherited, because a call of Python around each would cost more than most statements.
    """

    def __init__(self, file: Path, mode: str, busy_seconds: float = BUSY_SECONDS) -> None:
        uri = f"file:{quote(os.fsencode(file))}?mode={mode}"
        # Without an isolation level the driver begins no transactions of its own.
        super().__init__(uri, uri=True, timeout=busy_seconds, isolation_level=None, check_same_thread=False)
        self.text_factory = _text
        self.logged: set[str] = set()

    def begin(self, *, writes: bool) -> None:
        self.execute("BEGIN IMMEDIATE" if writes else "BEGIN")

    def wait_no_longer_than(self, seconds: float) -> None:
        self.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")

    def changes_of_others(self) -> int:
        [number] = self.execute("PRAGMA data_version").fetchone()
        return int(number)

    def tables(self) -> list[str]:
        own = "name LIKE 'sqlite~_%' ESCAPE '~'"
        rows = self.execute(f"SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND NOT {own}")
        return [name for (name,) in rows]

    def columns(self, table: str) -> list[str]:
        return [name for (name,) in self.execute("SELECT name FROM pragma_table_info(?)", (table,))]

    def damages(self) -> list[str]:
        rows = [str(row[0]) for row in self.execute("PRAGMA integrity_check")]
        found = [line for row in rows for line in row.removeprefix("*** in database main ***\n").splitlines()]
        return [] if found == ["ok"] else found

    def empty_log(self) -> bool:
        """Move the log's content to the database file; return whether it is empty now, as nobody reads from it."""
        [busy, _, _] = self.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy


class SqliteDatabase:
    """A store in a file (see `database.Database`). Makes the file, for its owner alone."""

    errors: type[Exception] = sqlite3.Error
    types: Mapping[str, str] = {"bytes": "BLOB", "numbered": "INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT"}

    def __init__(self, file: Path) -> None:
        self._file = file
        # SQLite gives its log the mode of the file, so this decides for both.
        os.close(open_regular(file, os.O_RDWR | os.O_CREAT))
        with closing(SqliteConnection(file, "rw")) as connection:
            _turn_log_on(connection)
        self._connection: SqliteConnection | None = None
        self._files = StoreFiles(file)
        self._log_limit = LogLimit(self._files)

    def connect(self, busy_seconds: float = BUSY_SECONDS) -> SqliteConnection:
        self._connection = SqliteConnection(self._file, "rw", busy_seconds)  # a file that is gone is not made again
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("SELECT 1 FROM sqlite_master").fetchone()  # opens the log
        self._files.note_log()
        return self._connection

    def disconnect(self) -> None:
        if self._connection is not None:
            self._files.forget_log()
            self._connection.close()
            self._connection = None

    def fault(self) -> str | None:
        return self._files.fault()

    def must_pause(self) -> bool:
        return self._connection is not None and self._log_limit.is_passed(self._connection)

    def keep_copy(self, version: int) -> Path:
        """Copy the store to a new file beside it.

        Earlier copies stay: an upgrade may have failed, or been taken back.
        """
        first = self._file.with_name(f"{self._file.name}.version-{version}")
        others = (first.with_name(f"{first.name}.{number}") for number in count(2))
        kept = next(path for path in chain([first], others) if not os.path.lexists(path))
        try:
            with whole_file(kept) as made:
                copy(self._file, made)
        except (OSError, sqlite3.Error) as error:
            why = explain(error).reason
            raise StoreError(f"cannot copy the store to {kept}, as every upgrade does first: {why}") from error
        return kept

    def explain(self, error: Exception) -> Failure:
        return explain(error)


def open_existing(file: Path) -> SqliteConnection | None:
    """Return a connection that can only read the database in a file; None if there is no file, or an empty one.

    Raises:
        OSError: if there is no file and none could be made, or it is no regular file.
    """
    for suffix in ("", "-wal", "-shm", "-journal"):  # SQLite's own files beside it
        refuse_link(file.with_name(file.name + suffix))
    try:
        found = file.stat()
    except FileNotFoundError:
        if not os.access(file.parent, os.W_OK | os.X_OK):
            raise
        return None
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is no file")
    return SqliteConnection(file, "ro") if found.st_size else None


def copy(file: Path, into: Path) -> None:
    """Copy the database in a file, as it is at one moment, to a new file without a log; others may go on writing."""
    with closing(SqliteConnection(file, "ro")) as source, closing(sqlite3.connect(into)) as target:
        source.backup(target)  # all pages at once: in parts it would start over after each write of another process
        target.execute("PRAGMA journal_mode = DELETE")


def explain(error: Exception) -> Failure:
    """Return what an error of SQLite, or of the system, means."""
    if isinstance(error, OSError):
        return Failure(error.strerror or str(error))
    code = getattr(error, "sqlite_errorcode", None)  # errors of the driver itself have none
    if code in {sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC}:
        return Failure(str(error), FailureKind.UNSYNCED)
    # The byte above the lowest adds details.
    return Failure(str(error)) if code is None else _FAILURES.get(code & 0xFF, Failure(str(error)))


def _text(raw: bytes) -> str | bytes:
    """Return text as it is stored, or its bytes if it is damaged: an error would end the whole statement."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def _turn_log_on(connection: SqliteConnection) -> None:
    """Turn the log on. While another process does the same, SQLite refuses without waiting, so wait here."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if explain(error).kind is not FailureKind.LOCKED or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
