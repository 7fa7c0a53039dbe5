"""Whether the files of an open store are still the files at its path.

SQLite opens a store's files once. When somebody deletes or replaces one of them, it goes on with a file that nobody
finds again: what it commits there is lost when the process ends.
"""

from __future__ import annotations

import os
from pathlib import Path

_Identity = tuple[int, int]
"""A file's device and inode."""


class StoreFiles:
    """The database file, its write-ahead log and the log's index."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._opened: dict[Path, _Identity] = {database: _identity(database)}

    def note_log(self) -> None:
        """Remember the log and its index, which SQLite has opened or made by now."""
        for suffix in ("-wal", "-shm"):
            path = self._database.with_name(self._database.name + suffix)
            self._opened[path] = _identity(path)

    def forget_log(self) -> None:
        """Forget both: the store is closed, and SQLite may delete them."""
        self._opened = {self._database: self._opened[self._database]}

    def fault(self) -> str | None:
        """Say which of the files was deleted or replaced since it was opened, if one was. Takes microseconds."""
        for path, opened in self._opened.items():
            try:
                found = _identity(path)
            except OSError:
                found = None
            if found != opened:
                return (
                    f"The store failed: {path.name} was {'replaced' if found else 'deleted'} while it was in use, so "
                    "nothing is stored. Stop the server, put the file back or restore a copy, and start it again"
                )
        return None


def _identity(path: Path) -> _Identity:
    found = os.stat(path)  # noqa: PTH116 # twice as fast as Path.stat, and each commit waits for three of them
    return found.st_dev, found.st_ino
