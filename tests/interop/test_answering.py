"""lightningd fetches invoices for our server's offers, and reads why it gets none."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from clnrpc import Client, RpcError
from lnoffers.bolt12 import Invoice, Offer
from tests.interop.conftest import Pair
from tests.interop.nodes import Node
from tests.peers.conftest import Served, Start
from tests.service.program import until
from tests.service.requesting import pay_in

PAUSE = 0.3
"""Seconds between two fetches: lightningd drops what comes faster than four messages a second."""
FETCHES = 200
BAD_ANSWER = 1004
HOUR = 3600


@pytest.fixture
def served(start: Start, l1: Node, tmp_path: Path) -> Served:
    """Return a server that l1 is connected to."""
    rates = tmp_path / "rates.json"
    rates.write_text(json.dumps({"EUR": 80_000}))
    return met(start("--currency-rates", str(rates)), l1)


def met(served: Served, node: Node) -> Served:
    """Have a node connect to a server."""
    node.client.connect(served.id, host="127.0.0.1", port=served.port)
    return served


def fetch(node: Node, offer: str, **given: Any) -> Invoice:
    time.sleep(PAUSE)
    return Invoice.parse(node.client.fetchinvoice(offer, **given).invoice)


def refusal(node: Node, offer: str, **given: Any) -> str:
    """Return the reason in our error, which repeats the request."""
    with pytest.raises(RpcError) as caught:
        fetch(node, offer, **given)
    assert caught.value.code == BAD_ANSWER, caught.value
    words: str = caught.value.data["error"]
    return words.rpartition(": ")[2]


def test_it_fetches_with_a_note(served: Served, l1: Node) -> None:
    made = served.client.offer("1000msat", description="tea")
    invoice = fetch(l1, made.bolt12, payer_note="with milk")
    assert invoice.invoice_amount == 1_000
    [stored] = served.client.listinvoices().invoices
    assert (stored.bolt12, stored.invreq_payer_note) == (invoice.encode(), "with milk")


def test_it_fetches_any_amount_and_several_items(served: Served, l1: Node) -> None:
    anything = served.client.offer("any", description="gift").bolt12
    assert fetch(l1, anything, amount_msat=12_345).invoice_amount == 12_345
    cups = served.client.offer("10msat", description="cups", quantity_max=5).bolt12
    assert fetch(l1, cups, quantity=3).invoice_amount == 30
    assert refusal(l1, cups, quantity=3, amount_msat=29) == "Amount must be at least 30msat"


def test_it_fetches_a_price_in_a_currency(served: Served, l1: Node) -> None:
    coffee = served.client.offer("1.50EUR", description="coffee in euros").bolt12
    invoice = fetch(l1, coffee)
    assert (invoice.invoice_amount, invoice.invoice_relative_expiry) == (1_875_000, 600)


def test_it_reads_that_an_offer_is_disabled(served: Served, l1: Node) -> None:
    made = served.client.offer("11msat", description="sold out")
    served.client.disableoffer(made.offer_id)
    assert refusal(l1, made.bolt12) == "Offer no longer available"


def test_it_reads_that_an_offer_is_not_ours(served: Served, l1: Node) -> None:
    made = Offer.parse(served.client.offer("11msat", description="known").bolt12)
    other = Offer._build((each for each in made.records if each.type != Offer.offer_amount.number), offer_amount=12)
    assert refusal(l1, other.encode()) == "Unknown offer"


def test_it_reads_that_an_offer_has_expired(start: Start, l1: Node) -> None:
    now = int(time.time())
    served = met(start("--dev-time", str(now + 2 * HOUR)), l1)
    made = served.client.offer("11msat", description="gone", absolute_expiry=now + HOUR)
    assert refusal(l1, made.bolt12) == "Offer expired"


def test_it_fetches_each_period_of_a_recurring_offer_and_cancels(start: Start, l1: Node) -> None:
    now = int(time.time())
    served = met(start("--dev-time", str(now)), l1)
    made = served.client.offer("1000msat", description="daily", recurrence="1day").bolt12

    def period(counter: int) -> dict[str, Any]:
        return {"recurrence_counter": counter, "recurrence_label": "mine"}

    assert refusal(l1, made, **period(1)) == "No previous invoice #0"
    first = fetch(l1, made, **period(0))
    assert first.invoice_recurrence_basetime == now
    assert refusal(l1, made, **period(1)) == 'Previous invoice #0 status "unpaid"'
    pay_in(served.program, first)
    assert fetch(l1, made, **period(0) | {"recurrence_counter": 1}).invoice_recurrence_basetime == now
    with pytest.raises(RpcError) as caught:
        fetch(l1, made, **period(0))
    assert caught.value.data["error"] == "Internal error", "it is paid"


def test_it_cancels_a_recurring_offer(start: Start, l1: Node) -> None:
    served = met(start("--dev-time", str(int(time.time()))), l1)
    made = served.client.offer("1000msat", description="weekly", recurrence="1week").bolt12
    mine = {"recurrence_label": "mine"}
    pay_in(served.program, fetch(l1, made, recurrence_counter=0, **mine))
    l1.client.cancelrecurringinvoice(made, recurrence_counter=1, **mine)
    until(lambda: len(served.client.listinvoices().invoices) == 2)
    assert refusal(l1, made, recurrence_counter=1, **mine) == "invoice cancelled"


def test_it_fetches_along_a_blinded_path(served: Served, l1: Node) -> None:
    hidden = served.client.offer("5msat", description="hidden", fronting_nodes=[l1.id]).bolt12
    assert fetch(l1, hidden).invoice_amount == 5


def test_a_node_that_cannot_reach_the_server_fetches_through_the_introduction_node(start: Start, pair: Pair) -> None:
    served = start("--peer", f"{pair.l1.id}@127.0.0.1:{pair.l1.port}")
    until(lambda: served.client.listpeers().peers)
    hidden = served.client.offer("6msat", description="only through l1", fronting_nodes=[pair.l1.id]).bolt12
    assert fetch(pair.l2, hidden).invoice_amount == 6
    assert served.id not in {peer.id for peer in pair.l2.client.listpeers().peers}
    gone = served.client.offer("7msat", description="gone", fronting_nodes=[pair.l1.id])
    served.client.disableoffer(gone.offer_id)
    assert refusal(pair.l2, gone.bolt12) == "Offer no longer available"


def test_of_many_fetches_none_is_lost(served: Served, l1: Node) -> None:
    made = served.client.offer("any", description="often").bolt12
    for amount in range(1, FETCHES + 1):
        assert fetch(l1, made, amount_msat=amount).invoice_amount == amount
    with Client(served.program.socket) as client:
        assert len(client.listinvoices().invoices) == FETCHES
