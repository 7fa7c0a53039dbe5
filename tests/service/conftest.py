"""Directories for this folder's tests, with paths short enough for a socket."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import Any

import pytest

from clnrpc.runtime.server.dispatch import Answer
from lnoffers.bolt12 import new_hsm_secret
from lnoffers.service import Node, OffersService, Options
from lnoffers.service.dispatching import dispatcher
from lnoffers.service.store import Store
from tests.service.invoicing import NOW, Ask
from tests.service.program import SEED_SECRET, Program
from tests.service.storing import OWNER


@pytest.fixture
def no_node() -> Iterator[Program]:
    """Yield the program on a new, empty directory."""
    with tempfile.TemporaryDirectory(prefix="lno") as directory:
        yield Program(Path(directory))


@pytest.fixture
def program(no_node: Program) -> Program:
    """Return the program on a directory with a secret of its own."""
    no_node.give_secret(new_hsm_secret(os.urandom(16)))
    return no_node


@pytest.fixture
def seed_program(no_node: Program) -> Program:
    """Return the program on a directory with the secret of the documents' examples."""
    no_node.give_secret(SEED_SECRET)
    return no_node


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """Yield a new node in this process; entropy and time are injected, none yet."""
    Program(tmp_path).give_secret(SEED_SECRET)
    with Node.open(Options(lightning_dir=tmp_path, network="regtest", dev_entropy=b"", dev_time=0)) as opened:
        yield opened


async def awaited(answer: Awaitable[Answer]) -> Answer:
    """Wait for an answer that is given later."""
    return await answer


@pytest.fixture
def ask(node: Node) -> Ask:
    """Make a call, by name or by position; return the result or the error."""
    node.inject(None, NOW)
    through = dispatcher(OffersService(node), developer=False)

    def call(method: str, *positional: Any, **named: Any) -> Any:
        message = {"jsonrpc": "2.0", "id": 0, "method": method, "params": list(positional) or named}
        found = through.answer(json.dumps(message).encode())
        found = found if isinstance(found, Answer) else asyncio.run(awaited(found))
        response = json.loads(found.data + b"".join(found.rest or ()))
        return response.get("result", response.get("error"))

    return call


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite3"


@pytest.fixture
def store(store_path: Path) -> Iterator[Store]:
    opened = Store.open(None, store_path, OWNER)
    yield opened
    opened.close()
