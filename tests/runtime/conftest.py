"""What the tests of the runtime share."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def socket_path() -> Iterator[Path]:
    """Yield a path for a socket: a short one, because the kernel allows 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="clnrpc-") as folder:
        yield Path(folder) / "lightning-rpc"


@pytest.fixture
def full_listener(socket_path: Path) -> Iterator[socket.socket]:
    """Yield a listener at `socket_path` whose queue of connections is full: one waits there to be accepted."""
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as first:
        listener.settimeout(10)
        listener.bind(str(socket_path))
        listener.listen(0)
        first.connect(str(socket_path))
        yield listener
