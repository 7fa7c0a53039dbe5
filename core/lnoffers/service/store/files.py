"""The files of an open store: whether they are still the files at its path, and how long the log may become.

SQLite opens a store's files once. When somebody deletes or replaces one of them, it goes on with a file that nobody
finds again: what it commits there is lost when the process ends.
"""

from __future__ import annotations

import os
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lnoffers.service.store.sqlite import SqliteConnection

LOG_BYTES: Final = 1 << 24
"""How long the log may become before writers pause. SQLite itself starts it over from a quarter of that on."""
PAUSE_SECONDS: Final = 5.0
"""How long writers pause for readers of an old part of the log."""

_FAULT: Final = (
    "The store failed: {} was {} while it was in use, so nothing is stored. Stop the server, put the file back or "
    "restore a copy, and start it again"
)


class StoreFiles:
    """The database file, its write-ahead log and the log's index."""

    def __init__(self, database: Path) -> None:
        # As text, because os.stat takes that faster than a Path, and each commit waits for six calls of it.
        self._database, self._log, self._index = (f"{database}{suffix}" for suffix in ("", "-wal", "-shm"))
        self._opened = {self._database: _identity(self._database)}
        self.log_bytes = 0
        """How long the log was when `fault` last looked."""

    def note_log(self) -> None:
        """Remember the log and its index, which SQLite has opened or made by now."""
        self._opened |= {path: _identity(path) for path in (self._log, self._index)}

    def forget_log(self) -> None:
        """Forget both: the store is closed, and SQLite may delete them."""
        self._opened = {self._database: self._opened[self._database]}

    def fault(self) -> str | None:
        """Say which of the files was deleted or replaced since it was opened, if one was. Takes microseconds."""
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
    """Return a file's device and inode; None if there is none, which `fault` then says."""
    try:
        found = os.stat(path)  # noqa: PTH116 # as above
    except OSError:
        return None
    return found.st_dev, found.st_ino


class LogLimit:
    """Keeps the write-ahead log from growing without end while readers come and go.

    SQLite starts the log over when nobody reads from it. With readers that overlap, that never happens while something
    is written. So when the log has grown too long, writers pause: every reader that comes now reads the database file
    once the log's content has moved there, and when the last of the others has left, the log can be emptied. A reader
    that stays longer than the pause is not waited for; then the log may grow to twice its size before the next pause.
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
