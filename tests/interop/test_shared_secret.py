"""A server with the secret of a Core Lightning node that has a channel: it never harms that channel."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from clnrpc import Client, RpcError
from tests.interop.chain.folder import Chain
from tests.interop.channels import connect, fund, open_channel
from tests.interop.nodes import Node, running, until
from tests.service.program import Program

HALTED = "about a channel"


@dataclass(frozen=True)
class Case:
    """A node with a channel to its peer, and a server with the node's secret, which listens at `port`."""

    node: Node
    peer: Node
    program: Program
    server: Client
    port: int

    def log(self) -> str:
        """Return what the server has logged."""
        return (self.program.network_dir / "log").read_text()

    def states(self) -> set[str | None]:
        """Return the state of the channel at both ends."""
        ends = ((self.node, self.peer), (self.peer, self.node))
        channels = [one.client.listpeerchannels(id=other.id).channels for one, other in ends]
        assert [len(found) for found in channels] == [1, 1]
        return {found[0].state for found in channels}

    def works(self) -> bool:
        """Return whether both ends are connected again, in normal operation."""
        ends = ((self.node, self.peer), (self.peer, self.node))
        channels = [one.client.listpeerchannels(id=other.id).channels[0] for one, other in ends]
        return all(channel.peer_connected and channel.state == "CHANNELD_NORMAL" for channel in channels)


@pytest.fixture
def case(chain: Chain, work: Path) -> Iterator[Case]:
    """Open a channel, and start a server with the secret of the node that opened it."""
    name = os.urandom(4).hex()
    with (
        running(chain, work / f"{name}1") as node,
        running(chain, work / f"{name}2") as peer,
        tempfile.TemporaryDirectory(prefix="lno") as directory,
    ):
        fund(chain, node)
        open_channel(chain, node, peer)
        program = Program(Path(directory))
        program.give_secret((node.directory / "regtest" / "hsm_secret").read_bytes())
        flags = ("--addr", "127.0.0.1:0", "--log-file", "log", "--log-level", "debug")
        with program.served(*flags), Client(program.socket) as server:
            info = server.getinfo()
            assert info.id == node.id
            [port] = [place.port for place in info.binding or () if place.type == "ipv4"]
            yield Case(node, peer, program, server, port or 0)


def check_unharmed(case: Case) -> None:
    """Check that the server has stopped using its port, said why, and sent nothing that harms the channel."""
    until(lambda: HALTED in case.log(), "the server says why")
    assert case.server.listpeers().peers == []
    with pytest.raises(RpcError, match=HALTED):
        case.server.connect(case.peer.id, host="127.0.0.1", port=case.peer.port)
    with pytest.raises(RpcError):
        case.peer.client.connect(case.node.id, host="127.0.0.1", port=case.port)
    assert case.states() == {"CHANNELD_NORMAL"}
    connect(case.node, case.peer)
    until(case.works, "the channel works again")
    assert case.states() == {"CHANNELD_NORMAL"}
    invoice = case.peer.client.invoice(amount_msat="1000sat", label="after", description="after")
    assert case.node.client.xpay(invstring=invoice.bolt11).successful_parts == 1
    assert "peer_out WIRE_CHANNEL_REESTABLISH" in case.peer.log()
    for end in (case.node, case.peer):
        assert "peer_in WIRE_ERROR" not in end.log()


def test_the_server_connects_to_the_nodes_peer(case: Case) -> None:
    with suppress(RpcError):  # if the peer is faster than the answer
        case.server.connect(case.peer.id, host="127.0.0.1", port=case.peer.port)
    check_unharmed(case)


def test_the_nodes_peer_connects_to_the_server(case: Case) -> None:
    case.peer.client.disconnect(case.node.id, force=True)
    with suppress(RpcError):  # if the server is faster than the answer
        case.peer.client.connect(case.node.id, host="127.0.0.1", port=case.port)
    check_unharmed(case)
