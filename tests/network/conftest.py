"""Networks for tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lnstandin.network import Network


@pytest.fixture
def network() -> Iterator[Network]:
    """Run a network of two nodes in this process."""
    with Network(2) as network:
        yield network
