"""Networks for tests."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest

from lnstandin.network import Network


@pytest.fixture
def network() -> Iterator[Network]:
    """Run a network of two nodes in this process."""
    with Network(2) as network:
        yield network


@pytest.fixture
def pay_is_deprecated() -> Iterator[None]:
    """Let tests call `pay`, about which the client warns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield
