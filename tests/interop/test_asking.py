"""Our server fetches invoices from lightningd's offers with `fetchinvoice`, and gives its reasons if it gets none."""

from __future__ import annotations

import time
from typing import Any

import pytest

from clnrpc import RpcError
from clnrpc.types import FetchinvoiceResponse
from lnoffers.bolt12 import Invoice
from tests.interop.conftest import Pair
from tests.interop.nodes import Node
from tests.peers.conftest import Served, Start
from tests.service.program import until

PAUSE = 0.3
"""Seconds between two fetches: lightningd drops what comes faster than four messages a second."""
FETCHES = 200
OFFER_EXPIRED, BAD_ANSWER = 1002, 1004
DAY = 86_400


@pytest.fixture
def served(start: Start, l1: Node) -> Served:
    """A server that has connected to l1."""
    return met(start(), l1)


def met(served: Served, node: Node) -> Served:
    """Have a server connect to a node."""
    served.client.connect(node.id, host="127.0.0.1", port=node.port)
    return served


def fetch(served: Served, offer: str, **given: Any) -> FetchinvoiceResponse:
    time.sleep(PAUSE)
    return served.client.fetchinvoice(offer, **given)


def refusal(served: Served, offer: str, **given: Any) -> str:
    """Return the issuer's words in our error, without the request that they repeat."""
    with pytest.raises(RpcError) as caught:
        fetch(served, offer, **given)
    assert caught.value.code == BAD_ANSWER, caught.value
    assert caught.value.data["reason"] == "refused"
    words: str = caught.value.data["error"]
    return words.rpartition(": ")[2]


def test_a_node_stores_the_invoice_with_our_note(served: Served, l1: Node) -> None:
    made = l1.client.offer(amount="1sat", description="coffee").bolt12
    found = fetch(served, made, payer_note="with milk")
    assert found.changes.amount_msat is None
    [stored] = l1.client.listinvoices(invstring=found.invoice).invoices
    assert (stored.status, stored.amount_msat, stored.invreq_payer_note) == ("unpaid", 1_000, "with milk")


def test_a_node_asks_for_the_price_of_all_items(served: Served, l1: Node) -> None:
    made = l1.client.offer(amount="10msat", description="cups", quantity_max=5).bolt12
    assert Invoice.parse(fetch(served, made, quantity=3).invoice).invoice_amount == 30
    with pytest.raises(RpcError, match="quantity must be <= 5"):
        fetch(served, made, quantity=6)


def test_a_node_refuses_in_its_words(served: Served, l1: Node) -> None:
    made = l1.client.offer(amount="11msat", description="sold out")
    assert refusal(served, made.bolt12, amount_msat=100) == "Amount vastly exceeds 11msat"
    l1.client.disableoffer(made.offer_id)
    assert refusal(served, made.bolt12) == "Offer no longer available"


def test_an_expired_offer_is_not_asked_for(served: Served, l1: Node) -> None:
    made = l1.client.offer(amount="12msat", description="yesterday", absolute_expiry=int(time.time()) - DAY).bolt12
    with pytest.raises(RpcError, match="Offer expired") as caught:
        fetch(served, made)
    assert caught.value.code == OFFER_EXPIRED


def test_a_paid_period_of_a_recurring_offer_is_followed_by_the_next(start: Start, pair: Pair) -> None:
    served = met(start(), pair.l2)
    made = pair.l2.client.offer(amount="1sat", description="daily", recurrence="1day").bolt12
    mine: dict[str, Any] = {"recurrence_label": "mine"}
    assert refusal(served, made, recurrence_counter=1, **mine) == "No previous invoice #0"
    first = fetch(served, made, recurrence_counter=0, **mine)
    basetime = Invoice.parse(first.invoice).invoice_recurrence_basetime
    assert basetime is not None
    assert first.next_period is not None
    assert (first.next_period.counter, first.next_period.starttime) == (1, basetime + DAY)
    assert (first.next_period.endtime, first.next_period.paywindow_start) == (basetime + 2 * DAY - 1, basetime)
    pair.l1.client.xpay(first.invoice)
    second = fetch(served, made, recurrence_counter=1, **mine)
    assert Invoice.parse(second.invoice).invoice_recurrence_basetime == basetime


def test_a_cancelled_recurrence_gets_no_further_invoice(start: Start, pair: Pair) -> None:
    served = met(start(), pair.l2)
    made = pair.l2.client.offer(amount="1sat", description="weekly", recurrence="1week")
    mine: dict[str, Any] = {"recurrence_label": "mine"}
    pair.l1.client.xpay(fetch(served, made.bolt12, recurrence_counter=0, **mine).invoice)
    served.client.cancelrecurringinvoice(made.bolt12, recurrence_counter=1, **mine)
    until(lambda: len(pair.l2.client.listinvoices(offer_id=made.offer_id).invoices) == 2)
    assert refusal(served, made.bolt12, recurrence_counter=1, **mine) == "invoice cancelled"


def test_a_request_takes_the_path_of_the_offer_through_another_node(start: Start, pair: Pair) -> None:
    served = met(start(), pair.l1)
    hidden = pair.l2.client.offer(amount="any", description="path", fronting_nodes=[pair.l1.id]).bolt12
    assert Invoice.parse(fetch(served, hidden, amount_msat=1_234).invoice).invoice_amount == 1_234
    assert served.peers() == {pair.l1.id}


def test_of_many_fetches_none_is_lost(served: Served, l1: Node) -> None:
    made = l1.client.offer(amount="any", description="often").bolt12
    for amount in range(1, FETCHES + 1):
        assert Invoice.parse(fetch(served, made, amount_msat=amount).invoice).invoice_amount == amount
