"""For each rule of invoice_requests, one that breaks it and no other; and requests that break none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lnoffers.bolt12 import (
    CHAINS,
    Bip353Name,
    InvoiceRequest,
    Recurrence,
    RecurrenceBase,
    RecurrencePaywindow,
    UnsignedInvoiceRequest,
)

from .faults import Fault
from .samples import EMPTY_PATH, METADATA, OTHER_SIGNER, PATH, REGTEST, SIGNER, signed_stream, unsigned

MONTHLY = Recurrence(2, 1)
PAYER_ID = SIGNER.public_key
BITCOIN = CHAINS["bitcoin"]
BASE = RecurrenceBase(0, 1)


def raw(**values: Any) -> bytes:
    """Return a request without an offer, with the given signature."""
    fields = {"invreq_metadata": METADATA, "invreq_payer_id": PAYER_ID, "invreq_amount": 1} | values
    return InvoiceRequest._build(**fields).to_bytes()


def sent_unsigned(**values: Any) -> InvoiceRequest:
    """Return a request without an offer, sent as it is."""
    return UnsignedInvoiceRequest.from_bytes(raw(**values)).unsigned()


def alone(extra: tuple[int, bytes] | None = None, **values: Any) -> bytes:
    """Return a request without an offer."""
    return signed_stream(*([] if extra is None else [extra]), **{"invreq_amount": 1} | values)


def answer(**values: Any) -> bytes:
    """Return a request for an offer without an amount."""
    return signed_stream(**{"offer_issuer_id": OTHER_SIGNER.public_key, "invreq_amount": 1} | values)


def priced(**values: Any) -> bytes:
    """Return a request for an offer of 100 msat."""
    return answer(**{"offer_amount": 100, "offer_description": "", "invreq_amount": None} | values)


def recurring(**values: Any) -> bytes:
    """Return a request for a recurring offer."""
    return answer(**{"offer_recurrence_optional": MONTHLY, "invreq_recurrence_counter": 0} | values)


def signature_of(data: bytes) -> bytes:
    signature = InvoiceRequest.from_bytes(data).signature
    assert signature is not None
    return signature


SIGNATURE = signature_of(alone())


def _signed() -> Iterator[Fault]:
    whole: dict[str, Any] = {"signature": SIGNATURE}
    for rule, field, value in (
        ("payer-id-missing", "invreq_payer_id", PAYER_ID),
        ("metadata-missing", "invreq_metadata", METADATA),
    ):
        yield Fault("SIGNED", rule, field, raw, whole | {field: None}, {field: value}, f"Missing {field}", sole=False)
    for_offer = InvoiceRequest.from_bytes(answer())
    whole_answer = {field.name: getattr(for_offer, field.name) for field in InvoiceRequest.fields.values()}
    signature = {"signature": for_offer.signature}
    unsigned_answer = whole_answer | {"signature": None}
    yield Fault("SIGNED", "signature-missing", "signature", raw, unsigned_answer, signature, "Missing signature")
    wrong = {"signature": bytes(64)}
    yield Fault("SIGNED", "signature-invalid", "signature", raw, wrong, whole, "Invalid signature")


FAULTS = [
    Fault(
        "READING",
        "field-out-of-range",
        "1001",
        alone,
        {"extra": (1001, b"")},
        {"extra": (999, b"")},
        "Invoice request 1001 field outside invoice request range",
    ),
    Fault(
        "READING",
        "path-without-hops",
        "invreq_paths",
        alone,
        {"invreq_paths": (EMPTY_PATH,)},
        {"invreq_paths": (PATH,)},
        "Invoice request contains an empty invreq_path",
    ),
    *_signed(),
    Fault(
        "UNSIGNED",
        "already-signed",
        "signature",
        sent_unsigned,
        {"signature": SIGNATURE},
        {"signature": None},
        "the request has a signature",
    ),
    Fault(
        "UNSIGNED",
        "signature-missing",
        "signature",
        sent_unsigned,
        {"offer_issuer_id": OTHER_SIGNER.public_key},
        {"offer_issuer_id": None},
        "a request for an offer must be signed",
    ),
    Fault(
        "ANY",
        "name-characters",
        "invreq_bip_353_name",
        alone,
        {"invreq_bip_353_name": Bip353Name(b"bob", b"x y")},
        {"invreq_bip_353_name": Bip353Name(b"bob", b"x_y")},
        "invalid bip353 name fields",
    ),
    Fault(
        "ANY",
        "description-missing",
        "offer_description",
        alone,
        {"offer_amount": 1},
        {"offer_description": ""},
        "Offer does not contain a description, but contains an amount",
    ),
    Fault(
        "ANY",
        "cancel-without-counter",
        "invreq_recurrence_cancel",
        alone,
        {"invreq_recurrence_cancel": True},
        {"invreq_recurrence_counter": 1},
        "invreq_recurrence_cancel is invalid without invreq_recurrence_counter",
    ),
    Fault(
        "ANY",
        "cancel-at-zero",
        "invreq_recurrence_cancel",
        alone,
        {"invreq_recurrence_cancel": True, "invreq_recurrence_counter": 0},
        {"invreq_recurrence_counter": 1},
        "invreq_recurrence_cancel is invalid with invreq_recurrence_counter zero",
    ),
    Fault(
        "WITHOUT_OFFER",
        "chains-unexpected",
        "offer_chains",
        alone,
        {"offer_chains": (REGTEST,)},
        {"offer_chains": None},
        "Unexpected offer_chains",
    ),
    Fault(
        "WITHOUT_OFFER",
        "features-unexpected",
        "offer_features",
        alone,
        {"offer_features": b""},
        {"offer_features": None},
        "Unexpected offer_features",
    ),
    Fault(
        "WITHOUT_OFFER",
        "quantity-max-unexpected",
        "offer_quantity_max",
        alone,
        {"offer_quantity_max": 0},
        {"offer_quantity_max": None},
        "Unexpected offer_quantity_max",
    ),
    Fault(
        "WITHOUT_OFFER",
        "amount-missing",
        "invreq_amount",
        alone,
        {"invreq_amount": None},
        {"invreq_amount": 1},
        "Missing invreq_amount",
    ),
    Fault(
        "WITHOUT_OFFER",
        "amount-zero",
        "invreq_amount",
        alone,
        {"invreq_amount": 0},
        {"invreq_amount": 1},
        "invreq_amount must be positive",
    ),
    Fault(
        "WRITING",
        "metadata-empty",
        "invreq_metadata",
        unsigned,
        {"invreq_metadata": b""},
        {"invreq_metadata": b"\x00"},
        "invreq_metadata is empty",
    ),
    Fault(
        "WRITING",
        "paths-empty",
        "invreq_paths",
        unsigned,
        {"invreq_paths": ()},
        {"invreq_paths": (PATH,)},
        "invreq_paths is there but holds no path",
    ),
    Fault(
        "WRITING",
        "path-without-hops",
        "invreq_paths",
        unsigned,
        {"invreq_paths": (PATH, EMPTY_PATH)},
        {"invreq_paths": (PATH, PATH)},
        "Invoice request contains an empty invreq_path",
    ),
    Fault(
        "WRITING_WITHOUT_OFFER",
        "amount-zero",
        "invreq_amount",
        unsigned,
        {"invreq_amount": 0},
        {"invreq_amount": 1},
        "invreq_amount must be positive",
    ),
]

GOOD = {
    "alone": alone(),
    "alone, with the price in a currency for show": alone(
        offer_amount=3, offer_currency="EUR", offer_description="tea", invreq_amount=2
    ),
    "alone, unsigned": raw(),
    "alone, at counter zero": alone(invreq_recurrence_counter=0),
    "any amount": answer(),
    "any amount, by paths": answer(offer_issuer_id=None, offer_paths=(PATH,)),
    "odd features": answer(offer_features=b"\xaa"),
    "one of several chains": answer(offer_chains=(BITCOIN, REGTEST), invreq_chain=REGTEST),
    "bitcoin by name": answer(invreq_chain=BITCOIN),
    "the offer's price": priced(),
    "the exact amount": priced(offer_quantity_max=3, invreq_quantity=3, invreq_amount=300),
    "as many as one likes": priced(offer_quantity_max=0, invreq_quantity=2**32),
    "an amount to be converted": priced(offer_currency="USD", invreq_amount=1),
    "the first period": recurring(),
    "the last period": recurring(
        offer_recurrence_base=BASE,
        offer_recurrence_paywindow=RecurrencePaywindow(1, 1),
        offer_recurrence_limit=3,
        invreq_recurrence_counter=2,
        invreq_recurrence_start=1,
    ),
    "a share of a period": priced(
        offer_recurrence_compulsory=MONTHLY,
        offer_recurrence_base=RecurrenceBase(1, 1),
        invreq_recurrence_counter=0,
        invreq_recurrence_start=0,
        invreq_amount=1,
    ),
    "a cancel, which pays nothing": recurring(
        offer_quantity_max=5, invreq_recurrence_counter=1, invreq_recurrence_cancel=True, invreq_amount=None
    ),
    "a name": answer(invreq_bip_353_name=Bip353Name(b"bob", b"example.com")),
}
