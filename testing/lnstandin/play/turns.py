"""The transactions of the ledger, on a thread, because the disk may be slow.

All work that waits shares one transaction, and one sync of the disk. Work that nobody waits for joins the next
transaction, or gets one half a second later, so it needs no sync of its own.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import quote

from lnoffers.service.files import open_regular, refuse_link, sync_directory
from lnoffers.service.payments.backend import BackendError

T = TypeVar("T")

BUSY_SECONDS: Final = 10.0
"""How long a transaction waits for another process that writes."""
LATER_SECONDS: Final = 0.5
"""How long work that nobody waits for is put off."""

Work: TypeAlias = Callable[[sqlite3.Connection], Any]
_Waiting: TypeAlias = tuple[Work, asyncio.Future[Any]]

logger = logging.getLogger(__name__)


class Turns:
    """Runs work in a SQLite file. Use it within one event loop."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[Sequence[_Waiting]] = SimpleQueue()
        """Groups of work; an empty one ends the thread."""
        self._later: list[_Waiting] = []
        self._timer: asyncio.TimerHandle | None = None
        self._is_flushing = False
        """Whether work goes to the thread at the end of this iteration of the loop, so that it wakes once for all."""
        self._is_closed = False
        self._thread = Thread(target=self._serve, name="play-ledger", daemon=True)

    async def open(self, first: Callable[[sqlite3.Connection], T]) -> T:
        """Open the file, which is made if it is missing, with access only for its owner; do the first work in it.

        Raises:
            BackendError: if that is not possible.
        """
        try:
            refuse_link(self._file)
            os.close(open_regular(self._file, os.O_RDWR | os.O_CREAT))
            sync_directory(self._file.parent)
        except OSError as error:
            raise BackendError(f"{self._file} cannot be opened: {error.strerror}") from error
        self._thread.start()
        try:
            return await self.run(first)
        except Exception:
            await self.close()
            raise

    async def run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Return the result of work when it is on the disk, together with all work that was put off.

        Raises:
            BackendError: if the file cannot be used; then nothing of it is stored.
            RuntimeError: if the work, or other work of its transaction, ended in a bug; nothing is stored then, too.
        """
        if self._is_closed:
            raise BackendError(f"{self._file} is closed")
        done: asyncio.Future[T] = self._loop.create_future()
        self._later.append((work, done))
        if not self._is_flushing:
            self._is_flushing = True
            self._loop.call_soon(self._flush)
        return await done

    def run_later(self, work: Work) -> None:
        """Do work with the next transaction, or soon. If that fails, it is lost."""
        self._later.append((work, self._loop.create_future()))
        if self._timer is None:
            self._timer = self._loop.call_later(LATER_SECONDS, self._flush)

    async def close(self) -> None:
        """Do what was put off, and close the file."""
        self._flush()
        self._is_closed = True
        self._queue.put(())
        if self._thread.is_alive():
            await self._loop.run_in_executor(None, self._thread.join)

    def _flush(self) -> None:
        self._is_flushing = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._later:
            self._queue.put(self._later)
            self._later = []

    # ---- in the thread

    def _serve(self) -> None:
        connection, group = None, self._next_group()
        while group:
            try:
                connection = connection or self._connect()
                answer = partial(_answer, group, _transaction(connection, [work for work, _ in group]))
            except BackendError as error:
                answer = partial(_refuse, group, error)
            except (sqlite3.Error, OverflowError) as error:
                answer = partial(_refuse, group, BackendError(f"{self._file} cannot be used: {error}"))
            except BaseException as error:  # a bug: if it ended the thread, callers would wait forever
                logger.exception("A transaction of the ledger ended in a bug")
                answer = partial(_refuse, group, _bug(error))
            self._loop.call_soon_threadsafe(answer)
            group = self._next_group()
        if connection is not None:
            connection.close()

    def _next_group(self) -> Sequence[_Waiting]:
        """Wait for work, and return all that waits; nothing at the end."""
        group = self._queue.get()
        while group and not self._queue.empty():
            more = self._queue.get()
            if not more:
                self._queue.put(more)  # the end, after this group
                break
            group = [*group, *more]
        return group

    def _connect(self) -> sqlite3.Connection:
        uri = f"file:{quote(os.fsencode(self._file))}?mode=rw"
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        return connection


def _transaction(connection: sqlite3.Connection, works: Sequence[Work]) -> Sequence[Any]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        results = [work(connection) for work in works]
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return results


def _answer(group: Sequence[_Waiting], results: Sequence[Any]) -> None:
    for (_, done), result in zip(group, results, strict=True):
        if not done.done():
            done.set_result(result)


def _bug(cause: BaseException) -> RuntimeError:
    """Return the error about a bug. Futures take every error of this class, but not every exception."""
    bug = RuntimeError(f"A transaction of the ledger ended in a bug: {cause!r}")
    bug.__cause__ = cause
    return bug


def _refuse(group: Sequence[_Waiting], error: Exception) -> None:
    for _, done in group:
        if not done.done():
            done.set_exception(error)
            done.exception()  # marks it as retrieved, in case nobody waits for it
