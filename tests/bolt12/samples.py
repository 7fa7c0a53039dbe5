"""What the tests of this folder build with: keys of our own, good messages, and streams that may break rules."""

from __future__ import annotations

from collections.abc import Collection
from hashlib import sha256
from typing import Any

from hypothesis import strategies as st

from lnoffers.bolt12 import (
    CHAINS,
    BlindedHop,
    BlindedPath,
    BlindedPayinfo,
    Invoice,
    InvoiceRequest,
    KeyPair,
    KeySigner,
    Offer,
    PayerProof,
    SigningRequest,
    UnsignedInvoice,
    UnsignedInvoiceRequest,
    UnsignedPayerProof,
)
from lnoffers.bolt12.encoding import encode_text
from lnoffers.bolt12.merkle import merkle_root
from lnoffers.bolt12.tlv import Record, write_records

SIGNER = KeySigner(KeyPair(bytes(range(1, 33))))
"""Who asks, and pays."""
OTHER_SIGNER = KeySigner(KeyPair(bytes(range(2, 34))))
"""Who offers, and gets paid."""
METADATA = bytes(range(16))
PREIMAGE = bytes(range(100, 132))
REGTEST = CHAINS["regtest"]
NOW = 1_800_000_000

PATH = BlindedPath(OTHER_SIGNER.public_key, SIGNER.public_key, (BlindedHop(SIGNER.public_key, b"to me"),))
EMPTY_PATH = BlindedPath(OTHER_SIGNER.public_key, SIGNER.public_key, ())
PAYINFO = BlindedPayinfo(1, 2, 3, 4, 5, b"")


# ---- what hypothesis draws

_texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=50)
request_arguments = st.fixed_dictionaries(
    {
        "invreq_metadata": st.binary(min_size=1, max_size=40),
        "invreq_amount": st.integers(1, 2**64 - 1),
        "offer_description": _texts,
    },
    optional={
        "offer_issuer": _texts,
        "offer_absolute_expiry": st.integers(0, 2**64 - 1),
        "invreq_chain": st.sampled_from(list(CHAINS.values())),
        "invreq_payer_note": _texts,
        "invreq_paths": st.just((PATH,)),
    },
)
"""Arguments of `without_offer`, for `request`."""


# ---- messages that are good, by the builders


def offer(**changes: Any) -> Offer:
    """Return an offer; `changes` are arguments of `Offer.build`."""
    arguments: dict[str, Any] = {
        "offer_issuer_id": OTHER_SIGNER.public_key,
        "offer_amount": 1_000,
        "offer_description": "one coffee",
        "offer_chains": (REGTEST,),
    }
    return Offer.build(**(arguments | changes))


def unsigned(**changes: Any) -> UnsignedInvoiceRequest:
    """Return a request without an offer; `changes` are arguments of `without_offer`."""
    arguments: dict[str, Any] = {
        "invreq_metadata": METADATA,
        "invreq_payer_id": SIGNER.public_key,
        "invreq_amount": 21_000,
        "offer_description": "one coffee",
        "invreq_chain": REGTEST,
    }
    return InvoiceRequest.without_offer(**(arguments | changes))


def request(**changes: Any) -> InvoiceRequest:
    """Return the same, signed."""
    return unsigned(**changes).sign(SIGNER)


def unsigned_for(asked: Offer, **changes: Any) -> UnsignedInvoiceRequest:
    """Return a request for an offer; `changes` are arguments of `for_offer`."""
    arguments: dict[str, Any] = {
        "invreq_metadata": METADATA,
        "invreq_payer_id": SIGNER.public_key,
        "invreq_chain": REGTEST,
    }
    return InvoiceRequest.for_offer(asked, **(arguments | changes))


def request_for(asked: Offer, **changes: Any) -> InvoiceRequest:
    """Return the same, signed."""
    return unsigned_for(asked, **changes).sign(SIGNER)


def unsigned_invoice(answered: InvoiceRequest | None = None, **changes: Any) -> UnsignedInvoice:
    """Return an invoice for a request, or for one for `offer()`; `changes` are arguments of `for_request`."""
    arguments: dict[str, Any] = {
        "invoice_created_at": NOW,
        "invoice_payment_hash": sha256(PREIMAGE).digest(),
        "invoice_paths": (PATH,),
        "invoice_blindedpay": (PAYINFO,),
    }
    return Invoice.for_request(answered or request_for(offer()), **(arguments | changes))


def invoice(answered: InvoiceRequest | None = None, **changes: Any) -> Invoice:
    """Return the same, signed."""
    return unsigned_invoice(answered, **changes).sign(OTHER_SIGNER)


def unsigned_proof(paid: Invoice | None = None, include: Collection[int] = (), **changes: Any) -> UnsignedPayerProof:
    """Return a proof that an invoice, or `invoice()`, is paid."""
    return PayerProof.for_invoice(paid or invoice(), include=include, **({"proof_preimage": PREIMAGE} | changes))


def proof(paid: Invoice | None = None, include: Collection[int] = (), **changes: Any) -> PayerProof:
    """Return the same, signed."""
    return unsigned_proof(paid, include, **changes).sign(SIGNER)


# ---- streams that may break rules


def stream(kind: type[Offer | InvoiceRequest | Invoice | PayerProof] = InvoiceRequest, **values: Any) -> bytes:
    """Return a TLV stream of any fields of a message, by name, without the builder's rules."""
    return kind._build(**values).to_bytes()


def signed_stream(*extra: tuple[int, bytes], **values: Any) -> bytes:
    """Return such a stream of an invoice_request with metadata, payer and signature, and further records."""
    fields = {"invreq_metadata": METADATA, "invreq_payer_id": SIGNER.public_key} | values
    added = [Record.build(*record) for record in extra]
    return write_records(resigned(InvoiceRequest, [*InvoiceRequest._build(**fields).records, *added], SIGNER))


def resigned(
    kind: type[InvoiceRequest | Invoice | PayerProof], records: Collection[Record], signer: KeySigner
) -> list[Record]:
    """Return the records in order, with a new signature of their message."""
    number = getattr(kind, kind.signed_in).number
    kept = sorted((record for record in records if record.type != number), key=lambda record: record.type)
    signature = signer.sign(SigningRequest(kind.kind, kind.signed_in, merkle_root(kept)))
    return sorted([*kept, Record.build(number, signature)], key=lambda record: record.type)


def raw_stream(*records: tuple[int, bytes]) -> bytes:
    """Return the stream of the records in the given order."""
    return write_records(Record.build(type_, value) for type_, value in records)


def as_text(data: bytes, prefix: str = "lnr") -> str:
    """Return the string of a TLV stream."""
    return encode_text(prefix, data)
