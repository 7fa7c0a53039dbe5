"""The servers of `tests.peers`."""

from tests.peers.conftest import start

__all__ = ["start"]
