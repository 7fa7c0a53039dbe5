"""Create and open files that only their owner may read, complete or not at all, and never through a symbolic link."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lnoffers.service.errors import ServiceError


def make_private_directory(path: Path) -> None:
    """Make a directory with mode 0700, and its missing parents; an existing directory stays unchanged.

    Raises:
        ServiceError: if it cannot be made.
    """
    try:
        for directory in reversed([path, *path.parents]):
            if not directory.is_dir():
                directory.mkdir(mode=0o700, exist_ok=True)
                sync_directory(directory.parent)
    except OSError as error:
        raise ServiceError(f"cannot make the directory {path}: {error.strerror}") from error


def open_regular(path: Path, flags: int, *, follow_link: bool = False) -> int:
    """Open a regular file and return its descriptor. A file that this creates has mode 0600.

    A symbolic link is refused, so that nobody can redirect our writes to another file.

    Raises:
        OSError: if it cannot be opened, is a link or is not a regular file; `strerror` says which.
    """
    link = 0 if follow_link else os.O_NOFOLLOW
    try:
        descriptor = os.open(path, flags | link | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno == errno.ELOOP:
            refuse_link(path)
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, f"{path.name} is not a regular file", os.fspath(path))
    return descriptor


def refuse_link(path: Path) -> None:
    """Refuse a path that is itself a symbolic link; its directories may be links.

    Raises:
        OSError: if it is a link.
    """
    if path.is_symlink():
        raise OSError(errno.ELOOP, f"{path.name} is a symbolic link: put the file itself there", os.fspath(path))


def create_private_file(path: Path, content: bytes) -> bool:
    """Create a file with mode 0400, complete and on disk before it gets its name; return False if the name is taken.

    Raises:
        OSError: if it cannot be created; then nothing is left behind.
    """
    # mkstemp makes it 0600, so nobody else can read it even while it is written.
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(descriptor, 0o400)
            os.fsync(descriptor)
        try:
            os.link(temporary, path)  # unlike a rename, this never replaces a file
        except FileExistsError:
            return False
    finally:
        Path(temporary).unlink()
    sync_directory(path.parent)
    return True


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Return a temporary path for the block to create a file at, and then move the file to `path`.

    The file gets mode 0600 and is complete and on disk before it gets its name. If this fails, nothing is left behind.

    Raises:
        FileExistsError: if the name is taken.
        OSError: if the file cannot be created.
    """
    with tempfile.TemporaryDirectory(prefix=".lnoffers-", dir=path.parent) as directory:
        made = Path(directory, "whole")
        yield made
        descriptor = os.open(made, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fchmod(descriptor, 0o600)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.link(made, path)  # unlike a rename, this never replaces a file
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make the names in a directory survive a power failure."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
