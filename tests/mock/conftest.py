"""A mock, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from clnrpc import Client
from lnstandin.mock import Mock


@pytest.fixture
def mock() -> Iterator[Mock]:
    """A mock that runs."""
    with Mock() as running:
        yield running


@pytest.fixture
def client(mock: Mock) -> Iterator[Client]:
    """A client of the mock."""
    with Client(mock.socket) as connected:
        yield connected
