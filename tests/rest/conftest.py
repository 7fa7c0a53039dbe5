"""A server with REST that several tests share: each of them makes runes of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rest.running import Node, Site, served
from tests.rest.serving import Served, served_over_rest
from tests.service.invoicing import NOW
from tests.service.program import SEED_SECRET, Program


@pytest.fixture
def directory() -> Iterator[Path]:
    """Yield a directory whose path leaves room for that of a socket."""
    with tempfile.TemporaryDirectory(prefix="rest") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    """Run a server whose clock stands still, so that time passes for no rune."""
    with tempfile.TemporaryDirectory(prefix="rest") as folder:
        Program(Path(folder)).give_secret(SEED_SECRET)
        with served_over_rest(Path(folder), "--dev-entropy", "", "--dev-time", str(NOW)) as served:
            yield served


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the certificates, which are made once."""
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture
def node() -> Node:
    """Return the node behind the site."""
    return Node()


@pytest.fixture
def site(node: Node, certificates: Path) -> Iterator[Site]:
    """Serve the node."""
    with served(node, certificates) as site:
        yield site
