"""Fixtures for tests of programs that use a Core Lightning node. pytest finds them once `clnrpc[testing]` is installed.

`cln` is a mock with a script (`lnstandin.mock`), and `clnrest` the same mock over REST. `lightning_network`,
`lightning_node` and `lightning_peer` are nodes with play money (`lnstandin.network`). Everything is in a temporary
folder, on sockets and ports of its own, so tests can run at the same time (pytest-xdist).

A test that fails prints the calls of its nodes, and their answers.

This module is imported by every run of pytest, so it imports the stand-ins only when a test asks for one.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from lnstandin.asserting import CheckedMock, Rest
    from lnstandin.network import Network, NetworkNode

_EXCHANGES: Final = pytest.StashKey[list[tuple[str, Callable[[], str]]]]()
"""Headings, and functions that return the calls under each."""
_MARKER: Final = (
    "cln(schemas=None, release=None, seed=0, examples=True): options of the fixture cln: a folder of documents, a "
    "release to behave like, the seed of generated answers, and whether the documents' examples are answers"
)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker."""
    config.addinivalue_line("markers", _MARKER)


@pytest.fixture
def cln(request: pytest.FixtureRequest) -> Iterator[CheckedMock]:
    """A node that answers as its script says: `cln.on("xpay").fail(205, "No route")`. Clients use `cln.socket`."""
    from lnstandin.asserting import CheckedMock  # noqa: PLC0415 # 0085: slow

    marker = request.node.get_closest_marker("cln")
    options = {} if marker is None else dict(marker.kwargs)
    if "clnrest" in request.fixturenames:
        options["rest"] = ("127.0.0.1", 0)
    with CheckedMock(**options) as mock:
        _show_if_failed(request, "Calls of cln", lambda: str(mock.calls))
        yield mock


@pytest.fixture
def clnrest(cln: CheckedMock) -> Iterator[Rest]:
    """The same mock over HTTPS, as the plugin clnrest serves a node: `clnrest.url`, `clnrest.rune`, `clnrest.ca`."""
    from lnstandin.asserting import Rest  # noqa: PLC0415 # 0085: slow

    rune = cln.client.rpc_call("createrune")["rune"]
    cln.calls.clear()  # the test has not called anything yet
    rest = Rest(cln.rest_url, rune, cln.folder / "ca.pem")
    yield rest
    rest.client.rpc_close()


@pytest.fixture
def lightning_network(request: pytest.FixtureRequest) -> Iterator[Callable[..., Network]]:
    """A function that starts connected nodes with play money: `lightning_network(3)`; see `lnstandin.network`."""
    from lnstandin.network import Network  # noqa: PLC0415 # 0085: slow

    with ExitStack() as started:

        def start(count: int = 2, **options: Any) -> Network:
            network = started.enter_context(Network(count, **options))
            for number, node in enumerate(network.nodes):
                _show_if_failed(request, f"Calls of node {number}", partial(_calls, node))
            return network

        yield start


@pytest.fixture
def _pair(lightning_network: Callable[..., Network]) -> Network:
    return lightning_network(2)


@pytest.fixture
def lightning_node(_pair: Network) -> NetworkNode:
    """A node with a channel to `lightning_peer`; each side begins with half of the money in it."""
    return _pair.nodes[0]


@pytest.fixture
def lightning_peer(_pair: Network) -> NetworkNode:
    """The node at the other end of the channel of `lightning_node`."""
    return _pair.nodes[1]


def _calls(node: NetworkNode) -> str:
    return "\n".join(node.calls())


def _show_if_failed(request: pytest.FixtureRequest, title: str, text: Callable[[], str]) -> None:
    request.node.stash.setdefault(_EXCHANGES, []).append((title, text))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the calls to the report of a test that failed."""
    report = yield
    if report.when == "call" and report.failed:
        report.sections.extend((title, text() or "none") for title, text in item.stash.get(_EXCHANGES, ()))
    return report
