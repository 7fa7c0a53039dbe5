"""For each rule of invoices, one that breaks it and no other."""

from __future__ import annotations

from typing import Any

from lnoffers.bolt12 import Bip353Name, BlindedPayinfo, Invoice, Recurrence, UnsignedInvoice
from lnoffers.bolt12.tlv import write_records

from .faults import Fault
from .samples import (
    EMPTY_PATH,
    NOW,
    OTHER_SIGNER,
    PATH,
    PAYINFO,
    SIGNER,
    invoice,
    offer,
    request_for,
    resigned,
    unsigned_invoice,
)

MONTHLY = Recurrence(2, 1)
NEEDY = BlindedPayinfo(0, 0, 0, 0, 0, b"\x10")
WHOLE: dict[str, Any] = {
    field.name: getattr(invoice(), field.name) for field in Invoice.fields.values() if field.name != "signature"
}


def raw(**values: Any) -> bytes:
    """Return an invoice with the given signature."""
    return Invoice._build(**(WHOLE | {"signature": invoice().signature} | values)).to_bytes()


def signed(**values: Any) -> bytes:
    """Return an invoice with a good signature."""
    return write_records(resigned(Invoice, Invoice._build(**(WHOLE | values)).records, OTHER_SIGNER))


def for_path_offer(**values: Any) -> UnsignedInvoice:
    """Return the builder's invoice for a request for an offer that has a path and no issuer id."""
    asked = request_for(offer(offer_issuer_id=None, offer_paths=(PATH,)))
    return Invoice.for_request(asked, **(TERMS | values))


def built(**values: Any) -> UnsignedInvoice:
    """Return the builder's invoice for a request for an offer."""
    return unsigned_invoice(**values)


def built_for_cancel(*, invreq_recurrence_cancel: bool | None) -> UnsignedInvoice:
    """Return the builder's invoice for a recurring offer, or for a request that cancels it."""
    asked = request_for(
        offer(offer_recurrence_optional=MONTHLY),
        invreq_recurrence_counter=1,
        invreq_recurrence_cancel=invreq_recurrence_cancel,
    )
    return Invoice.for_request(asked, **TERMS, invoice_recurrence_basetime=NOW)


TERMS: dict[str, Any] = {
    "invoice_created_at": NOW,
    "invoice_payment_hash": bytes(32),
    "invoice_paths": (PATH,),
    "invoice_blindedpay": (PAYINFO,),
}


def _missing(table: str, rule: str, field: str, message: str) -> Fault:
    return Fault(table, rule, field, signed, {field: None}, {field: WHOLE[field]}, message)


FAULTS = [
    Fault(
        "SIGNED",
        "node-id-missing",
        "invoice_node_id",
        raw,
        {"invoice_node_id": None},
        {"invoice_node_id": OTHER_SIGNER.public_key},
        "Missing node_id",
        sole=False,
    ),
    Fault(
        "SIGNED",
        "signature-missing",
        "signature",
        raw,
        {"signature": None},
        {"signature": invoice().signature},
        "Missing signature",
        sole=False,
    ),
    Fault(
        "SIGNED",
        "signature-invalid",
        "signature",
        raw,
        {"signature": bytes(64)},
        {"signature": invoice().signature},
        "Invalid signature",
    ),
    _missing("COMPLETE", "amount-missing", "invoice_amount", "missing invoice_amount"),
    _missing("COMPLETE", "created-at-missing", "invoice_created_at", "missing invoice_created_at"),
    _missing("COMPLETE", "payment-hash-missing", "invoice_payment_hash", "missing invoice_payment_hash"),
    Fault(
        "COMPLETE",
        "paths-missing",
        "invoice_paths",
        signed,
        {"invoice_paths": (), "invoice_blindedpay": ()},
        {"invoice_paths": (PATH,), "invoice_blindedpay": (PAYINFO,)},
        "missing/empty invoice_paths",
        sole=False,
    ),
    Fault(
        "COMPLETE",
        "path-without-hops",
        "invoice_paths",
        signed,
        {"invoice_paths": (PATH, EMPTY_PATH), "invoice_blindedpay": (PAYINFO, PAYINFO)},
        {"invoice_paths": (PATH, PATH)},
        "zero num_hops in path 1/2",
    ),
    Fault(
        "COMPLETE",
        "payinfo-count",
        "invoice_blindedpay",
        signed,
        {"invoice_blindedpay": (PAYINFO, PAYINFO)},
        {"invoice_blindedpay": (PAYINFO,)},
        "expected 1 payinfo but found 2",
    ),
    Fault(
        "PAYABLE",
        "paths-unusable",
        "invoice_blindedpay",
        signed,
        {"invoice_paths": (PATH, PATH), "invoice_blindedpay": (NEEDY, NEEDY)},
        {"invoice_blindedpay": (NEEDY, PAYINFO)},
        "Unsupported feature for all paths (4)",
    ),
    Fault(
        "PAYABLE",
        "basetime-missing",
        "invoice_recurrence_basetime",
        signed,
        {"offer_recurrence_optional": MONTHLY},
        {"invoice_recurrence_basetime": 0},
        "recurring invoices without a recurrence_basetime are invalid",
    ),
    _missing("REPEATING", "payer-id-missing", "invreq_payer_id", "Missing invreq_payer_id"),
    _missing("REPEATING", "metadata-missing", "invreq_metadata", "Missing invreq_metadata"),
    Fault(
        "REPEATING",
        "name-characters",
        "invreq_bip_353_name",
        signed,
        {"invreq_bip_353_name": Bip353Name(b"bob", b"a b")},
        {"invreq_bip_353_name": Bip353Name(b"bob", b"a-b")},
        "invalid bip353 name fields",
    ),
    Fault(
        "REPEATING",
        "path-without-hops",
        "invreq_paths",
        signed,
        {"invreq_paths": (EMPTY_PATH,)},
        {"invreq_paths": (PATH,)},
        "Invoice request contains an empty invreq_path",
    ),
    _missing(
        "REPEATING",
        "description-missing",
        "offer_description",
        "Offer does not contain a description, but contains an amount",
    ),
    Fault(
        "REPEATING",
        "offer-path-without-hops",
        "offer_paths",
        signed,
        {"offer_paths": (EMPTY_PATH,)},
        {"offer_paths": (PATH,)},
        "Offer contains an empty offer_path",
    ),
    Fault(
        "REPEATING",
        "node-id-unexpected",
        "invoice_node_id",
        signed,
        {"offer_issuer_id": SIGNER.public_key},
        {"offer_issuer_id": OTHER_SIGNER.public_key},
        "invoice_node_id is neither offer_issuer_id nor the end of one of offer_paths",
    ),
    Fault(
        "REPEATING",
        "amount-unexpected",
        "invoice_amount",
        signed,
        {"invreq_amount": 1_000, "invoice_amount": 1_001},
        {"invreq_amount": 1_001},
        "invoice_amount is 1001msat where 1000msat are asked for",
    ),
    Fault(
        "ANSWERABLE",
        "cancelled",
        "invreq_recurrence_cancel",
        built_for_cancel,
        {"invreq_recurrence_cancel": True},
        {"invreq_recurrence_cancel": None},
        "the request ends a recurrence",
    ),
    Fault(
        "WRITING",
        "node-id-missing",
        "invoice_node_id",
        for_path_offer,
        {},
        {"invoice_node_id": SIGNER.public_key},
        "invoice_node_id is required",
        sole=False,
    ),
    Fault(
        "WRITING",
        "node-id-unexpected",
        "invoice_node_id",
        for_path_offer,
        {"invoice_node_id": OTHER_SIGNER.public_key},
        {"invoice_node_id": SIGNER.public_key},
        "invoice_node_id is neither offer_issuer_id nor the end of one of offer_paths",
    ),
    Fault(
        "WRITING",
        "amount-unexpected",
        "invoice_amount",
        built,
        {"invoice_amount": 1_001},
        {"invoice_amount": 1_000},
        "invoice_amount is 1001msat where 1000msat are asked for",
    ),
]
