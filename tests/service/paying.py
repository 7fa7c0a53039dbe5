"""Payments in a node's store: invoices of another node, and what was paid of them."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from lnoffers.bolt12 import Invoice, InvoiceRequest, Offer
from lnoffers.service import Node
from lnoffers.service.payment_states import PaymentEvent, PaymentState
from lnoffers.service.payments.witness import FileWitness
from lnoffers.service.store import payments
from lnoffers.service.store.payments import NewPayment, StoredPayment
from tests.bolt12 import samples

METADATA = samples.METADATA


def preimage(number: int) -> bytes:
    """Return the preimage of one of many invoices."""
    return number.to_bytes(32)


def request_of(node: Node, offer: Offer, **changes: Any) -> InvoiceRequest:
    """Return a request of the node for an offer, signed with a key for it alone, as fetchinvoice makes it."""
    keys = node.keys
    unsigned = samples.unsigned_for(offer, invreq_payer_id=keys.payer_id(METADATA), **changes)
    return unsigned.sign(keys.payer_signer(METADATA))


def own_request(node: Node, **changes: Any) -> InvoiceRequest:
    """Return a request of the node without an offer, signed with its own key, as invoicerequest makes it."""
    return samples.unsigned(invreq_payer_id=node.keys.node_id, **changes).sign(node.keys.node_signer)


def invoice_for(request: InvoiceRequest, number: int = 1, **changes: Any) -> Invoice:
    """Return one of many invoices of another node for a request."""
    signer = {} if request.offer_issuer_id else {"invoice_node_id": samples.OTHER_SIGNER.public_key}
    return samples.invoice(request, invoice_payment_hash=sha256(preimage(number)).digest(), **(signer | changes))


def store_payment(
    node: Node, invoice: Invoice, secret: bytes, state: PaymentState = PaymentState.PAID
) -> StoredPayment:
    """Store a payment for an invoice as paid, or in another state."""
    new = NewPayment(
        payment_hash=invoice.invoice_payment_hash or b"",
        invreq_id=invoice.invreq_id,
        offer_id=invoice.offer_id,
        bolt12=invoice.encode(),
        amount_msat=invoice.invoice_amount or 0,
        limit_msat=invoice.invoice_amount or 0,
        expires_at=invoice.expires_at,
        backend="none",
        owner="tests",
        created_at=samples.NOW,
    )
    failed = {"completed_at": samples.NOW + 1, "reason": "no route"}
    paid = {"completed_at": samples.NOW + 1, "preimage": secret, "sent_msat": new.amount_msat + 1}
    with node.store.transaction() as connection:
        payment = payments.claim(connection, new)
        steps: dict[PaymentState, list[tuple[PaymentEvent, dict[str, Any]]]] = {
            PaymentState.CLAIMED: [],
            PaymentState.PAYING: [(PaymentEvent.BEGUN, {})],
            PaymentState.UNKNOWN: [(PaymentEvent.BEGUN, {}), (PaymentEvent.LOST, {})],
            PaymentState.PAID: [(PaymentEvent.BEGUN, {}), (PaymentEvent.PAID, paid)],
            PaymentState.FAILED: [(PaymentEvent.BEGUN, {}), (PaymentEvent.FAILED, failed)],
        }
        for event, changes in steps[state]:
            changed = payments.step(connection, payment, event, **changes)
            assert changed is not None
            payment = changed
    FileWitness(node.options).raise_to(payment.fence, synced=False)
    return payment


def pay(node: Node, invoice: Invoice, number: int = 1) -> StoredPayment:
    """Store one of many invoices as paid."""
    return store_payment(node, invoice, preimage(number))
