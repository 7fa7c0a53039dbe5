"""fetchinvoice, from a server: which way its request takes, and what it returns. The issuer is a node of the tests'."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from clnrpc import Client, RpcError
from lnoffers.bolt12 import CHAINS, BlindedPath, ChannelEnd, Invoice, Offer, Recurrence, RecurrenceBase
from lnoffers.bolt12.features import bitmap
from lnoffers.net.blinding import message_path
from tests.fetching.conftest import Start as StartNode
from tests.fetching.node import CONVERTED, key_of
from tests.peers.conftest import Served, Start
from tests.service.program import until

ISSUER, FRONT, OTHER_FRONT = 1, 2, 3
PATH_KEY = b"p" * 32


def offer(**changes: Any) -> str:
    arguments: dict[str, Any] = {
        "offer_issuer_id": key_of(ISSUER).public_key,
        "offer_amount": 1_000,
        "offer_description": "one coffee",
        "offer_chains": (CHAINS["regtest"],),
    }
    return Offer.build(**(arguments | changes)).encode()


def path_by(*numbers: int) -> BlindedPath:
    return message_path(PATH_KEY, [key_of(number).public_key for number in (*numbers, ISSUER)], bytes(32))


def node_id(number: int) -> str:
    return key_of(number).public_key.hex()


def fetch(served: Served, text: str | None = None, **given: Any) -> Invoice:
    return Invoice.parse(served.client.fetchinvoice(text or offer(), **given).invoice)


def test_asks_the_issuer_that_is_connected(start: Start, node: StartNode) -> None:
    payer = start()
    payer.client.connect(node(ISSUER))
    invoice = fetch(payer, payer_note="please", amount_msat=2_000)
    invoice.verify()
    assert (invoice.invoice_amount, invoice.invreq_amount, invoice.invreq_payer_note) == (2_000, 2_000, "please")
    assert invoice.invreq_features == b""


def test_asks_an_issuer_that_has_connected_to_it(start: Start, node: StartNode) -> None:
    payer = start()
    node(ISSUER, "--via", payer.address)
    until(lambda: payer.client.listpeers().peers)
    assert fetch(payer).invoice_amount == 1_000


def test_connects_to_an_issuer_whose_address_it_knows(start: Start, node: StartNode) -> None:
    payer = start("--peer", node(ISSUER))
    payer.client.disconnect(node_id(ISSUER)) if payer.client.listpeers().peers else None
    assert fetch(payer).invoice_amount == 1_000


def test_any_connected_node_may_forward(start: Start, node: StartNode) -> None:
    front = node(FRONT)
    node(ISSUER, "--via", front)
    payer = start()
    payer.client.connect(node(OTHER_FRONT, "--features", bitmap([67]).hex()))
    payer.client.connect(front)
    assert fetch(payer).invoice_amount == 1_000


def test_takes_the_paths_of_the_offer(start: Start, node: StartNode) -> None:
    front = node(FRONT)
    node(ISSUER, "--via", front)
    payer = start()
    payer.client.connect(front)
    invoice = fetch(payer, offer(offer_paths=[path_by(FRONT)], offer_issuer_id=None))
    assert invoice.invoice_node_id == path_by(FRONT).hops[-1].blinded_node_id
    channel = BlindedPath(ChannelEnd(0, 5), path_by(FRONT).first_path_key, path_by(FRONT).hops)
    assert fetch(payer, offer(offer_paths=[channel])).invoice_amount == 1_000


def test_tries_each_path_in_turn(start: Start, node: StartNode) -> None:
    front, deaf = node(FRONT), node(OTHER_FRONT, "--features", bitmap([67]).hex())
    node(ISSUER, "--via", front)
    payer = start()
    payer.client.connect(deaf)
    payer.client.connect(front)
    paths = [path_by(9), path_by(OTHER_FRONT), path_by(FRONT)]
    assert fetch(payer, offer(offer_paths=paths)).invoice_amount == 1_000


def test_a_path_may_begin_at_the_payer_itself(start: Start, node: StartNode) -> None:
    payer = start()
    node(ISSUER, "--via", payer.address)
    until(lambda: payer.client.listpeers().peers)
    path = message_path(PATH_KEY, [bytes.fromhex(payer.id), key_of(ISSUER).public_key], bytes(32))
    assert fetch(payer, offer(offer_paths=[path])).invoice_amount == 1_000


def test_a_request_of_one_payment_has_a_key_of_its_own(start: Start, node: StartNode) -> None:
    payer = start()
    payer.client.connect(node(ISSUER))
    first, second, third = fetch(payer), fetch(payer), fetch(payer, payer_metadata="00112233")
    assert len({each.invreq_payer_id for each in (first, second, third)}) == 3
    assert third.invreq_metadata == bytes.fromhex("00112233")
    assert fetch(payer, payer_metadata="00112233").invreq_payer_id == third.invreq_payer_id


def test_several_fetches_at_once_get_the_invoice_for_their_own_request(start: Start, node: StartNode) -> None:
    payer = start()
    payer.client.connect(node(ISSUER))
    amounts = range(1_000, 1_012)
    with ThreadPoolExecutor(len(amounts)) as pool:
        made = pool.map(lambda amount: fetch_alone(payer, amount), amounts)
        assert [invoice.invoice_amount for invoice in made] == [*amounts]


def fetch_alone(payer: Served, amount: int) -> Invoice:
    """Fetch over a connection of its own."""
    with Client(payer.program.socket) as client:
        return Invoice.parse(client.fetchinvoice(offer(), amount_msat=amount).invoice)


# ---- amounts


def test_an_amount_that_was_to_be_expected_is_no_change(start: Start, node: StartNode) -> None:
    payer = start()
    payer.client.connect(node(ISSUER))
    assert payer.client.fetchinvoice(offer()).changes.amount_msat is None
    several = offer(offer_quantity_max=0)
    assert payer.client.fetchinvoice(several, quantity=3).changes.amount_msat is None
    assert payer.client.fetchinvoice(several, quantity=3, amount_msat=9_000).changes.amount_msat is None
    euros = offer(offer_currency="EUR", offer_amount=150)
    assert payer.client.fetchinvoice(euros).changes.amount_msat == CONVERTED
    assert payer.client.fetchinvoice(euros, amount_msat=9_000).changes.amount_msat is None


def test_row_34_another_amount_must_be_allowed(start: Start, node: StartNode) -> None:
    payer = start()
    payer.client.connect(node(ISSUER, "--answer", "another_amount"))
    for given in ({}, {"amount_msat": 1_000}, {"max_amount_msat": 1_000}):
        with pytest.raises(RpcError) as caught:
            payer.client.rpc_call("fetchinvoice", {"offer": offer(), **given})
        assert caught.value.code == 1004
        assert caught.value.message.startswith('Incorrect invoice_amount field in "00')
        assert "1001msat" in caught.value.message
    allowed = payer.client.rpc_call("fetchinvoice", {"offer": offer(), "max_amount_msat": "1001msat"})
    assert allowed["changes"] == {"amount_msat": 1001}


def test_the_full_price_limits_what_late_payers_are_asked_for(start: Start, node: StartNode) -> None:
    payer = start("--peer", node(ISSUER))
    late = {"recurrence_counter": 0, "recurrence_label": "mine"}
    for price, quantity in ((CONVERTED, 1), (CONVERTED - 1, 2)):
        text = proportional(offer_amount=price, offer_quantity_max=0)
        assert payer.client.fetchinvoice(text, quantity=quantity, **late).changes.amount_msat == CONVERTED
    cheap = proportional(offer_amount=CONVERTED - 1)
    with pytest.raises(RpcError, match=f"more than the {CONVERTED - 1}msat allowed"):
        payer.client.fetchinvoice(cheap, **late)
    given = {"offer": cheap, "max_amount_msat": CONVERTED, **late}
    assert payer.client.rpc_call("fetchinvoice", given)["changes"] == {"amount_msat": CONVERTED}
    euros = proportional(offer_currency="EUR", offer_amount=1)
    assert payer.client.fetchinvoice(euros, **late).changes.amount_msat == CONVERTED


def proportional(**changes: Any) -> str:
    """Return an offer whose late payers pay for the rest of the period."""
    base = RecurrenceBase(1, int(time.time()))
    return offer(offer_recurrence_compulsory=Recurrence(1, 1), offer_recurrence_base=base, **changes)
