"""Whether the files of an open store are still the files at its path.

SQLite opens a store's files once. When somebody deletes or replaces one of them, it goes on with a file that nobody
finds again: what it commits there is lost when the process ends.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

_FAULT: Final = (
    "The store failed: {} was {} while it was in use, so nothing is stored. Stop the server, put the file back or "
    "restore a copy, and start it again"
)
_Identity = tuple[int, int]
"""A file's device and inode."""


class StoreFiles:
    """The database file, its write-ahead log and the log's index."""

    def __init__(self, database: Path) -> None:
        self._database, self._log, self._index = (
            database.with_name(f"{database.name}{suffix}") for suffix in ("", "-wal", "-shm")
        )
        self._opened = {self._database: _identity(self._database.stat())}
        self.log_bytes = 0
        """How long the log was when `fault` last looked."""

    def note_log(self) -> None:
        """Remember the log and its index, which SQLite has opened or made by now."""
        self._opened |= {path: _identity(path.stat()) for path in (self._log, self._index)}

    def forget_log(self) -> None:
        """Forget both: the store is closed, and SQLite may delete them."""
        self._opened = {self._database: self._opened[self._database]}

    def fault(self) -> str | None:
        """Say which of the files was deleted or replaced since it was opened, if one was. Takes microseconds."""
        for path, opened in self._opened.items():
            try:
                found = os.stat(path)  # noqa: PTH116 # twice as fast as Path.stat, and each commit waits for six of them
            except OSError:
                return _FAULT.format(path.name, "deleted")
            if _identity(found) != opened:
                return _FAULT.format(path.name, "replaced")
            if path is self._log:
                self.log_bytes = found.st_size
        return None


def _identity(found: os.stat_result) -> _Identity:
    return found.st_dev, found.st_ino
