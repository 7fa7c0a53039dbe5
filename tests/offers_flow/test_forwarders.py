"""Which nodes are asked to forward a request, and that each route is tried."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from clnrpc import RpcError
from lnoffers.bolt12 import Invoice, Recurrence
from lnoffers.net.blinding import message_path
from lnoffers.net.messages import Ping, Pong
from tests.bolt12.samples import NOW
from tests.fetching.conftest import Start as StartNode
from tests.fetching.node import key_of
from tests.offers_flow.test_fetching import FRONT, ISSUER, OTHER_FRONT, PATH_KEY, fetch, node_id, offer
from tests.peers.conftest import Start
from tests.peers.stranger import connected, key
from tests.service.program import until
from tests.service.requesting import pay_in

OTHERS = (11, 12, 13, 14)
"""As many nodes as are asked to forward."""


def test_nodes_that_have_connected_by_themselves_are_not_asked(start: Start, node: StartNode) -> None:
    front = node(FRONT)
    node(ISSUER, "--via", front)
    payer = start()
    with ExitStack() as stack:
        strangers = [stack.enter_context(connected(key(number), payer.id, payer.port)) for number in OTHERS]
        until(lambda: len(payer.peers()) == len(OTHERS))
        payer.client.connect(front)
        assert fetch(payer, timeout=5).invoice_amount == 1_000
        for stranger in strangers:
            stranger.send(Ping(1))
            assert isinstance(stranger.event(), Pong)  # and no request before it


def test_a_node_that_stays_connected_is_asked_before_others(start: Start, node: StartNode) -> None:
    front = node(FRONT)
    node(ISSUER, "--via", front)
    payer = start("--peer", front)
    for number in OTHERS:
        payer.client.connect(node(number))
    until(lambda: node_id(FRONT) in payer.peers())
    payer.client.disconnect(node_id(FRONT))
    until(lambda: node_id(FRONT) in payer.peers())  # as the newest connection
    assert fetch(payer, timeout=5).invoice_amount == 1_000


def test_a_cancellation_goes_along_each_route(start: Start, node: StartNode) -> None:
    middle = start()
    issuer = start("--peer", middle.address, "--dev-time", str(NOW))
    until(middle.peers)
    payer = start("--dev-time", str(NOW))
    daily = issuer.client.offer("1000msat", description="daily", recurrence="1day").bolt12
    payer.client.connect(middle.address)
    first = payer.client.fetchinvoice(daily, recurrence_counter=0, recurrence_label="mine")
    pay_in(issuer.program, Invoice.parse(first.invoice))
    payer.client.disconnect(middle.id)
    payer.client.connect(node(OTHER_FRONT))  # which does not know the issuer
    payer.client.connect(middle.address)
    payer.client.cancelrecurringinvoice(daily, recurrence_counter=1, recurrence_label="mine")
    until(lambda: len(issuer.client.listinvoices().invoices) == 2)


def test_a_cancellation_that_only_a_stranger_could_forward_fails(start: Start) -> None:
    payer = start()
    daily = offer(offer_recurrence_compulsory=Recurrence(1, 1))
    with connected(key(OTHERS[0]), payer.id, payer.port):
        until(payer.peers)
        with pytest.raises(RpcError) as caught:
            payer.client.cancelrecurringinvoice(daily, recurrence_counter=1, recurrence_label="mine")
    assert (caught.value.code, caught.value.data["reason"]) == (1003, "no_address")


def test_a_path_from_this_node_that_is_blocked_leaves_the_others(start: Start, node: StartNode) -> None:
    payer = start()
    node(ISSUER, "--via", payer.address)
    until(payer.peers)
    paths = [
        message_path(PATH_KEY, [bytes.fromhex(payer.id), *between, key_of(ISSUER).public_key], bytes(32))
        for between in ([key_of(FRONT).public_key], [])
    ]
    assert fetch(payer, offer(offer_paths=paths), timeout=5).invoice_amount == 1_000
