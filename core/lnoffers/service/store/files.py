"""Check that the files of an open store are still at their paths, and limit the size of the log.

SQLite opens a store's files once. If somebody deletes or replaces one of them, SQLite keeps using the old file, and
everything that it commits there is lost when the process ends.
"""

from __future__ import annotations

import os
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lnoffers.service.store.sqlite import SqliteConnection

LOG_BYTES: Final = 1 << 24
"""The size at which writers pause. SQLite itself tries to restart the log from a quarter of this size."""
PAUSE_SECONDS: Final = 5.0
"""How long writers pause for readers of an old part of the log."""

_FAULT: Final = (
    "The store failed: {} was {} while it was in use, so nothing is stored. Stop the server, put the file back or "
    "restore a copy, and start it again"
)


class StoreFiles:
    """The database file, its write-ahead log and the log's index."""

    def __init__(self, database: Path) -> None:
        # Text, because os.stat is faster with text than with a Path, and each commit needs six calls.
        self._database, self._log, self._index = (f"{database}{suffix}" for suffix in ("", "-wal", "-shm"))
        self._opened = {self._database: _identity(self._database)}
        self.log_bytes = 0
        """The size of the log at the last call of `fault`."""

    def note_log(self) -> None:
        """Remember which files the log and its index are; SQLite must have opened them."""
        self._opened |= {path: _identity(path) for path in (self._log, self._index)}

    def forget_log(self) -> None:
        """Forget both: the store is closed, and SQLite may delete them."""
        self._opened = {self._database: self._opened[self._database]}

    def fault(self) -> str | None:
        """Return a message if one of the files was deleted or replaced since it was opened. Takes microseconds."""
        for path, opened in self._opened.items():
            try:
                found = os.stat(path)  # noqa: PTH116 # see above
            except OSError:
                return _FAULT.format(Path(path).name, "deleted")
            if (found.st_dev, found.st_ino) != opened:
                return _FAULT.format(Path(path).name, "replaced")
            if path is self._log:
                self.log_bytes = found.st_size
        return None


def _identity(path: str) -> tuple[int, int] | None:
    """Return a file's device and inode; None if there is no file, which `fault` then reports."""
    try:
        found = os.stat(path)  # noqa: PTH116 # as above
    except OSError:
        return None
    return found.st_dev, found.st_ino


class LogLimit:
    """Limits the size of the write-ahead log while readers overlap.

    SQLite restarts the log when nobody reads from it. If readers overlap, this never happens while something is being
    written. So when the log is too long, writers pause. Its content is moved to the database file, where new readers
    read it, and when the last older reader has finished, the log can be emptied. Writers do not wait for a reader that
    takes longer than the pause; then the next pause begins when the log has twice its size.
    """

    def __init__(self, files: StoreFiles) -> None:
        self._files = files
        self._bytes = LOG_BYTES
        self._paused_at: float | None = None

    def is_passed(self, connection: SqliteConnection) -> bool:
        """Return whether to pause: the log is too long and cannot be emptied now. Do not call it in a transaction."""
        size = self._files.log_bytes
        if size <= self._bytes:
            return False
        if connection.empty_log():
            self._bytes, self._paused_at = LOG_BYTES, None
            return False
        now = monotonic()
        self._paused_at = self._paused_at or now
        if now < self._paused_at + PAUSE_SECONDS:
            return True
        self._bytes, self._paused_at = 2 * size, None
        return False
