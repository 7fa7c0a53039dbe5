"""LDK as a peer: handshakes, pings and connections in both directions, and invoices for its offers and for ours."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from clnrpc import RpcError
from lnoffers import FetchError, fetch_invoice
from lnoffers.bolt12 import CHAINS, Invoice, KeyPair, Offer
from lnoffers.fetching import Address, Reason
from lnoffers.fetching.peer import connected
from lnoffers.net import features
from lnoffers.net.connection import Authenticated, PeerConnection, Ready
from lnoffers.net.messages import Init, Ping, Pong
from lnoffers.service.commands.codes import OFFER_TIMEOUT
from tests.interop.ldk.peer import Ldk, running
from tests.peers.conftest import Served, Start
from tests.service.program import until

SECONDS = 60
INIT = Init(features.OFFERED, (CHAINS["regtest"],))


@pytest.fixture(scope="module")
def ldk() -> Iterator[Ldk]:
    """Return an LDK that all tests share."""
    with running() as peer:
        yield peer


def new_key() -> KeyPair:
    return KeyPair(secrets.token_bytes(32))


def test_we_connect_to_it(ldk: Ldk) -> None:
    async def connect() -> Init:
        async with connected(Address.parse(ldk.address), new_key(), INIT, SECONDS) as peer:
            return peer.init

    theirs = asyncio.run(connect())
    assert features.offers(theirs.features, features.ONION_MESSAGES)
    assert theirs.networks == (CHAINS["regtest"],)


def test_pings_are_answered_both_ways(ldk: Ldk) -> None:
    async def ping() -> list[object]:
        async with connected(Address.parse(ldk.address), new_key(), INIT, SECONDS) as peer:
            await peer.send(Ping(1_234, 56))
            found: list[object] = [await peer.next_event()]
            # It pings every ten seconds, and would hang up if our answer to the first one were wrong.
            return found + [await peer.next_event() for _ in range(2)]

    first, *others = asyncio.run(ping())
    assert first == Pong(1_234)
    assert all(isinstance(event, Ping) for event in others)


def test_it_connects_to_us(ldk: Ldk) -> None:
    node, met, calls = new_key(), list[object](), list[asyncio.StreamWriter]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.append(writer)
        connection = PeerConnection.respond(node, new_key(), INIT)
        while data := await reader.read(65_536):
            connection.receive_data(data)
            while (event := connection.next_event()) is not None:
                met.append(event)
            writer.write(connection.data_to_send())

    async def be_called() -> list[str]:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        asked = asyncio.to_thread(ldk.ask, "connect", id=node.public_key.hex(), host="127.0.0.1", port=port)
        try:
            answer = await asyncio.wait_for(asked, SECONDS)
        finally:
            server.close()
            for writer in calls:
                writer.close()
                await writer.wait_closed()
        peers: list[str] = answer["peers"]
        return peers

    assert node.public_key.hex() in asyncio.run(be_called())
    assert met[0] == Authenticated(bytes.fromhex(ldk.id))
    assert isinstance(met[1], Ready)


def test_we_fetch_from_its_offer(ldk: Ldk) -> None:
    offer = Offer.parse(ldk.ask("offer")["offer"])
    for amount in (1_000, 123_456):
        invoice = asyncio.run(
            fetch_invoice(offer, connect=ldk.address, amount=amount, payer_note="hi", timeout=SECONDS)
        )
        assert invoice.invoice_amount == amount
        assert invoice.invoice_node_id in {offer.offer_issuer_id, *offer.offer_path_ends}


def test_we_understand_its_error() -> None:
    with running() as ldk:
        ldk.ask("refuse")
        offer = ldk.ask("offer")["offer"]
        with pytest.raises(FetchError) as caught:
            asyncio.run(fetch_invoice(offer, connect=ldk.address, amount=1_000, timeout=SECONDS))
    assert (caught.value.reason, caught.value.detail) == (Reason.REFUSED, "MissingPaths")


def connect_to(served: Served, ldk: Ldk) -> None:
    """Have LDK connect to a server of ours."""
    ldk.ask("connect", id=served.id, host="127.0.0.1", port=served.port)


def test_it_requests_invoices_from_our_server_and_accepts_them(start: Start, ldk: Ldk) -> None:
    served = start()
    connect_to(served, ldk)
    for made, amount in (("1000msat", None), ("any", 21_000)):
        offer = served.client.offer(made, description="tea")
        invoice = Invoice.from_bytes(bytes.fromhex(ldk.ask("request", offer=offer.bolt12, amount=amount)["invoice"]))
        invoice.verify()
        assert invoice.invoice_amount == (amount or 1_000)
        [stored] = served.client.listinvoices(offer_id=offer.offer_id).invoices
        assert stored.bolt12 == invoice.encode()


def test_it_understands_our_server_s_error(start: Start, ldk: Ldk) -> None:
    served = start()
    connect_to(served, ldk)
    offer = served.client.offer("1000msat", description="gone")
    served.client.disableoffer(offer.offer_id)
    failed = ldk.ask("request", offer=offer.bolt12, amount=None)["failed"]
    assert failed == "LDKPaymentFailureReason_InvoiceRequestRejected"


def test_it_sends_an_invoice_for_our_request_without_an_offer(start: Start, ldk: Ldk) -> None:
    served = start()
    connect_to(served, ldk)
    made = served.client.rpc_call("invoicerequest", {"amount": 21_000, "description": "a refund", "unsigned": True})
    sent = Invoice.from_bytes(bytes.fromhex(ldk.ask("collect", refund=made["bolt12"])["invoice"]))
    until(lambda: payments(served))
    [waiting] = payments(served)
    assert (waiting.invoice, waiting.amount_msat, waiting.state) == (sent.encode(), 21_000, "claimed")


def test_it_accepts_our_invoice_for_its_request_without_an_offer(start: Start, ldk: Ldk) -> None:
    served = start()
    connect_to(served, ldk)
    made = ldk.ask("refund", amount=21_000)
    with pytest.raises(RpcError) as caught:  # it has no channel to pay it through
        served.client.sendinvoice(made["refund"], "mine", timeout=3)
    assert caught.value.code == OFFER_TIMEOUT
    accepted = Invoice.from_bytes(bytes.fromhex(ldk.ask("await", id=made["id"])["invoice"]))
    [stored] = served.client.listinvoices().invoices
    assert stored.bolt12 == accepted.encode() == caught.value.data["invstring"]


def payments(served: Served) -> Any:
    """Return the payments for a server's only request."""
    [request] = served.client.listinvoicerequests().invoicerequests
    return request.payments
