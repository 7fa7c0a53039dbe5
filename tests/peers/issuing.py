"""Servers that answer requests for their offers, and payers: the library, and one that sends whatever it likes."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

from lnoffers import fetch_invoice
from lnoffers.bolt12 import (
    BlindedPath,
    Invoice,
    InvoiceError,
    InvoiceRequest,
    KeyPair,
    KeySigner,
    Offer,
    UnsignedInvoiceRequest,
)
from lnoffers.net.blinding import message_path
from lnoffers.net.messages import OnionMessage, Ping, Pong
from lnoffers.net.offer_messages import paths_to, read_reply
from lnoffers.net.onion_messages import Payload, ReceivedMessage, open_message, wrap
from tests.peers.conftest import Served
from tests.peers.stranger import REGTEST, Stranger

FETCH_SECONDS = 200.0


def offer(served: Served, amount: str = "1000msat", **fields: Any) -> Offer:
    """Make an offer with the server's command."""
    return Offer.parse(served.client.offer(amount, description="tea", **fields).bolt12)


def fetch(offer: Offer, via: Served, **given: Any) -> Invoice:
    """Fetch an invoice with the library."""
    return asyncio.run(fetch_invoice(offer, connect=via.address, timeout=FETCH_SECONDS, **given))


def request(offer: Offer, key: KeyPair, **changes: Any) -> InvoiceRequest:
    """Return a request for an offer, good or bad; the same arguments give the same request."""
    fields = {"invreq_metadata": bytes(16), "invreq_payer_id": key.public_key, "invreq_chain": REGTEST}
    return UnsignedInvoiceRequest._build(offer.records, **(fields | changes)).sign(KeySigner(key))


def send(stranger: Stranger, offer: Offer, asked: InvoiceRequest, reply_path: BlindedPath | None) -> None:
    """Send a request along the offer's first path, to which the stranger is connected."""
    [path, *_] = paths_to(offer, secrets.token_bytes(32))
    payload = Payload.build(invoice_request=asked.to_bytes(), reply_path=reply_path)
    stranger.send(wrap(secrets.token_bytes(32), path, payload))


def path_to(*nodes: bytes) -> BlindedPath:
    """Return a path over these nodes."""
    return message_path(secrets.token_bytes(32), nodes, b"mine")


def answer(stranger: Stranger, key: KeyPair) -> Invoice | InvoiceError:
    """Return the next answer that arrives."""
    found = answer_or_end(stranger, key)
    assert found is not None, "the server has closed the connection"
    return found


def answer_or_end(stranger: Stranger, key: KeyPair) -> Invoice | InvoiceError | None:
    """Return the next answer that arrives; None if the connection ends before."""
    while not isinstance(event := stranger.event(), OnionMessage):
        if event is None:
            return None
    opened = open_message(key, event)
    assert isinstance(opened, ReceivedMessage)
    assert opened.path_id == b"mine"
    found = read_reply(opened)
    assert found is not None
    return found


def nothing_came(stranger: Stranger) -> bool:
    """Return whether the server has sent no onion message before the answer to a ping."""
    stranger.send(Ping(7))
    return stranger.event() == Pong(7)
