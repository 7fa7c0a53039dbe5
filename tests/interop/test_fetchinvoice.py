"""The server's fetchinvoice and cancelrecurringinvoice with real nodes as issuers, compared with a real payer's."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from clnrpc import RpcError
from lnoffers.bolt12 import BlindedPath, ChannelEnd, Invoice, Offer
from lnoffers.net.blinding import message_path
from tests.interop.conftest import Pair
from tests.interop.nodes import Node
from tests.interop.test_fetch import hand_made
from tests.peers.conftest import Served, Start
from tests.peers.stranger import REGTEST, connected, key
from tests.service.program import until

PAUSE = 0.3
"""Seconds between two fetches: nodes drop what comes faster than four messages a second."""
FETCHES = 200
BAD_ANSWER = 1004


@pytest.fixture
def payer(start: Start, l1: Node) -> Served:
    """Return a server that is connected to l1."""
    served = start()
    served.client.connect(f"{l1.id}@127.0.0.1:{l1.port}")
    return served


def fetched(node: Node | Served, offer: str, **given: Any) -> dict[str, Any]:
    time.sleep(PAUSE)
    result: dict[str, Any] = node.client.rpc_call("fetchinvoice", {"offer": offer, **given})
    return result


def refusal(node: Node | Served, offer: str, **given: Any) -> tuple[int, str]:
    """Return the code, and the issuer's words without the request that they repeat."""
    with pytest.raises(RpcError) as caught:
        fetched(node, offer, **given)
    return caught.value.code, (caught.value.data or {}).get("error", "").rpartition(": ")[2]


def without_invoice(result: dict[str, Any]) -> dict[str, Any]:
    """Return what is said beside the invoice; times count from when that was made."""
    created = Invoice.parse(result["invoice"]).invoice_created_at or 0
    period = result.get("next_period", {"counter": None})
    times = {name: value - created for name, value in period.items() if name != "counter"}
    return {"changes": result["changes"], "counter": period["counter"], **times}


def test_answers_as_a_real_payer_does(payer: Served, pair: Pair) -> None:
    l1, l2 = pair.l1, pair.l2
    plain = l1.client.offer(amount="1000msat", description="plain").bolt12
    anything = l1.client.offer(amount="any", description="gift").bolt12
    cups = l1.client.offer(amount="10msat", description="cups", quantity_max=5).bolt12
    daily = l1.client.offer(amount="7msat", description="daily", recurrence="1day").bolt12
    calls: list[tuple[str, dict[str, Any]]] = [
        (plain, {"payer_note": "with milk"}),
        (plain, {"amount_msat": 1_001}),
        (anything, {"amount_msat": "2sat"}),
        (cups, {"quantity": 3}),
        (daily, {"recurrence_counter": 0, "recurrence_label": "mine"}),
    ]
    for offer, given in calls:
        ours, theirs = (without_invoice(fetched(node, offer, **given)) for node in (payer, l2))
        assert ours == theirs


def test_fetches_through_the_introduction_node_of_an_offer(payer: Served, pair: Pair) -> None:
    made = pair.l2.client.offer(amount="any", description="hidden", fronting_nodes=[pair.l1.id]).bolt12
    assert Invoice.parse(fetched(payer, made, amount_msat=7)["invoice"]).invoice_amount == 7
    plain = hand_made(pair.l2, "behind").encode()
    pair.l2.client.rpc_call("createoffer", {"bolt12": plain})
    assert Invoice.parse(fetched(payer, plain)["invoice"]).invoice_node_id == bytes.fromhex(pair.l2.id)
    assert [peer.id for peer in payer.client.listpeers().peers] == [pair.l1.id]


def test_reads_the_words_of_a_real_issuer(payer: Served, l1: Node) -> None:
    made = l1.client.offer(amount="11msat", description="no more")
    l1.client.disableoffer(offer_id=made.offer_id)
    assert refusal(payer, made.bolt12) == (BAD_ANSWER, "Offer no longer available")
    assert refusal(payer, hand_made(l1, "unknown here").encode()) == (BAD_ANSWER, "Unknown offer")


def test_a_real_issuer_knows_that_a_series_was_cancelled(payer: Served, pair: Pair) -> None:
    daily = pair.l1.client.offer(amount="8msat", description="paper", recurrence="1day").bolt12
    mine = {"recurrence_label": "mine"}
    first = fetched(payer, daily, recurrence_counter=0, **mine)
    assert refusal(payer, daily, recurrence_counter=1, **mine) == (BAD_ANSWER, 'Previous invoice #0 status "unpaid"')
    pair.l2.client.rpc_call("xpay", [first["invoice"]])  # another payer's money is as good
    assert first["next_period"]["counter"] == 1
    assert refusal(payer, daily, recurrence_counter=2, **mine) == (BAD_ANSWER, "No previous invoice #1")
    time.sleep(PAUSE)
    payer.client.cancelrecurringinvoice(daily, recurrence_counter=1, **mine)
    until(lambda: len(pair.l1.client.listinvoices(offer_id=Offer.parse(daily).offer_id.hex()).invoices) == 2)
    assert refusal(payer, daily, recurrence_counter=1, **mine) == (BAD_ANSWER, "invoice cancelled")


def test_a_real_issuer_follows_a_paid_period_with_the_next(payer: Served, pair: Pair) -> None:
    daily = pair.l1.client.offer(amount="9msat", description="milk", recurrence="1day").bolt12
    mine = {"recurrence_label": "mine"}
    first = fetched(payer, daily, recurrence_counter=0, **mine)["invoice"]
    pair.l2.client.rpc_call("xpay", [first])
    second = fetched(payer, daily, recurrence_counter=1, **mine)
    basetimes = [Invoice.parse(invoice).invoice_recurrence_basetime for invoice in (first, second["invoice"])]
    assert basetimes[0] == basetimes[1] is not None
    assert second["next_period"]["counter"] == 2


def test_two_hundred_fetches_at_the_pace_of_the_issuer_lose_none(payer: Served, l1: Node) -> None:
    offer = l1.client.offer(amount="any", description="very often").bolt12
    for amount in range(1, FETCHES + 1):
        assert Invoice.parse(fetched(payer, offer, amount_msat=amount)["invoice"]).invoice_amount == amount


STRANGE: Sequence[bytes | ChannelEnd] = (key(7).public_key, key(8).public_key, ChannelEnd(1, 5 << 40 | 6 << 16 | 7))
"""First nodes of paths that nobody knows."""


@pytest.mark.parametrize("firsts", [STRANGE[:0], STRANGE[:1], STRANGE[:2], STRANGE])
def test_an_issuer_that_cannot_be_reached_is_named_as_a_real_payer_names_it(
    start: Start, pair: Pair, firsts: Sequence[bytes | ChannelEnd]
) -> None:
    path = message_path(b"p" * 32, [key(9).public_key] * 2, bytes(32))
    paths = [replace(path, first_node_id=first) for first in firsts]
    unknown = silent_offer(paths or None)
    ours, theirs = (first_clause(node, unknown) for node in (start(), pair.l2))
    assert ours == theirs
    assert theirs[0] == 1003


def test_the_time_of_an_issuer_that_is_silent_is_up_as_with_a_real_payer(payer: Served, pair: Pair) -> None:
    with connected(key(9), payer.id, payer.port), connected(key(9), pair.l2.id, pair.l2.port):
        until(lambda: key(9).public_key.hex() in payer.peers())
        ours, theirs = (first_clause(node, silent_offer(), timeout=2) for node in (payer, pair.l2))
        assert ours == theirs == (1005, "Timeout waiting for response")


def silent_offer(paths: Sequence[BlindedPath] | None = None) -> str:
    """Return the offer of a node that does not answer."""
    return Offer.build(
        offer_issuer_id=key(9).public_key,
        offer_amount=7,
        offer_description="silence",
        offer_chains=(REGTEST,),
        offer_paths=paths,
    ).encode()


def first_clause(node: Node | Served, offer: str, **given: Any) -> tuple[int, str]:
    """Return the code of the error, and its text until the reason."""
    with pytest.raises(RpcError) as caught:
        fetched(node, offer, **given)
    clause = re.match("(Failed: )?[^:]+", caught.value.message)
    assert clause is not None
    return caught.value.code, clause[0]
