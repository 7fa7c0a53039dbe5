"""A chain and two real nodes on it, `l1` and `l2`, for all tests of this folder; they need LIGHTNINGD.

Tests share them, so they must not rely on balances or close the channel. A test that needs nodes of its own starts
them with `nodes.running`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.interop.chain.folder import Chain
from tests.interop.channels import fund, open_channel
from tests.interop.nodes import Node, lightningd, running
from tests.peers.conftest import start

__all__ = ["Pair", "chain", "l1", "l2", "pair", "start", "work"]


@dataclass(frozen=True)
class Pair:
    """Two nodes with a channel from the first to the second, through which both can pay."""

    l1: Node
    l2: Node
    scid: str


@pytest.fixture(scope="session")
def work() -> Iterator[Path]:
    """Return an empty directory with a path short enough for a socket."""
    lightningd()  # skips before anything is made
    with tempfile.TemporaryDirectory(prefix="cln") as directory:
        yield Path(directory)


@pytest.fixture(scope="session")
def chain(work: Path) -> Chain:
    """Return the chain that the nodes share."""
    return Chain.create(work / "chain")


@pytest.fixture(scope="session")
def l1(chain: Chain, work: Path) -> Iterator[Node]:
    """Return the first node."""
    with running(chain, work / "l1", "--alias=l1") as node:
        yield node


@pytest.fixture(scope="session")
def l2(chain: Chain, work: Path) -> Iterator[Node]:
    """Return the second node."""
    with running(chain, work / "l2", "--alias=l2") as node:
        yield node


@pytest.fixture(scope="session")
def pair(chain: Chain, l1: Node, l2: Node) -> Pair:
    """Return both nodes, with an open channel."""
    fund(chain, l1)
    return Pair(l1, l2, open_channel(chain, l1, l2))
