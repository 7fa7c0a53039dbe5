"""sendinvoice and xpay of our server with real nodes: as payer, as the node that collects, and as payee."""

from __future__ import annotations

import pytest

from clnrpc import RpcError
from tests.interop.conftest import Pair
from tests.interop.nodes import Node, until
from tests.peers.conftest import Served, Start


def connected(start: Start, node: Node, *flags: str) -> Served:
    """Return a server with these options that is connected to a node."""
    served = start(*flags)
    served.client.connect(f"{node.id}@127.0.0.1:{node.port}")
    return served


def test_a_real_payer_pays_our_invoice_through_the_node_that_collects(pair: Pair, start: Start) -> None:
    payee = connected(start, pair.l2, "--backend", f"cln:{pair.l1.socket}")
    made = pair.l2.client.invoicerequest("1000sat", "withdrawal")
    request = made.bolt12
    paid = payee.client.sendinvoice(request, "withdrawal")
    assert (paid.status, paid.amount_received_msat) == ("paid", 1_000_000)
    until(
        lambda: pair.l2.client.listinvoicerequests(invreq_id=made.invreq_id).invoicerequests[0].used,
        "the payer's node knows",
    )
    with pytest.raises(RpcError) as refused:
        payee.client.sendinvoice(request, "again")
    assert refused.value.code == 1004


def test_a_real_payer_refuses_an_invoice_that_leads_nowhere(pair: Pair, start: Start) -> None:
    """Ours has no channel, and no backend collects for it."""
    payee = connected(start, pair.l2)
    request = pair.l2.client.invoicerequest("1000sat", "withdrawal").bolt12
    with pytest.raises(RpcError) as refused:
        payee.client.sendinvoice(request, "withdrawal")
    assert refused.value.code == 1004
    assert "pay attempt failed" in refused.value.data["error"]


def test_xpay_pays_a_real_node_s_offer_and_the_proof_verifies_there(pair: Pair, start: Start) -> None:
    buyer = connected(start, pair.l1, "--backend", f"cln:{pair.l2.socket}")
    offer = pair.l1.client.offer(amount="1000msat", description="tea").bolt12
    paid = buyer.client.xpay(offer, payer_note="no sugar")
    [sold] = pair.l1.client.listinvoices(offer_id=pair.l1.client.decode(offer).offer_id).invoices
    assert (sold.status, sold.payment_preimage) == ("paid", paid.payment_preimage)
    [proof] = buyer.client.createproof(offer, note="mine").proofs
    decoded = pair.l1.client.decode(proof.bolt12)
    assert (decoded.type, decoded.valid, decoded.proof_note) == ("bolt12 payer_proof", True, "mine")
    with pytest.raises(RpcError) as refused:
        buyer.client.xpay(sold.bolt12 or "")
    assert refused.value.code == 219
