"""The store in a SQLite file: find, open and copy the file, begin transactions, and explain errors.

SQLite's write-ahead log ("the log" in this module) is on, with `synchronous=FULL`: a commit returns once the log is on
disk. A transaction that writes takes the write lock when it begins, so it never fails because another process wrote
first. A transaction that only reads takes no lock.
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
"""Our texts for some SQLite errors: SQLite's own change between releases and do not say what to do."""


def store_file(db: str | None, default: Path) -> Path:
    """Return the file of the URL that `--db` gives; `default` without a URL.

    Raises:
        OptionsError: if it is not the URL of a SQLite file, or has options. The message does not repeat the URL,
            because a URL may contain a password.
    """
    if db is None:
        return default
    name = unquote(db.removeprefix(_SCHEME))
    if not db.startswith(_SCHEME) or "?" in db or name in {"", ":memory:"} or "\0" in name:
        raise OptionsError("--db must name a file for SQLite and nothing else: sqlite:////absolute/path")
    return Path(name).absolute()


class SqliteConnection(sqlite3.Connection):
    """The driver's connection, with the other methods of `database.Connection`.

    It inherits the driver's methods: a Python method around each would cost more time than most statements.
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
        internal = "name LIKE 'sqlite~_%' ESCAPE '~'"
        rows = self.execute(f"SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND NOT {internal}")
        return [name for (name,) in rows]

    def columns(self, table: str) -> list[str]:
        return [name for (name,) in self.execute("SELECT name FROM pragma_table_info(?)", (table,))]

    def damages(self) -> list[str]:
        rows = [str(row[0]) for row in self.execute("PRAGMA integrity_check")]
        found = [line for row in rows for line in row.removeprefix("*** in database main ***\n").splitlines()]
        return [] if found == ["ok"] else found

    def empty_log(self) -> bool:
        """Move the log's content to the database file; return whether that emptied it, which readers can prevent."""
        [busy, _, _] = self.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        return not busy


class SqliteDatabase:
    """A store in a file (see `database.Database`). Creates the file, with access only for its owner."""

    errors: type[Exception] = sqlite3.Error
    types: Mapping[str, str] = {"bytes": "BLOB", "numbered": "INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT"}

    def __init__(self, file: Path) -> None:
        self._file = file
        # SQLite creates its log with the mode of this file.
        os.close(open_regular(file, os.O_RDWR | os.O_CREAT))
        with closing(SqliteConnection(file, "rw")) as connection:
            _turn_log_on(connection)
        self._connection: SqliteConnection | None = None
        self._files = StoreFiles(file)
        self._log_limit = LogLimit(self._files)

    def connect(self, busy_seconds: float = BUSY_SECONDS) -> SqliteConnection:
        self._connection = SqliteConnection(self._file, "rw", busy_seconds)  # "rw" does not create a missing file
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

        Earlier copies are kept: an upgrade may have failed, or a user may have restored an older store.
        """
        first = self._file.with_name(f"{self._file.name}.version-{version}")
        others = (first.with_name(f"{first.name}.{number}") for number in count(2))
        kept = next(path for path in chain([first], others) if not os.path.lexists(path))
        try:
            with whole_file(kept) as target:
                copy(self._file, target)
        except (OSError, sqlite3.Error) as error:
            why = explain(error).reason
            raise StoreError(f"cannot copy the store to {kept}, as every upgrade does first: {why}") from error
        return kept

    def explain(self, error: Exception) -> Failure:
        return explain(error)


def open_existing(file: Path) -> SqliteConnection | None:
    """Return a read-only connection to the database in a file; None if the file is missing or empty.

    Raises:
        OSError: if the file is missing and its directory is not writable, or if it is not a regular file.
    """
    for suffix in ("", "-wal", "-shm", "-journal"):  # the files that SQLite keeps beside it
        refuse_link(file.with_name(file.name + suffix))
    try:
        found = file.stat()
    except FileNotFoundError:
        if not os.access(file.parent, os.W_OK | os.X_OK):
            raise
        return None
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file")
    return SqliteConnection(file, "ro") if found.st_size else None


def copy(file: Path, into: Path) -> None:
    """Copy the database of a file, as it is at one moment, to a new file without a log; others can write meanwhile."""
    with closing(SqliteConnection(file, "ro")) as source, closing(sqlite3.connect(into)) as target:
        source.backup(target)  # in one step: in several, each write of another process restarts it
        target.execute("PRAGMA journal_mode = DELETE")


def explain(error: Exception) -> Failure:
    """Return the meaning of an error of SQLite or the operating system."""
    if isinstance(error, OSError):
        return Failure(error.strerror or str(error))
    code = getattr(error, "sqlite_errorcode", None)  # missing on errors of the driver itself
    if code in {sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC}:
        return Failure(str(error), FailureKind.UNSYNCED)
    # The lowest byte is the primary code; the byte above adds details.
    return Failure(str(error)) if code is None else _FAILURES.get(code & 0xFF, Failure(str(error)))


def _text(raw: bytes) -> str | bytes:
    """Return stored text as str, or as bytes if it is not UTF-8: an exception would end the whole statement."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def _turn_log_on(connection: SqliteConnection) -> None:
    """Turn the log on. SQLite does not wait while another process does the same, so retry here."""
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
