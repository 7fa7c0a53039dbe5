"""Requests without an offer: signed, as Core Lightning makes them, and unsigned, as the specification and LDK do."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lnoffers
from lnoffers.bolt12 import CHAINS, Bolt12, Bolt12Error, Invoice, InvoiceRequest, UnsignedInvoiceRequest, describe

from .samples import (
    METADATA,
    OTHER_SIGNER,
    PATH,
    SIGNER,
    as_text,
    invoice,
    offer,
    request,
    request_for,
    unsigned,
    unsigned_for,
)

MISSING = {"warning_missing_invoice_request_signature": "Missing signature"}


OF_LDK = "lnr1qqgqqqgzqvzq2ps8pqys5zcvp58q7zsq2gp9yzzcyypgf0m4vgnzh0tfgqy9wj8nhe40554wx9c42xq7eccmvc63enl6fvq"
"""A refund of 21,000 msat that LDK 0.1 made, for SIGNER's key and METADATA."""


def reread(message: InvoiceRequest) -> InvoiceRequest:
    read: Bolt12 = lnoffers.decode(message.encode())
    assert isinstance(read, InvoiceRequest)
    assert read == message
    return read


def refused(call: Any) -> Bolt12Error:
    with pytest.raises(Bolt12Error) as caught:
        call()
    return caught.value


def test_decode_accepts_both_forms_and_signed_tells_them_apart() -> None:
    assert reread(request()).signed
    assert not reread(unsigned().unsigned()).signed
    assert reread(request_for(offer())).signed


def test_reads_a_refund_of_ldk() -> None:
    read = lnoffers.decode(OF_LDK)
    assert isinstance(read, InvoiceRequest)
    assert (read.invreq_amount, read.invreq_payer_id) == (21_000, SIGNER.public_key)
    assert (read.invreq_metadata, read.offer_description, read.signed) == (METADATA, "", False)
    made = unsigned(offer_description="", invreq_chain=CHAINS["bitcoin"]).unsigned()
    assert made.encode() == OF_LDK


def test_an_unsigned_request_has_all_that_a_signed_one_has_but_the_signature() -> None:
    plain, signed = unsigned(invreq_paths=(PATH,)).unsigned(), request(invreq_paths=(PATH,))
    assert [*plain.records] == [record for record in signed.records if record.type != 240]
    assert (plain.invreq_id, plain.offer_description) == (signed.invreq_id, signed.offer_description)
    assert plain.to_bytes() == unsigned(invreq_paths=(PATH,)).to_bytes()
    assert InvoiceRequest.parse(plain.encode().upper()) == plain


def test_a_request_for_an_offer_is_never_unsigned() -> None:
    asked = unsigned_for(offer())
    error = refused(asked.unsigned)
    assert (str(error), error.rule, error.field) == (
        "a request for an offer must be signed",
        "signature-missing",
        "signature",
    )
    assert refused(lambda: lnoffers.decode(asked.encode())).rule == "signature-missing"


def test_a_signed_request_is_not_sent_as_unsigned() -> None:
    signed = UnsignedInvoiceRequest.from_bytes(request().to_bytes())
    assert refused(signed.unsigned).rule == "already-signed"


@given(st.binary(min_size=64, max_size=64))
def test_a_wrong_signature_is_no_missing_one(signature: bytes) -> None:
    values = {field.name: getattr(unsigned(), field.name) for field in InvoiceRequest.fields.values()}
    forged = InvoiceRequest._build(**(values | {"signature": signature}))
    assert refused(lambda: lnoffers.decode(as_text(forged.to_bytes()))).rule == "signature-invalid"


def test_an_unsigned_request_is_answered_and_the_answer_verifies() -> None:
    asked = reread(unsigned().unsigned())
    answer = invoice(asked, invoice_node_id=OTHER_SIGNER.public_key)
    Invoice.parse(answer.encode()).verify_answer(asked)
    assert answer.invreq_payer_id == SIGNER.public_key
    # Whoever answers the signed form makes the same invoice: it repeats all records but the signature.
    assert answer == invoice(request(), invoice_node_id=OTHER_SIGNER.public_key)


def test_it_is_described_as_core_lightning_does_unless_unsigned_requests_are_accepted() -> None:
    plain = unsigned().unsigned()
    shown, accepted = describe(plain), describe(plain, accept_unsigned=True)
    assert shown == {**{name: value for name, value in accepted.items() if name != "valid"}, **MISSING, "valid": False}
    assert accepted["valid"] is True
    assert describe(request(), accept_unsigned=True) == describe(request())


def test_a_request_for_an_offer_is_described_as_not_valid_without_a_signature() -> None:
    asked = InvoiceRequest.from_bytes(unsigned_for(offer()).to_bytes())
    shown = describe(asked, accept_unsigned=True)
    assert (shown["valid"], shown["warning_missing_invoice_request_signature"]) == (False, "Missing signature")
