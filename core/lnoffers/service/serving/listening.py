"""The socket, and the pid file, which locks the directory.

Only one server at a time has them, only their owner can use them, and leftovers of a crash are replaced.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from lnoffers.service.errors import ListenError
from lnoffers.service.files import open_regular

MAX_PATH: Final = 107
"""Bytes of a Unix socket's path (sun_path, without its final NUL)."""
BACKLOG: Final = 256
"""At least the number of connections, so that all clients can connect at the same moment."""
CONNECT_SECONDS: Final = 5.0

_MAX_PID: Final = 20
_PID: Final = re.compile(rb"(?:[0-9]{1,19}\n)?")
"""The content of a pid file."""


@contextmanager
def locked_pid_file(path: Path) -> Iterator[None]:
    """Hold the lock of a running server, with its process id in the locked file, until the block ends.

    The lock is released if the process dies.

    Raises:
        ListenError: if another process holds the lock, or the file is not a pid file; then it is not changed.
    """
    try:
        descriptor = open_regular(path, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise ListenError(f"cannot open the pid file {path}: {error.strerror}") from error
    try:
        content = os.pread(descriptor, _MAX_PID + 1, 0)
        if not _PID.fullmatch(content):
            raise ListenError(f"{path} is no pid file, so it is left alone: choose another with --pid-file")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = content.decode().strip() or "unknown"
            raise ListenError(f"another server (process {holder}) runs on {path.parent}: stop it first") from error
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            raise ListenError(f"cannot write the pid file {path}: {error.strerror}") from error
        yield
        os.ftruncate(descriptor, 0)  # the file stays: another process may have opened it to lock it
    finally:
        os.close(descriptor)


@contextmanager
def bound_socket(path: Path) -> Iterator[socket.socket]:
    """Bind a socket to `path`, with mode 0600, but do not listen yet. A socket without a listener is replaced.

    After the block the socket is closed, and its path removed unless something else is there by then.

    Raises:
        ListenError: if a process listens there, if the path is something else, or if it cannot be used.
    """
    check_length(path)
    if is_served(path):
        raise ListenError(f"{path} is in use by a running server: stop it first, or choose another with --rpc-file")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        try:
            _remove_stale(path)
            listener.bind(os.fspath(path))
            # Nobody can connect before listen(), so other users never can.
            path.chmod(0o600)
            made = path.lstat()
        except OSError as error:
            raise ListenError(f"cannot make the socket {path}: {error.strerror}") from error
        try:
            yield listener
        finally:
            with suppress(FileNotFoundError):
                if os.path.samestat(made, path.lstat()):
                    path.unlink()


def check_length(path: Path) -> None:
    """Check that a path is short enough for a socket.

    Raises:
        ListenError: if it is too long.
    """
    if len(os.fsencode(path)) > MAX_PATH:
        raise ListenError(f"{path} is too long for a socket ({MAX_PATH} bytes at most): choose one with --rpc-file")


def is_served(path: Path) -> bool:
    """Return whether a process listens at the socket `path`.

    Raises:
        ListenError: if that is unknown, for example without permission.
    """
    if len(os.fsencode(path)) > MAX_PATH:
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(CONNECT_SECONDS)
        try:
            probe.connect(os.fspath(path))
        except (FileNotFoundError, NotADirectoryError, ConnectionRefusedError):
            return False
        except OSError as error:
            if error.errno == errno.EAGAIN:  # the queue of a listening process is full
                return True
            raise ListenError(f"cannot connect to {path}: {error.strerror or error}") from error
    return True


def _remove_stale(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise ListenError(f"{path} exists and is no socket: move it away, or choose another with --rpc-file")
    path.unlink()
