"""Directories for this folder's tests, with paths short enough for a socket."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lnoffers.bolt12 import new_hsm_secret
from lnoffers.service import Node, Options
from tests.service.program import SEED_SECRET, Program


@pytest.fixture
def no_node() -> Iterator[Program]:
    """The program on a new, empty directory."""
    with tempfile.TemporaryDirectory(prefix="lno") as directory:
        yield Program(Path(directory))


@pytest.fixture
def program(no_node: Program) -> Program:
    """The program on a directory with a secret of its own."""
    no_node.give_secret(new_hsm_secret(os.urandom(16)))
    return no_node


@pytest.fixture
def seed_program(no_node: Program) -> Program:
    """The program on a directory with the secret of the documents' examples."""
    no_node.give_secret(SEED_SECRET)
    return no_node


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """A new node in this process; entropy and time are injected, nothing yet."""
    Program(tmp_path).give_secret(SEED_SECRET)
    with Node.open(Options(lightning_dir=tmp_path, network="regtest", dev_entropy=b"", dev_time=0)) as opened:
        yield opened
