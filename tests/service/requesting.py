"""A node that has offers, and requests for them, good and bad, to its issuer."""

from __future__ import annotations

from typing import Any

from lnoffers.bolt12 import Invoice, InvoiceError, InvoiceRequest, KeyPair, KeySigner, Offer, UnsignedInvoiceRequest
from lnoffers.bolt12.tlv import Record, write_records
from lnoffers.service import Node
from lnoffers.service.answering.issuer import Issuer
from lnoffers.service.status import Status
from lnoffers.service.store import Identity, Store, invoices, offers
from lnoffers.service.store.invoices import StoredInvoice
from lnoffers.service.store.offers import StoredOffer
from tests.bolt12.samples import METADATA, REGTEST, resigned
from tests.service.invoicing import KEYS, OFFER
from tests.service.program import Program


def payer(number: int) -> KeySigner:
    """Return one of many payers."""
    return KeySigner(KeyPair(bytes([number]) * 32))


def know(node: Node, offer: Offer, *, force_paths: bool = False) -> Offer:
    """Have the node know an offer as its own."""
    stored = StoredOffer(offer.offer_id, offer.encode(), None, Status.ACTIVE, force_paths, offer.offer_description)
    with node.store.transaction() as connection:
        offers.add(connection, stored)
    return offer


def new_offer(node: Node, **changes: Any) -> Offer:
    """Have the node know an offer with these fields."""
    fields: dict[str, Any] = {"offer_amount": 1_000, "offer_description": "tea", "offer_chains": (REGTEST,)}
    return know(node, Offer.build(offer_issuer_id=KEYS.node_id, **(fields | changes)))


def requested(offer: Offer = OFFER, by: int = 1, **changes: Any) -> InvoiceRequest:
    """Return a request for an offer, good or bad; None leaves a field out."""
    fields = {"invreq_metadata": METADATA, "invreq_payer_id": payer(by).public_key, "invreq_chain": REGTEST}
    return UnsignedInvoiceRequest._build(offer.records, **(fields | changes)).sign(payer(by))


def with_records(request: InvoiceRequest, *more: tuple[int, bytes]) -> bytes:
    """Return the stream of a request of the first payer with further records, signed again."""
    added = [Record.build(*record) for record in more]
    return write_records(resigned(InvoiceRequest, [*request.records, *added], payer(1)))


def without(request: InvoiceRequest, *types: int) -> bytes:
    """Return the stream of a request without some records, and with its old signature."""
    return write_records(record for record in request.records if record.type not in types)


def refusal(issuer: Issuer, request: InvoiceRequest | bytes, path_id: bytes | None = None) -> str:
    """Return the error that answers a request; the request's string, which it repeats, is checked and left out."""
    received = InvoiceRequest.received(request) if isinstance(request, bytes) else request
    found = issuer.answer(received, path_id)
    assert isinstance(found, InvoiceError), found
    assert found.erroneous_field is found.suggested_value is None
    text = found.error or ""
    if not text.startswith("Failed invreq lnr1"):
        return text
    quoted, _, why = text.removeprefix("Failed invreq ").partition(": ")
    assert quoted == received.encode()
    return why


def answer(issuer: Issuer, request: InvoiceRequest, path_id: bytes | None = None) -> Invoice:
    """Return the invoice that answers a request."""
    found = issuer.answer(request, path_id)
    assert isinstance(found, Invoice), found
    return found


def stored(node: Node) -> list[StoredInvoice]:
    """Return all invoices of the store."""
    with node.store.transaction(writes=False) as connection:
        return [*invoices.find(connection, invoices.Part())]


def pay(node: Node, invoice: Invoice) -> None:
    """Have the node note that an invoice was paid."""
    assert invoice.invoice_payment_hash is not None
    with node.store.transaction() as connection:
        assert invoices.pay(connection, invoice.invoice_payment_hash, invoice.invoice_amount or 0, node.clock.now())


def pay_in(program: Program, invoice: Invoice) -> None:
    """Note in a store, from another process than the server's, that an invoice was paid when it was created."""
    assert invoice.invoice_payment_hash is not None
    path = program.network_dir / "lnoffers.sqlite3"
    store = Store.open(None, path, Identity("regtest", invoice.invoice_node_id or b""))
    with store.transaction() as connection:
        at = invoice.invoice_created_at or 0
        assert invoices.pay(connection, invoice.invoice_payment_hash, invoice.invoice_amount or 0, at)
    store.close()
