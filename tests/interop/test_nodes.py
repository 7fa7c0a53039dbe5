"""Real nodes on our own chain: they start, open a channel and pay, and typed calls understand their answers."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from clnrpc import RpcError
from clnrpc.types import GetinfoResponse, ListpeerchannelsResponse
from tests.interop.chain.folder import Chain
from tests.interop.channels import CHANNEL_SAT, fund, is_announced
from tests.interop.conftest import Pair
from tests.interop.nodes import Node, running, until


def test_a_node_says_who_it_is(l1: Node) -> None:
    info = l1.client.getinfo()
    assert isinstance(info, GetinfoResponse)
    assert (info.alias, info.network, info.id) == ("l1", "regtest", l1.id)
    assert [(place.type, place.address, place.port) for place in info.binding or []] == [("ipv4", "127.0.0.1", l1.port)]


def test_a_nodes_log_can_be_read(l1: Node) -> None:
    assert l1.client.getinfo().version in l1.log()


def test_a_node_follows_the_chain(chain: Chain, l1: Node) -> None:
    chain.mine(2)
    height = chain.height
    assert until(lambda: l1.height >= height, "the node has both blocks")
    assert "warning_lightningd_sync" not in l1.client.rpc_call("getinfo")


def test_a_nodes_wallet_is_paid(chain: Chain, l2: Node) -> None:
    fund(chain, l2, 123_456)
    assert 123_456_000 in {output.amount_msat for output in l2.client.listfunds().outputs}


def test_a_channel_opens_with_money_on_both_sides(pair: Pair) -> None:
    peers = pair.l2.client.listpeerchannels(id=pair.l1.id)
    assert isinstance(peers, ListpeerchannelsResponse)
    (channel,) = peers.channels
    assert channel.short_channel_id == pair.scid
    assert channel.state == "CHANNELD_NORMAL"
    assert (channel.opener, channel.total_msat) == ("remote", CHANNEL_SAT * 1000)
    assert 0 < (channel.to_us_msat or 0) < CHANNEL_SAT * 1000


def test_a_channel_is_announced(pair: Pair) -> None:
    until(lambda: is_announced(pair.l1, pair.scid), "the channel is known to the network")


@pytest.mark.parametrize("payer", ["l1", "l2"])
def test_an_invoice_is_paid(pair: Pair, payer: str) -> None:
    source, target = (pair.l1, pair.l2) if payer == "l1" else (pair.l2, pair.l1)
    invoice = target.client.invoice(amount_msat=10_000_000, label=f"from {payer}", description="tea")
    paid = source.client.xpay(invstring=invoice.bolt11)
    assert paid.amount_msat == 10_000_000
    (seen,) = target.client.listinvoices(label=f"from {payer}").invoices
    assert (seen.status, seen.payment_preimage) == ("paid", paid.payment_preimage)


def test_an_error_of_the_node_is_an_rpc_error(l1: Node) -> None:
    with pytest.raises(RpcError) as caught:
        l1.client.delinvoice(label="no such label", status="unpaid")
    assert caught.value.code == 905


def test_a_node_keeps_its_identity_and_ends_with_its_block(chain: Chain, work: Path) -> None:
    processes: list[subprocess.Popen[bytes]] = []
    identities = set()
    for _ in range(2):
        with running(chain, work / "restarted") as node:
            processes.append(node.process)
            identities.add(node.id)
    assert len(identities) == 1
    assert [process.returncode for process in processes] == [0, 0]
