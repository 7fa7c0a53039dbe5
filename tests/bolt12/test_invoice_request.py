"""invoice_request: building and signing, reading, the reader's rules, and verifying."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lnoffers
from lnoffers.bolt12 import (
    CHAINS,
    Bip353Name,
    Bolt12Error,
    InvoiceRequest,
    KeyPair,
    Offer,
    Record,
    Recurrence,
    RecurrenceBase,
    UnsignedInvoiceRequest,
)

from .samples import (
    EMPTY_PATH,
    METADATA,
    NOW,
    OTHER_SIGNER,
    PATH,
    REGTEST,
    SIGNER,
    as_text,
    offer,
    raw_stream,
    request,
    request_for,
    signed_stream,
    stream,
    unsigned,
    unsigned_for,
    unsigned_invoice,
)

U64_MAX = 2**64 - 1
# Signed by our own code once; it must not change, or stored requests lose their ids.
PINNED = (
    "lnr1qqgqqqgzqvzq2ps8pqys5zcvp58q7zs2dahx2grrdanxvet92qsqvgnwgcg35z6ee2h3yczraddm72xrfua9uve2rlrm9deu"
    "7xyfzr6jqffqskppq2zt7atzyc4m662qppt53ua7dta99t33w923s8kwxxmxx5wvl7jtpuzq5zg9szsvndctxg7wcvc2qqk8wd46"
    "ajuh7u4e8uuy7rf0vyxj5pdzuvk7cwj2ks7zq4nq5zx0hzfuc6nuzld7vcx2e0zdl0sld44uywc"
)
PINNED_ID = "a79642c340095337f8f1628edfe7d2f7f8e90fca55cb774625e6a45501afa83f"

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=50)
arguments = st.fixed_dictionaries(
    {
        "invreq_metadata": st.binary(min_size=1, max_size=40),
        "invreq_amount": st.integers(1, U64_MAX),
        "offer_description": texts,
    },
    optional={
        "offer_issuer": texts,
        "offer_absolute_expiry": st.integers(0, U64_MAX),
        "invreq_chain": st.sampled_from(list(CHAINS.values())),
        "invreq_payer_note": texts,
        "invreq_paths": st.just((PATH,)),
    },
)


def rejected(data: bytes, **options: Any) -> Bolt12Error:
    """The error of reading the stream; the text form gives the same."""
    with pytest.raises(Bolt12Error) as caught:
        InvoiceRequest.from_bytes(data, **options)
    with pytest.raises(Bolt12Error) as of_text:
        InvoiceRequest.parse(as_text(data), **options)
    assert str(of_text.value) == str(caught.value)
    return caught.value


# ---- building


def test_builds_the_same_string_each_time() -> None:
    made = request()
    assert made.encode() == PINNED
    assert made.invreq_id.hex() == PINNED_ID


@given(arguments)
def test_reads_and_verifies_what_it_builds(values: dict[str, Any]) -> None:
    made = request(**values)
    read = InvoiceRequest.parse(made.encode())
    read.verify()
    assert read == made
    assert hash(read) == hash(made)
    assert read.to_bytes() == made.to_bytes()
    chain = values.pop("invreq_chain", REGTEST)
    assert read.invreq_chain == (None if chain == CHAINS["bitcoin"] else chain)
    assert {name: getattr(read, name) for name in values} == values


def test_signing_does_not_change_the_id() -> None:
    made = unsigned()
    assert made.signature is None
    assert made.sign(SIGNER).invreq_id == made.invreq_id


def test_records_ascend_with_the_signature_in_its_place() -> None:
    assert [record.type for record in request().records] == [0, 10, 80, 82, 88, 240]


def test_an_empty_field_is_not_an_absent_one() -> None:
    read = InvoiceRequest.parse(request(offer_description="").encode())
    assert read.offer_description == ""
    assert read.offer_issuer is None
    assert read != InvoiceRequest.parse(request(offer_description="", offer_issuer="").encode())


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"invreq_amount": -1}, "number-range"),
    ({"invreq_amount": U64_MAX + 1}, "number-range"),
    ({"offer_description": "a\0"}, "text-nul"),
    ({"offer_issuer": "\ud800"}, "text-not-utf8"),
    ({"offer_absolute_expiry": -1}, "number-range"),
    ({"invreq_chain": b"regtest"}, "wrong-length"),
    ({"invreq_payer_id": SIGNER.public_key[1:]}, "not-a-point"),
]


@pytest.mark.parametrize(("changes", "rule"), REFUSED)
def test_refuses_to_build_values_that_fit_no_record(changes: dict[str, Any], rule: str) -> None:
    (field,) = changes
    with pytest.raises(Bolt12Error) as caught:
        request(**changes)
    assert (caught.value.rule, caught.value.field) == (rule, field)
    assert field in str(caught.value)


def test_values_are_those_of_the_bytes_whatever_sequence_they_were_given_as() -> None:
    made = request(invreq_paths=[PATH])
    read = InvoiceRequest.from_bytes(made.to_bytes())
    for field in InvoiceRequest.fields.values():
        built = getattr(made, field.name)
        assert (type(built), built) == (type(getattr(read, field.name)), getattr(read, field.name))
    assert hash(made) == hash(read)


def test_a_request_for_an_offer_repeats_all_its_records() -> None:
    asked = Offer.from_bytes(offer(offer_quantity_max=0).to_bytes() + raw_stream((79, b"later"), (1_000_000_001, b"x")))
    made = unsigned_for(asked, invreq_quantity=2, invreq_payer_note="hi")
    assert [record for record in made.records if record in asked.records] == list(asked.records)
    assert [record.type for record in made.records if record not in asked.records] == [0, 80, 86, 88, 89]
    read = InvoiceRequest.parse(made.sign(SIGNER).encode(), chain=REGTEST)
    read.verify()
    assert read.offer_id == asked.offer_id
    assert (read.invreq_quantity, read.invreq_payer_note, read.expected_amount) == (2, "hi", 2_000)


def test_a_request_can_carry_all_that_a_payer_may_say() -> None:
    asked = offer(offer_recurrence_compulsory=Recurrence(2, 1), offer_recurrence_base=RecurrenceBase(0, NOW))
    values: dict[str, Any] = {
        "invreq_amount": 1_001,
        "invreq_features": b"\2",
        "invreq_paths": (PATH,),
        "invreq_bip_353_name": Bip353Name(b"bob", b"example.com"),
        "invreq_recurrence_counter": 3,
        "invreq_recurrence_start": 4,
        "invreq_recurrence_cancel": True,
    }
    read = InvoiceRequest.parse(request_for(asked, **values).encode())
    read.verify()
    assert {name: getattr(read, name) for name in values} == values
    assert read.period_index == 7


def test_bitcoin_needs_no_naming() -> None:
    made = request_for(offer(offer_chains=(CHAINS["bitcoin"],)), invreq_chain=CHAINS["bitcoin"])
    assert made.offer_chains is None
    assert made.invreq_chain is None


@pytest.mark.parametrize(
    ("asked", "changes", "rule"),
    [
        ({}, {"invreq_amount": 999}, "amount-too-small"),
        ({}, {"invreq_quantity": 1}, "quantity-unexpected"),
        ({}, {"invreq_chain": CHAINS["bitcoin"]}, "chain-not-offered"),
        ({"offer_amount": None}, {}, "amount-missing"),
        ({"offer_quantity_max": 5}, {"invreq_quantity": 6}, "quantity-too-great"),
        ({}, {"invreq_metadata": b""}, "metadata-empty"),
        ({}, {"invreq_paths": ()}, "paths-empty"),
    ],
)
def test_refuses_to_ask_for_what_an_offer_does_not_offer(
    asked: dict[str, Any], changes: dict[str, Any], rule: str
) -> None:
    with pytest.raises(Bolt12Error) as caught:
        unsigned_for(offer(**asked), **changes)
    assert caught.value.rule == rule


def test_the_expected_amount_is_known_only_in_msat() -> None:
    monthly = Recurrence(2, 1)
    assert request_for(offer()).expected_amount == 1_000
    assert request_for(offer(offer_currency="EUR")).expected_amount is None
    assert request_for(offer(offer_amount=None), invreq_amount=5).expected_amount is None
    of_period = {"offer_recurrence_optional": monthly, "offer_recurrence_base": RecurrenceBase(1, 0)}
    start = {"invreq_recurrence_counter": 0, "invreq_recurrence_start": 0}
    assert request_for(offer(**of_period), **start).expected_amount is None


def test_an_unsigned_request_has_a_string_too() -> None:
    made = unsigned()
    read = UnsignedInvoiceRequest.parse(made.encode())
    assert read == made
    assert read.sign(SIGNER) == request()


def test_an_offer_has_ended_at_its_expiry_for_whoever_answers() -> None:
    ends = request_for(offer(offer_absolute_expiry=NOW))
    ends.check_unexpired(NOW - 1)
    with pytest.raises(Bolt12Error, match="Offer expired") as caught:
        ends.check_unexpired(NOW)
    assert (caught.value.rule, caught.value.field) == ("offer-expired", "offer_absolute_expiry")
    request_for(offer()).check_unexpired(2**64)


def test_who_has_paid_once_may_go_on_after_the_end() -> None:
    ends = offer(offer_absolute_expiry=NOW, offer_recurrence_optional=Recurrence(2, 1))
    request_for(ends, invreq_recurrence_counter=1).check_unexpired(NOW)
    with pytest.raises(Bolt12Error):
        request_for(ends, invreq_recurrence_counter=0).check_unexpired(NOW)


def test_refuses_to_sign_twice() -> None:
    signed = UnsignedInvoiceRequest._build(invreq_payer_id=SIGNER.public_key, signature=bytes(64))
    with pytest.raises(Bolt12Error) as caught:
        signed.sign(SIGNER)
    assert (caught.value.rule, caught.value.field) == ("already-signed", "signature")


def test_refuses_a_signer_who_is_not_the_payer() -> None:
    with pytest.raises(Bolt12Error) as caught:
        unsigned().sign(OTHER_SIGNER)
    assert caught.value.rule == "signer-key"


def test_messages_do_not_change() -> None:
    made = request()
    with pytest.raises(AttributeError, match="invreq_amount cannot be set"):
        made.invreq_amount = 1  # type: ignore[assignment]
    with pytest.raises(AttributeError):
        made.records = ()  # type: ignore[misc]
    with pytest.raises(AttributeError):
        made.note = "new"  # type: ignore[attr-defined]


def test_repr_names_the_fields_that_are_there() -> None:
    shown = repr(request(offer_description="tea", offer_issuer="long" * 1000))
    assert shown.startswith(f"InvoiceRequest(invreq_metadata='{METADATA.hex()}', offer_description='tea', ")
    assert "offer_metadata" not in shown
    assert re.search(r"offer_issuer='(long)+lo…, ", shown)
    assert re.search(r", signature='[0-9a-f]{128}'\)$", shown)


# ---- reading


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


# ---- verifying; tests/bolt12/test_rules.py has the rules


def test_without_signature_or_payer_there_is_no_valid_signature() -> None:
    assert not unsigned().has_valid_signature()
    assert not InvoiceRequest.from_bytes(stream(invreq_metadata=METADATA, signature=bytes(64))).has_valid_signature()
    assert request().has_valid_signature()


def test_an_unsigned_request_without_payer_cannot_be_signed() -> None:
    with pytest.raises(Bolt12Error, match="Missing invreq_payer_id"):
        UnsignedInvoiceRequest._build(invreq_metadata=METADATA).sign(SIGNER)


@given(arguments, st.data())
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


@given(st.integers(2**200, 2**255), arguments)
def test_another_payers_signature_never_verifies(secret: int, values: dict[str, Any]) -> None:
    other = KeyPair(secret.to_bytes(32, "big"))
    made = request(**values)
    records = [record for record in made.records if record.type != 88]
    records.append(Record.build(88, other.public_key))
    records.sort(key=lambda record: record.type)
    with pytest.raises(Bolt12Error, match="Invalid signature"):
        InvoiceRequest.from_bytes(b"".join(record.raw for record in records)).verify()
