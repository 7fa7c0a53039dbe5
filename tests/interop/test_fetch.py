"""We fetch invoices from real nodes: by their offers with and without paths, and what they refuse."""

from __future__ import annotations

import asyncio
import shlex
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lnoffers import Bolt12Error, FetchError, fetch_invoice
from lnoffers.bolt12 import CHAINS, ChannelEnd, Invoice, KeyPair, Offer
from lnoffers.fetching import Address, Reason
from lnoffers.fetching.peer import connected
from lnoffers.net.features import OFFERED
from lnoffers.net.messages import Init, OnionMessage, PeerWarning
from tests.interop import rates
from tests.interop.conftest import Pair
from tests.interop.nodes import Node

SECONDS = 60
FETCHES = 10


def address(node: Node) -> str:
    return f"{node.id}@127.0.0.1:{node.port}"


def fetch(offer: str, via: Node, **given: Any) -> Invoice:
    time.sleep(0.3)  # nodes drop what comes faster than four messages a second, from us and to us
    return asyncio.run(fetch_invoice(offer, connect=address(via), timeout=SECONDS, **given))


def refusal(offer: str, via: Node, **given: Any) -> FetchError:
    with pytest.raises(FetchError) as caught:
        fetch(offer, via, **given)
    assert caught.value.reason is Reason.REFUSED, str(caught.value)
    return caught.value


def hand_made(issuer: Node, description: str) -> Offer:
    """Return an offer without paths, whatever channels the node has."""
    return Offer.build(
        offer_issuer_id=bytes.fromhex(issuer.id),
        offer_amount=7,
        offer_description=description,
        offer_chains=(CHAINS["regtest"],),
    )


def test_fetches_from_an_offer_without_paths(l1: Node) -> None:
    offer = hand_made(l1, "direct").encode()
    l1.client.rpc_call("createoffer", {"bolt12": offer})
    invoice = fetch(offer, l1, payer_note="with milk")
    assert invoice.invoice_amount == 7
    assert invoice.invoice_node_id == bytes.fromhex(l1.id)
    [stored] = l1.client.listinvoices(invstring=invoice.encode()).invoices
    assert (stored.status, stored.invreq_payer_note) == ("unpaid", "with milk")


def test_fetches_along_a_blinded_path(pair: Pair) -> None:
    made = pair.l2.client.offer(amount="any", description="path", fronting_nodes=[pair.l1.id])
    [path] = Offer.parse(made.bolt12).offer_paths or ()
    assert path.first_node_id == bytes.fromhex(pair.l1.id)
    assert len(path.hops) == 2
    invoice = fetch(made.bolt12, pair.l1, amount=1_234)
    assert invoice.invoice_amount == 1_234
    assert [len(path.hops) for path in invoice.invoice_paths or ()] == [2]


def test_fetches_through_a_node_that_forwards(pair: Pair) -> None:
    offer = hand_made(pair.l2, "around").encode()
    pair.l2.client.rpc_call("createoffer", {"bolt12": offer})
    assert fetch(offer, pair.l1).invoice_node_id == bytes.fromhex(pair.l2.id)


def test_fetches_along_a_path_that_begins_at_the_end_of_a_channel(pair: Pair) -> None:
    made = Offer.parse(pair.l2.client.offer(amount="3msat", description="channel", fronting_nodes=[pair.l1.id]).bolt12)
    [path] = made.offer_paths or ()
    block, transaction, output = map(int, pair.scid.split("x"))
    direction = 0 if pair.l1.id < pair.l2.id else 1
    end = ChannelEnd(direction, block << 40 | transaction << 16 | output)
    renamed = made.with_paths([replace(path, first_node_id=end)])
    assert "Unknown offer" in refusal(renamed.encode(), pair.l1).detail  # it arrived; its id is another one now


def test_fetches_several_items(l1: Node) -> None:
    offer = l1.client.offer(amount="10msat", description="cups", quantity_max=5).bolt12
    assert fetch(offer, l1, quantity=3).invoice_amount == 30
    with pytest.raises(Bolt12Error, match="quantity 6 > 5"):
        fetch(offer, l1, quantity=6)


def test_fetches_a_price_in_a_currency(l1: Node, tmp_path: Path) -> None:
    plugin = tmp_path / "rates"
    plugin.write_text(f"#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(rates.__file__)}\n")
    plugin.chmod(0o700)
    l1.client.rpc_call("plugin", {"subcommand": "start", "plugin": str(plugin)})
    offer = l1.client.offer(amount="1.50EUR", description="coffee in euros").bolt12
    assert Offer.parse(offer).offer_currency == "EUR"
    assert fetch(offer, l1, max_amount=1_500_000).invoice_amount == 1_500_000
    assert fetch(offer, l1, amount=1_600_000).invoice_amount == 1_600_000
    with pytest.raises(FetchError, match="more than the 1499999msat allowed"):
        fetch(offer, l1, max_amount=1_499_999)
    assert "at least 1500000msat" in refusal(offer, l1, amount=1_499_999).detail


def test_ten_fetches_a_second_apart_lose_none(l1: Node) -> None:
    offer = l1.client.offer(amount="any", description="often").bolt12
    for amount in range(1, FETCHES + 1):
        assert fetch(offer, l1, amount=amount).invoice_amount == amount
        time.sleep(0.7)


def test_a_disabled_offer_is_refused_in_the_issuers_words(l1: Node) -> None:
    made = l1.client.offer(amount="11msat", description="sold out")
    l1.client.disableoffer(offer_id=made.offer_id)
    error = refusal(made.bolt12, l1)
    assert "Offer no longer available" in error.detail
    assert error.answer is not None
    assert "lnr1" in (error.answer.error or "")
    assert "lnr1" not in error.detail


def test_an_offer_that_is_not_the_nodes_is_refused(l1: Node) -> None:
    assert "Unknown offer" in refusal(hand_made(l1, "not mine").encode(), l1).detail


def test_an_amount_far_beyond_the_price_is_refused(l1: Node) -> None:
    offer = l1.client.offer(amount="1000msat", description="cheap").bolt12
    assert "vastly exceeds" in refusal(offer, l1, amount=1_000_000).detail


def test_an_expired_offer_is_not_asked_for(l1: Node) -> None:
    made = l1.client.offer(amount="5msat", description="gone", absolute_expiry=int(time.time()) - 10)
    with pytest.raises(Bolt12Error, match="Offer expired"):
        fetch(made.bolt12, l1)


def test_a_node_that_is_another_than_named_is_noticed(l1: Node, l2: Node) -> None:
    offer = l1.client.offer(amount="5msat", description="who").bolt12
    with pytest.raises(FetchError, match="cannot connect") as caught:
        asyncio.run(fetch_invoice(offer, connect=f"{l1.id}@127.0.0.1:{l2.port}", timeout=5))
    assert caught.value.reason is Reason.CANNOT_CONNECT


def test_a_node_that_throttles_says_so(l1: Node) -> None:
    async def flood() -> str:
        init = Init(OFFERED, (CHAINS["regtest"],))
        async with connected(Address.parse(address(l1)), KeyPair(b"f" * 32), init, SECONDS) as peer:
            for _ in range(10):
                await peer.send(OnionMessage(bytes.fromhex(l1.id), bytes(1_366)))
            while not isinstance(event := await peer.next_event(), PeerWarning):
                pass
            return event.text

    assert "ratelimit" in asyncio.run(flood()).lower()
