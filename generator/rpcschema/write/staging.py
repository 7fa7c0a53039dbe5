"""A hidden folder in the output folder that holds new files until all of them are written.

Its run keeps a lock on it. A folder without a lock was left by a run that was killed. Only the name and the lock
identify such a folder, so nothing else is ever mistaken for one.
"""

from __future__ import annotations

import os
import re
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

if sys.platform != "win32":
    import fcntl

_FOLDER: Final = re.compile(r"\.rpcschema-[0-9a-f]{8}")
_FILE: Final = re.compile(r"[0-9]+")


@contextmanager
def staging_folder(out: Path) -> Iterator[Path]:
    """Yield a folder in `out` for new files, named by numbers; it is removed after the block.

    Raises OSError if it cannot be made.
    """
    out.mkdir(parents=True, exist_ok=True)
    folder = out / f".rpcschema-{secrets.token_hex(4)}"
    lock = None
    try:
        folder.mkdir()
        lock = _lock(folder)
        yield folder
    finally:
        remove(folder)
        if lock is not None:
            os.close(lock)


def leftovers(out: Path) -> Iterator[Path]:
    """Yield the staging folders in `out` that killed runs have left; none on platforms without locks."""
    if not out.is_dir():
        return
    for folder in sorted(out.iterdir()):
        if _FOLDER.fullmatch(folder.name) and folder.is_dir() and not folder.is_symlink():
            lock = _lock(folder)
            if lock is not None:
                os.close(lock)
                yield folder


def remove(folder: Path) -> int:
    """Remove a staging folder with its staged files, and return their number; other files stay."""
    staged = [file for file in folder.iterdir() if _FILE.fullmatch(file.name)] if folder.is_dir() else []
    for file in staged:
        file.unlink(missing_ok=True)
    with suppress(OSError):  # another run has removed it, or it is not empty
        folder.rmdir()
    return len(staged)


def _lock(folder: Path) -> int | None:
    """Return a descriptor that locks `folder` until it is closed or the process ends; None if it cannot be locked."""
    if sys.platform == "win32":
        return None
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor
