"""Servers fetch from each other's offers, alone or through a third one that forwards."""

from __future__ import annotations

from typing import Any

import pytest

from clnrpc import RpcError
from lnoffers.bolt12 import Invoice
from tests.bolt12.samples import NOW
from tests.peers.conftest import Served, Start
from tests.service.program import until
from tests.service.requesting import pay_in

DAY = 86_400


def fetch(payer: Served, offer: str, **given: Any) -> Invoice:
    return Invoice.parse(payer.client.fetchinvoice(offer, **given).invoice)


def refusal(payer: Served, offer: str, **given: Any) -> str:
    """Return the issuer's error text without the request that it repeats."""
    with pytest.raises(RpcError) as caught:
        fetch(payer, offer, **given)
    assert caught.value.code == 1004
    words: str = caught.value.data["error"]
    return words.rpartition(": ")[2]


def test_an_invoice_is_fetched_and_both_have_it(start: Start) -> None:
    issuer = start()
    payer = start("--peer", issuer.address)
    offer = issuer.client.offer("1000msat", description="tea", quantity_max=5)
    fetched = fetch(payer, offer.bolt12, quantity=2, payer_note="with milk")
    [listed] = issuer.client.listinvoices().invoices
    assert (listed.bolt12, listed.amount_msat, listed.invreq_payer_note) == (fetched.encode(), 2_000, "with milk")
    issuer.client.disableoffer(offer.offer_id)
    assert refusal(payer, offer.bolt12, quantity=2) == "Offer no longer available"
    assert issuer.client.listinvoices().invoices[0].status == "expired"


def test_a_third_server_forwards_for_offers_with_paths_and_without(start: Start) -> None:
    middle = start()
    issuer, payer = start("--peer", middle.address), start("--peer", middle.address)
    until(lambda: len(middle.client.listpeers().peers) == 2)
    plain = issuer.client.offer("any", description="plain").bolt12
    hidden = issuer.client.offer("any", description="hidden", fronting_nodes=[middle.id]).bolt12
    for offer in (plain, hidden):
        assert fetch(payer, offer, amount_msat=7).invoice_amount == 7
    assert {peer.id for peer in payer.client.listpeers().peers} == {middle.id}


def test_a_recurring_offer_is_paid_period_by_period_until_it_is_cancelled(start: Start) -> None:
    issuer = start("--dev-time", str(NOW))
    payer = start("--peer", issuer.address, "--dev-time", str(NOW))
    offer = issuer.client.offer("1000msat", description="daily", recurrence="1day").bolt12
    mine = {"recurrence_label": "mine"}
    first = payer.client.fetchinvoice(offer, recurrence_counter=0, **mine)
    assert first.next_period is not None
    assert (first.next_period.counter, first.next_period.starttime) == (1, NOW + DAY)
    assert refusal(payer, offer, recurrence_counter=1, **mine) == 'Previous invoice #0 status "unpaid"'
    pay_in(issuer.program, Invoice.parse(first.invoice))
    assert refusal(payer, offer, recurrence_counter=2, **mine) == "No previous invoice #1"
    payer.client.cancelrecurringinvoice(offer, recurrence_counter=1, **mine)
    until(lambda: len(issuer.client.listinvoices().invoices) == 2)
    assert refusal(payer, offer, recurrence_counter=1, **mine) == "invoice cancelled"


def test_a_server_may_fetch_from_its_own_offers(start: Start) -> None:
    served, middle = start(), start()
    served.client.connect(middle.address)
    own = served.client.offer("any", description="mine").bolt12
    hidden = served.client.offer("any", description="mine too", fronting_nodes=[middle.id]).bolt12
    for offer in (own, hidden):
        assert fetch(served, offer, amount_msat=7).invoice_node_id == bytes.fromhex(served.id)
    assert len(served.client.listinvoices().invoices) == 2
    served.client.disconnect(middle.id)
    assert fetch(served, own, amount_msat=8).invoice_amount == 8
