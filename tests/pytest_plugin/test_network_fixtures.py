"""The fixtures with nodes: networks of any size, a pair, and reports of tests that fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lnstandin.network import Network, NetworkNode
from tests.pytest_plugin.running import run_pytest


def test_the_pair_pays_each_other(lightning_node: NetworkNode, lightning_peer: NetworkNode) -> None:
    for payer, payee in ((lightning_node, lightning_peer), (lightning_peer, lightning_node)):
        invoice = payee.client.invoice("21sat", "a", "b")
        assert payer.client.xpay(invoice.bolt11).amount_msat == 21_000


def test_a_test_has_several_networks(lightning_network: Callable[..., Network]) -> None:
    one, other = lightning_network(1), lightning_network(2, channel_sat=1_000)
    assert [len(network.nodes) for network in (one, other)] == [1, 2]
    assert other.total_msat() == 1_000_000


def test_a_failing_test_prints_the_calls_of_each_node(tmp_path: Path) -> None:
    source = """
        def test_it(lightning_node, lightning_peer):
            made = lightning_peer.client.invoice("1sat", "label", "text")
            lightning_node.client.xpay(made.bolt11)
            lightning_node.fail_next(205)
            lightning_node.client.xpay(lightning_peer.client.invoice("1sat", "other", "text").bolt11)
        """
    done = run_pytest(tmp_path, source)
    assert done.returncode == 1
    of_node, of_peer = done.stdout.split("Calls of node 0")[1].split("Calls of node 1")
    assert 'xpay {"invstring":"lnbcrt' in of_node
    assert '"amount_msat":1000' in of_node
    assert "-> error 205: " in of_node
    assert '"label":"other"' in of_peer


def test_a_failing_test_prints_the_calls_of_a_node_that_was_killed(tmp_path: Path) -> None:
    source = """
        def test_it(lightning_network):
            network = lightning_network(2, processes=True)
            network.nodes[0].client.invoice("1sat", "of the killed one", "text")
            network.nodes[0].kill()
            network.nodes[1].client.rpc_call("stop")
            assert False
        """
    done = run_pytest(tmp_path, source)
    assert done.returncode == 1
    assert "of the killed one" in done.stdout.split("Calls of node 0")[1]
    assert "stop" in done.stdout.split("Calls of node 1")[1]
