"""invoice_request: building and signing; test_invoice_request_reading.py has reading and verifying."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given

from lnoffers.bolt12 import (
    CHAINS,
    Bip353Name,
    Bolt12Error,
    InvoiceRequest,
    Offer,
    Recurrence,
    RecurrenceBase,
    UnsignedInvoiceRequest,
)

from .samples import (
    METADATA,
    NOW,
    OTHER_SIGNER,
    PATH,
    REGTEST,
    SIGNER,
    offer,
    raw_stream,
    request,
    request_arguments,
    request_for,
    unsigned,
    unsigned_for,
)

U64_MAX = 2**64 - 1
# Signed by our own code once; it must not change, or stored requests lose their ids.
PINNED = (
    "lnr1qqgqqqgzqvzq2ps8pqys5zcvp58q7zs2dahx2grrdanxvet92qsqvgnwgcg35z6ee2h3yczraddm72xrfua9uve2rlrm9deu"
    "7xyfzr6jqffqskppq2zt7atzyc4m662qppt53ua7dta99t33w923s8kwxxmxx5wvl7jtpuzq5zg9szsvndctxg7wcvc2qqk8wd46"
    "ajuh7u4e8uuy7rf0vyxj5pdzuvk7cwj2ks7zq4nq5zx0hzfuc6nuzld7vcx2e0zdl0sld44uywc"
)
PINNED_ID = "a79642c340095337f8f1628edfe7d2f7f8e90fca55cb774625e6a45501afa83f"


def test_builds_the_same_string_each_time() -> None:
    made = request()
    assert made.encode() == PINNED
    assert made.invreq_id.hex() == PINNED_ID


@given(request_arguments)
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
