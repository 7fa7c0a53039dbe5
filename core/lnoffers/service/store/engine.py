"""All that is SQLite's own: how a store file is looked at, made and opened, and how its transactions begin and end.

WAL with `synchronous=FULL`: a commit returns once the log is on disk. A transaction that is to write takes the write
lock as it begins, so none has to be retried half-way because another process wrote first; one that reads takes none.
Both ends go to the driver directly: through SQLAlchemy they took longer than most transactions do.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote

from sqlalchemy import Connection, Engine, NullPool, create_engine, event
from sqlalchemy.exc import DBAPIError

from lnoffers.service.errors import OptionsError
from lnoffers.service.files import open_regular, refuse_link

BUSY_SECONDS: Final = 10.0
"""How long to wait for another process's transaction."""

_SCHEME: Final = "sqlite:///"

_REASONS: Final = {
    sqlite3.SQLITE_BUSY: "another process holds the database; try again, or end that process",
    sqlite3.SQLITE_NOTADB: "the file holds something other than a store; choose another one, or restore a backup",
    sqlite3.SQLITE_CORRUPT: "the database is damaged; keep a copy of it, and restore a backup",
}
"""What users read instead of SQLite's words, which change between its releases and do not say what to do."""


def store_file(db: str | None, default: Path) -> Path:
    """Return the file that the URL `--db` names, or else `default`.

    Raises:
        OptionsError: if it is no URL of a file that SQLite can open, and of nothing more. The message does not repeat
            the URL, which may hold a password.
    """
    if db is None:
        return default
    # Not SQLAlchemy's make_url: whether it decodes %-escapes in a file's name depends on its version.
    name = unquote(db.removeprefix(_SCHEME))
    if not db.startswith(_SCHEME) or "?" in db or name in {"", ":memory:"} or "\0" in name:
        raise OptionsError("--db must name a file for SQLite and nothing else: sqlite:////absolute/path")
    return Path(name).absolute()


def existing(file: Path) -> Engine | None:
    """Return an engine that can only read the database in a file; None if there is no file, or an empty one.

    Raises:
        OSError: if there is none and none could be made, or it cannot be looked at.
    """
    for each in (file, *_companions(file)):
        refuse_link(each)
    try:
        found = file.stat()
    except FileNotFoundError:
        if not os.access(file.parent, os.W_OK | os.X_OK):
            raise
        return None
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is no file")
    if not found.st_size:
        return None
    return _engine(lambda: _connect(file, "ro"))


def open_engine(file: Path) -> Engine:
    """Return an engine whose connections are durable and wait for each other. Makes the file, for its owner alone."""
    # SQLite gives its log the mode of the file, so this decides for both.
    os.close(open_regular(file, os.O_RDWR | os.O_CREAT))
    engine = _engine(lambda: _connect(file, "rw"))  # should the file be gone later, no other one is made
    with engine.connect() as connection:
        _enter_wal(_driver(connection))
    return engine


def copy(file: Path, into: Path) -> None:
    """Copy the database in a file, as it is at one moment, to a new file without a log; others may go on writing."""
    with closing(_connect(file, "ro")) as source, closing(sqlite3.connect(into)) as target:
        source.backup(target)  # all pages at once: in parts it would start over after each write of another process
        target.execute("PRAGMA journal_mode = DELETE")


def damages(connection: Connection) -> list[str]:
    """Return what is wrong with the database as such, its tables and indexes, in SQLite's words, a line each."""
    rows = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check")]
    found = [line for row in rows for line in row.removeprefix("*** in database main ***\n").splitlines()]
    return [] if found == ["ok"] else found


def wait_no_longer_than(seconds: float, connection: Connection) -> None:
    """Set how long this connection's transactions wait for those of others."""
    _driver(connection).execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")


def changes_of_others(connection: Connection) -> int:
    """Return a number that changes once another connection has committed something; only this connection's compare."""
    [number] = _driver(connection).execute("PRAGMA data_version").fetchone()
    assert isinstance(number, int)
    return number


def open_log(connection: Connection) -> None:
    """Have SQLite open the log now, which it would otherwise do for the first transaction."""
    _driver(connection).execute("SELECT 1 FROM sqlite_master").fetchone()


def is_locked(error: Exception) -> bool:
    """Return whether the error says that another process holds a lock."""
    return _primary_code(error) == sqlite3.SQLITE_BUSY


def is_unsynced(error: Exception) -> bool:
    """Return whether the error says that an fsync failed. What was written before may be on disk, in part, or not."""
    return _code(error) in {sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC}


def is_no_database(error: Exception) -> bool:
    """Return whether the error says that the file holds something else than a database."""
    return _primary_code(error) == sqlite3.SQLITE_NOTADB


def reason(error: Exception) -> str:
    """Return what went wrong and what to do, or else what the database or the system said; no statement, no values."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    code = _primary_code(error)
    if code in _REASONS:
        return _REASONS[code]
    return str(error.orig) if isinstance(error, DBAPIError) else str(error)


@contextmanager
def transaction(connection: Connection, *, exclusive: bool = False) -> Iterator[None]:
    """Run a transaction that only reads, or one that keeps everybody else out."""
    _driver(connection).execute("BEGIN EXCLUSIVE" if exclusive else "BEGIN")
    try:
        yield
    except BaseException:
        roll_back(connection)
        raise
    commit(connection)


def begin(connection: Connection, *, writes: bool) -> None:
    """Begin a transaction, which may write only if it says so now."""
    _driver(connection).execute("BEGIN IMMEDIATE" if writes else "BEGIN")


def empty_log(connection: Connection) -> bool:
    """Move the log's content to the database file, unless somebody still reads it there; whether it is empty now."""
    [busy, _, _] = _driver(connection).execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


def has_begun(connection: Connection) -> bool:
    """Return whether it is in a transaction."""
    return _driver(connection).in_transaction


def commit(connection: Connection) -> None:
    """End the transaction, all that it did durable."""
    _driver(connection).commit()
    connection.commit()


def roll_back(connection: Connection) -> None:
    """End the transaction, if it is in one, and undo all that it did."""
    _driver(connection).rollback()
    connection.rollback()


def set_savepoint(connection: Connection) -> None:
    """Mark what the transaction has come to, for `end_savepoint`."""
    _driver(connection).execute("SAVEPOINT one_call")


def end_savepoint(connection: Connection, *, undo: bool) -> None:
    """Keep what was done since, or undo it, and forget the mark."""
    driver = _driver(connection)
    try:
        if undo:
            driver.execute("ROLLBACK TO SAVEPOINT one_call")
    finally:
        driver.execute("RELEASE SAVEPOINT one_call")


def _companions(file: Path) -> list[Path]:
    """Return the files that SQLite keeps beside a database."""
    return [file.with_name(file.name + suffix) for suffix in ("-wal", "-shm", "-journal")]


def _connect(file: Path, mode: str) -> sqlite3.Connection:
    uri = f"file:{quote(os.fsencode(file))}?mode={mode}"
    return sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, check_same_thread=False)


def _engine(connect: Any) -> Engine:
    engine = create_engine(
        "sqlite://",
        creator=connect,
        poolclass=NullPool,
        hide_parameters=True,
        # Transactions are what this file says alone: the driver would begin some by rules of its own, and SQLAlchemy
        # roll back after some errors.
        isolation_level="AUTOCOMMIT",
        skip_autocommit_rollback=True,
    )
    event.listen(engine, "connect", _configure)
    return engine


def _text(raw: bytes) -> str | bytes:
    """Return text as it is stored, or its bytes if it is damaged: an error would end the whole statement."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw


def _configure(connection: sqlite3.Connection, _record: Any) -> None:
    connection.text_factory = _text
    connection.execute("PRAGMA synchronous = FULL")


def _code(error: Exception) -> int | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    # Errors of the driver itself have no code.
    return getattr(cause, "sqlite_errorcode", None) if isinstance(cause, sqlite3.Error) else None


def _primary_code(error: Exception) -> int | None:
    code = _code(error)
    return None if code is None else code & 0xFF  # the byte above adds details


def _driver(connection: Connection) -> sqlite3.Connection:
    found = connection.connection.driver_connection
    assert isinstance(found, sqlite3.Connection)
    return found


def _enter_wal(connection: sqlite3.Connection) -> None:
    """Turn the log on; while another process does the same, SQLite refuses without waiting, so wait here."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
