"""A payee that sends invoices for a server's requests, good and bad, over the wire."""

from __future__ import annotations

import secrets
from hashlib import sha256
from time import time
from typing import Any

from lnoffers.bolt12 import (
    BlindedPath,
    BlindedPayinfo,
    Invoice,
    InvoiceError,
    InvoiceRequest,
    KeyPair,
    KeySigner,
    UnsignedInvoice,
)
from lnoffers.net.blinding import message_path
from lnoffers.net.offer_messages import paths_to
from lnoffers.net.onion_messages import Payload, wrap
from tests.peers.conftest import Served
from tests.peers.issuing import answer, path_to
from tests.peers.stranger import Stranger

PAYINFO = BlindedPayinfo(0, 0, 18, 0, 10**12, b"")


def request(served: Served, **fields: Any) -> InvoiceRequest:
    """Make a request with the server's command."""
    given = {"amount": "21sat", "description": "a refund", **fields}
    return InvoiceRequest.parse(served.client.rpc_call("invoicerequest", given)["bolt12"])


def invoice(asked: InvoiceRequest, key: KeyPair, number: int = 1, **changes: Any) -> Invoice:
    """Return one of many invoices of a payee, good or bad; None leaves a field out."""
    path = message_path(secrets.token_bytes(32), [key.public_key], bytes(32))
    good = Invoice.for_request(
        asked,
        invoice_created_at=int(time()),
        invoice_payment_hash=sha256(bytes([number])).digest(),
        invoice_paths=[path],
        invoice_blindedpay=[PAYINFO],
        invoice_node_id=key.public_key,
    )
    changed = {getattr(UnsignedInvoice, name).number for name in changes}
    kept = (record for record in good.records if record.type not in changed)
    unsigned = UnsignedInvoice._build(kept, **changes)
    return unsigned.sign(KeySigner(key)) if "invoice_node_id" not in changes else Invoice(*_parts(unsigned))


def _parts(message: UnsignedInvoice) -> tuple[Any, Any]:
    return message._records, message._values


def send(stranger: Stranger, asked: InvoiceRequest, made: bytes | Invoice, reply: BlindedPath | None) -> None:
    """Send an invoice along the request's first path, or to its payer, to which the stranger is connected."""
    [path, *_] = paths_to(asked, secrets.token_bytes(32))
    stream = made if isinstance(made, bytes) else made.to_bytes()
    payload = Payload.build(invoice=stream, reply_path=reply)
    stranger.send(wrap(secrets.token_bytes(32), path, payload))


def refusal(stranger: Stranger, served: Served, asked: InvoiceRequest, made: bytes | Invoice, key: KeyPair) -> str:
    """Send an invoice, and return why it is refused; the invoice's string, which the error repeats, is left out."""
    send(stranger, asked, made, path_to(bytes.fromhex(served.id), key.public_key))
    found = answer(stranger, key)
    assert isinstance(found, InvoiceError)
    words = found.error or ""
    return words.replace(made.encode(), "…") if isinstance(made, Invoice) else words


def without_paths(asked: InvoiceRequest) -> InvoiceRequest:
    """Return a request that leads to its payer directly."""
    return InvoiceRequest._of(tuple(each for each in asked.records if each.type != InvoiceRequest.invreq_paths.number))
