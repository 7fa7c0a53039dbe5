"""Payments of BOLT 11 between the nodes of a network."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

import pytest

from clnrpc import RpcError
from lnstandin.network import Network, NetworkNode
from lnstandin.network.network import CHANNEL_SAT

HALF_MSAT = CHANNEL_SAT * 1000 // 2


@pytest.fixture
def network() -> Iterator[Network]:
    """Run a network of two nodes, of which the first has nothing but its channel with the second."""
    with Network(2) as network:
        yield network


def bolt11(node: NetworkNode, amount: str = "21sat", label: str = "a label") -> str:
    """Return a new invoice of a node."""
    return node.client.invoice(amount, label, "a sandwich").bolt11


def balance(node: NetworkNode) -> int:
    """Return what a node has, in millisatoshi."""
    return sum(channel.our_amount_msat for channel in node.client.listfunds().channels)


def test_invoice_is_paid_and_both_sides_know_it(network: Network) -> None:
    payer, payee = network.nodes
    made = payee.client.invoice("21sat", "lunch", "a sandwich")
    paid = payer.client.xpay(made.bolt11)
    assert sha256(bytes.fromhex(paid.payment_preimage)).hexdigest() == made.payment_hash
    assert (paid.amount_msat, paid.amount_sent_msat, paid.successful_parts) == (21_000, 21_000, 1)
    [invoice] = payee.client.listinvoices().invoices
    assert (invoice.status, invoice.amount_received_msat, invoice.bolt11) == ("paid", 21_000, made.bolt11)
    [pay] = payer.client.listpays().pays
    assert (pay.status, pay.preimage, pay.bolt11) == ("complete", paid.payment_preimage, made.bolt11)
    assert payee.client.waitanyinvoice(lastpay_index=0).label == "lunch"
    assert (balance(payer), balance(payee)) == (HALF_MSAT - 21_000, HALF_MSAT + 21_000)
    assert network.total_msat() == 2 * HALF_MSAT


def test_payment_that_is_more_than_the_channel_has_finds_no_route_and_leaves_no_trace(network: Network) -> None:
    payer, payee = network.nodes
    with pytest.raises(RpcError, match="the channel has 5000000000msat") as raised:
        payer.client.xpay(bolt11(payee, f"{HALF_MSAT + 1}msat"))
    assert raised.value.code == 205
    assert payer.client.listpays().pays == []
    assert balance(payer) == HALF_MSAT
