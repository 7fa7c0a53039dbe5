"""invoice_request: reading, the reader's rules, and verifying; tests/bolt12/test_rules.py has the rules."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lnoffers
from lnoffers.bolt12 import (
    CHAINS,
    Bolt12Error,
    InvoiceRequest,
    KeyPair,
    Record,
    UnsignedInvoiceRequest,
)

from .samples import (
    EMPTY_PATH,
    METADATA,
    OTHER_SIGNER,
    PATH,
    REGTEST,
    SIGNER,
    as_text,
    offer,
    raw_stream,
    request,
    request_arguments,
    request_for,
    signed_stream,
    stream,
    unsigned,
    unsigned_invoice,
)

U64_MAX = 2**64 - 1


def rejected(data: bytes, **options: Any) -> Bolt12Error:
    """Return the error of reading the stream; the text form gives the same one."""
    with pytest.raises(Bolt12Error) as caught:
        InvoiceRequest.from_bytes(data, **options)
    with pytest.raises(Bolt12Error) as of_text:
        InvoiceRequest.parse(as_text(data), **options)
    assert str(of_text.value) == str(caught.value)
    return caught.value


def test_unknown_odd_records_are_kept_signed_and_part_of_the_id() -> None:
    plain = InvoiceRequest.from_bytes(signed_stream(invreq_amount=1))
    data = signed_stream((87, b"later"), (241, b"a note"), (2_000_000_001, b"experiment"), invreq_amount=1)
    read = InvoiceRequest.parse(as_text(data))
    read.verify()
    assert read.to_bytes() == data
    assert [record.type for record in read.unknown_records] == [87, 241, 2_000_000_001]
    assert read.unknown_records[0] == Record(87, b"\x57\x05later", b"later")
    assert read.invreq_id != plain.invreq_id


def test_the_offer_id_is_that_of_the_mirrored_offer_records() -> None:
    offer = raw_stream((5, b"unknown"), (10, b"tea"), (22, OTHER_SIGNER.public_key), (1_000_000_001, b""))
    data = signed_stream(
        (5, b"unknown"), (1_000_000_001, b""), offer_description="tea", offer_issuer_id=OTHER_SIGNER.public_key
    )
    read = InvoiceRequest.from_bytes(data)
    assert read.offer_id == sha256(offer).digest()


def test_there_is_an_offer_id_if_issuer_or_paths_are_there() -> None:
    assert InvoiceRequest.from_bytes(stream(offer_paths=(PATH,))).offer_id is not None
    assert InvoiceRequest.from_bytes(stream(offer_description="tea")).offer_id is None


def test_rejects_broken_data_and_says_where() -> None:
    error = rejected(raw_stream((10, b"tea"), (8, b"")))
    assert str(error) == "invalid invreq data"
    assert (error.rule, error.offset) == ("record-order", 5)
    assert error.detail == "record 8 comes after record 10"
    assert error.__notes__ == [error.detail]
    error = rejected(raw_stream((8, b"\1"), (10, b"\xff")))
    assert (error.rule, error.field, error.offset) == ("text-not-utf8", "offer_description", 3)


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_keeps_its_own_copy_of_what_it_reads(kind: Any) -> None:
    data = bytearray(request().to_bytes())
    read = InvoiceRequest.from_bytes(kind(data))
    data[2] ^= 1
    assert read == request()
    assert isinstance(read.invreq_metadata, bytes)
    assert hash(read) == hash(request())


def test_enforces_the_chain_only_if_one_is_given() -> None:
    regtest, bitcoin = stream(invreq_chain=REGTEST), stream()
    assert InvoiceRequest.from_bytes(regtest).invreq_chain == REGTEST
    assert InvoiceRequest.from_bytes(regtest, chain=REGTEST).invreq_chain == REGTEST
    assert InvoiceRequest.from_bytes(bitcoin, chain=CHAINS["bitcoin"]).invreq_chain is None
    for data, chain, offset in ((regtest, CHAINS["bitcoin"], 0), (bitcoin, REGTEST, None)):
        error = rejected(data, chain=chain)
        assert (str(error), error.field, error.offset) == ("wrong chain", "invreq_chain", offset)


def test_ignores_odd_features_and_rejects_the_first_even_one() -> None:
    odd = bytes.fromhex("aa00000000000000000002")
    assert InvoiceRequest.from_bytes(stream(invreq_features=odd)).invreq_features == odd
    assert str(rejected(stream(invreq_features=bytes.fromhex("0150")))) == "unknown feature bit 4"
    assert str(rejected(stream(invreq_features=b"\x01" + bytes(1000)))) == "unknown feature bit 8000"


def test_takes_the_features_that_the_reader_knows() -> None:
    data = stream(invreq_features=b"\x15")
    assert InvoiceRequest.from_bytes(data, features=frozenset({0, 2, 4})).invreq_features == b"\x15"
    assert str(rejected(data, features=frozenset({0, 4}))) == "unknown feature bit 2"


def test_takes_the_features_of_offers_that_are_known() -> None:
    offered, known = offer(offer_features=b"\x05"), frozenset({0, 2})
    asked = request_for(offered, features=known)
    asked.verify(features=known)
    assert unsigned_invoice(asked, features=known).offer_features == b"\x05"
    refused = (
        lambda: request_for(offered, features=frozenset({0})),
        lambda: asked.verify(features=frozenset({0})),
        lambda: unsigned_invoice(asked, features=frozenset({0})),
    )
    for refuse in refused:
        with pytest.raises(Bolt12Error, match="unknown feature bit 2") as caught:
            refuse()
        assert (caught.value.rule, caught.value.field) == ("unknown-offer-feature", "offer_features")


@pytest.mark.parametrize("type_", [161, 239, 1001, 999_999_999, 3_000_000_001, U64_MAX])
def test_rejects_fields_out_of_range(type_: int) -> None:
    error = rejected(raw_stream((11, b"a"), (type_, b"")))
    assert str(error) == f"Invoice request {type_} field outside invoice request range"
    assert (error.field, error.offset) == (str(type_), 3)


@pytest.mark.parametrize("type_", [1, 159, 241, 999, 1_000_000_001, 2_999_999_999])
def test_takes_odd_fields_in_range(type_: int) -> None:
    assert InvoiceRequest.from_bytes(raw_stream((type_, b""))).unknown_records[0].type == type_


def test_rejects_a_path_without_hops() -> None:
    error = rejected(stream(invreq_paths=(PATH, EMPTY_PATH)))
    assert str(error) == "Invoice request contains an empty invreq_path"


def test_rules_are_checked_in_order() -> None:
    broken = stream(invreq_chain=REGTEST, invreq_features=b"\x01", invreq_paths=(EMPTY_PATH,)) + raw_stream((161, b""))
    assert rejected(broken, chain=CHAINS["bitcoin"]).rule == "wrong-chain"
    assert rejected(broken).rule == "unknown-feature"
    assert rejected(stream(invreq_paths=(EMPTY_PATH,)) + raw_stream((161, b""))).rule == "field-out-of-range"


def test_without_signature_or_payer_there_is_no_valid_signature() -> None:
    assert not unsigned().has_valid_signature()
    assert not InvoiceRequest.from_bytes(stream(invreq_metadata=METADATA, signature=bytes(64))).has_valid_signature()
    assert request().has_valid_signature()


def test_an_unsigned_request_without_payer_cannot_be_signed() -> None:
    with pytest.raises(Bolt12Error, match="Missing invreq_payer_id"):
        UnsignedInvoiceRequest._build(invreq_metadata=METADATA).sign(SIGNER)


@given(request_arguments, st.data())
def test_one_flipped_bit_never_verifies(values: dict[str, Any], data: st.DataObject) -> None:
    whole = request(**values).to_bytes()
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    flipped = (int.from_bytes(whole, "big") ^ (1 << bit)).to_bytes(len(whole), "big")
    try:
        read = lnoffers.decode(as_text(flipped))
    except Bolt12Error:
        return
    assert isinstance(read, InvoiceRequest)
    assert not read.signed  # what was the signature is now some other record


@given(st.integers(2**200, 2**255), request_arguments)
def test_another_payers_signature_never_verifies(secret: int, values: dict[str, Any]) -> None:
    other = KeyPair(secret.to_bytes(32, "big"))
    made = request(**values)
    records = [record for record in made.records if record.type != 88]
    records.append(Record.build(88, other.public_key))
    records.sort(key=lambda record: record.type)
    with pytest.raises(Bolt12Error, match="Invalid signature"):
        InvoiceRequest.from_bytes(b"".join(record.raw for record in records)).verify()
