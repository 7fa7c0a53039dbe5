"""Directories for this folder's tests, with paths short enough for a socket."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lnoffers.service import Node, Options
from tests.service.program import SEED_SECRET, Program


@pytest.fixture
def program() -> Iterator[Program]:
    """The program on a new, empty directory."""
    with tempfile.TemporaryDirectory(prefix="lno") as directory:
        yield Program(Path(directory))


@pytest.fixture
def seed_program(program: Program) -> Program:
    """The program on a directory with the secret of the documents' examples."""
    program.give_secret(SEED_SECRET)
    return program


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """A new node in this process; entropy and time are injected, nothing yet."""
    (tmp_path / "regtest").mkdir()
    (tmp_path / "regtest" / "hsm_secret").write_bytes(SEED_SECRET)
    with Node.open(Options(lightning_dir=tmp_path, network="regtest", dev_entropy=b"", dev_time=0)) as opened:
        yield opened
