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


class StoreFiles:
    """The database file, its write-ahead log and the log's index."""

    def __init__(self, database: Path) -> None:
        # Paths are text, which the system is asked about faster: each commit waits for six questions.
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
