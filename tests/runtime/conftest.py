"""What the tests of the clients share."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def socket_path() -> Iterator[Path]:
    """Where a socket may be made: a short path, as the kernel allows 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="clnrpc-") as folder:
        yield Path(folder) / "lightning-rpc"
