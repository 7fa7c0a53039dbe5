"""All that is SQLite's own: how a store file is made and opened, and how its transactions begin.

WAL with `synchronous=FULL`: a commit returns once the log is on disk. Every transaction takes the write lock as it
begins, so none has to be retried half-way because another process wrote first.
"""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from lnoffers.service.errors import OptionsError

BUSY_SECONDS: Final = 10
"""How long to wait for another process's transaction."""

_BEGIN = "lnoffers_begin"


def store_url(db: str | None, default: Path) -> URL:
    """What `--db` names, or the file `default`.

    Raises:
        OptionsError: if it is no URL of a file that SQLite can open. The message does not repeat the URL.
    """
    if db is None:
        return URL.create("sqlite", database=str(default))
    try:
        url = make_url(db)
    except ArgumentError as error:
        raise OptionsError("--db is not a database URL; it looks like sqlite:////absolute/path") from error
    if url.get_backend_name() != "sqlite" or url.database in {None, "", ":memory:"}:
        raise OptionsError("--db must name a file for SQLite: sqlite:////absolute/path")
    return url


def open_engine(url: URL) -> Engine:
    """An engine whose connections are durable and wait for each other. Makes the file, readable by its owner alone."""
    # SQLite gives its log the mode of the file, so this decides for both.
    os.close(os.open(str(url.database), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    engine = create_engine(
        url,
        poolclass=NullPool,
        hide_parameters=True,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def exclusive(connection: Connection) -> Connection:
    """The same connection, whose transactions from now on keep everybody else out."""
    return connection.execution_options(**{_BEGIN: "BEGIN EXCLUSIVE"})


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN IMMEDIATE"))


def _configure(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # the driver would begin transactions by rules of its own
    _enter_wal(connection)
    connection.execute("PRAGMA synchronous = FULL")


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
