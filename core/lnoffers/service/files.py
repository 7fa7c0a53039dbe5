"""Making and opening files that are for their owner alone: whole or not at all, and never through a link."""

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
    """Make a directory, mode 0700, and those above it that are missing; one that exists stays as it is.

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
    """Open a regular file, which is mode 0600 if this makes it; the descriptor.

    A symbolic link is refused, so nobody can have another file written to by putting one there.

    Raises:
        OSError: if it cannot be opened, is a link or is not a regular file; `strerror` says so.
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
    """Refuse a path that is a symbolic link itself; those that lead to its directory may be.

    Raises:
        OSError: if it is one.
    """
    if path.is_symlink():
        raise OSError(errno.ELOOP, f"{path.name} is a symbolic link: put the file itself there", os.fspath(path))


def create_private_file(path: Path, content: bytes) -> bool:
    """Make a file, mode 0400, that is complete and on disk before it has its name; False if the name is taken.

    Raises:
        OSError: if it cannot be made; then nothing is left behind.
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
    """A path at which the block makes a file; when it is left, that becomes `path`, mode 0600, complete and on disk.

    Raises:
        OSError: if it cannot be made, FileExistsError if the name is taken; then nothing is left behind.
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
    """Have the names in a directory survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
