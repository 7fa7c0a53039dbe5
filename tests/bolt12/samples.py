"""What the tests of this folder build with: keys of our own, and streams that may break rules."""

from __future__ import annotations

from typing import Any

from lnoffers.bolt12 import CHAINS, InvoiceRequest, KeyPair, KeySigner, SigningRequest, UnsignedInvoiceRequest
from lnoffers.bolt12.merkle import merkle_root
from lnoffers.bolt12.text import encode_text
from lnoffers.bolt12.tlv import Record, write_records

SIGNER = KeySigner(KeyPair(bytes(range(1, 33))))
OTHER_SIGNER = KeySigner(KeyPair(bytes(range(2, 34))))
METADATA = bytes(range(16))
REGTEST = CHAINS["regtest"]


def unsigned(**changes: Any) -> UnsignedInvoiceRequest:
    """A request without an offer; `changes` are arguments of `without_offer`."""
    arguments: dict[str, Any] = {
        "invreq_metadata": METADATA,
        "invreq_payer_id": SIGNER.public_key,
        "invreq_amount": 21_000,
        "offer_description": "one coffee",
        "invreq_chain": REGTEST,
    }
    return InvoiceRequest.without_offer(**(arguments | changes))


def request(**changes: Any) -> InvoiceRequest:
    """The same, signed."""
    return unsigned(**changes).sign(SIGNER)


def stream(**values: Any) -> bytes:
    """A TLV stream of any fields of an invoice_request, by name, without the builder's rules."""
    return InvoiceRequest._build(**values).to_bytes()


def signed_stream(*extra: tuple[int, bytes], **values: Any) -> bytes:
    """Such a stream with a payer's metadata, id and signature, and with records of other types."""
    fields = {"invreq_metadata": METADATA, "invreq_payer_id": SIGNER.public_key} | values
    records = [*InvoiceRequest._build(**fields).records, *(Record.build(*record) for record in extra)]
    records.sort(key=lambda record: record.type)
    signature = SIGNER.sign(SigningRequest("invoice_request", "signature", merkle_root(records)))
    records.append(Record.build(240, signature))
    return write_records(sorted(records, key=lambda record: record.type))


def raw_stream(*records: tuple[int, bytes]) -> bytes:
    """The records as they are given, in whatever order."""
    return write_records(Record.build(type_, value) for type_, value in records)


def as_text(data: bytes) -> str:
    """The `lnr` string of a TLV stream."""
    return encode_text("lnr", data)
