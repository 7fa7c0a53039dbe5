"""What the application answers, by the table of clnrest, over real TLS."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest

from clnrpc import RpcError
from tests.rest.running import RUNE, Site, in_pieces, served

Called = tuple[str, bytes]


class Node:
    """A node that permits every call with RUNE, and writes down what is asked of it."""

    def __init__(self) -> None:
        self.called: list[Called] = []

    async def __call__(self, method: str, params: bytes, /) -> bytes | AsyncGenerator[bytes, None]:
        self.called.append((method, params))
        match method:
            case "checkrune":
                rune = json.loads(params)["rune"]
                if rune == "useless":
                    return b'{"valid":false}'
                if rune != RUNE:
                    raise RpcError(1501, "Not authorized: Not derived from master")
                return b'{"valid":true}'
            case "getinfo" | "help":
                return b'{"id":"02aa"}'
            case "pay":
                raise RpcError(210, "Timed out", {"attempts": 3})
            case "listinvoices":
                return in_pieces(b'{"invoices":[', b"1,", b"2", b"]}")
        raise RpcError(-32601, f"Unknown command '{method}'")


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


def test_answers_201_with_the_bare_result(site: Site) -> None:
    answer = site.post("getinfo")
    assert (answer.status, answer.json) == (201, {"id": "02aa"})
