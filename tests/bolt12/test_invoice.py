"""invoice: answering requests, reading, and what a payer checks; tests/bolt12/test_rules.py has the rules."""

from __future__ import annotations

import dataclasses
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lnoffers
from lnoffers.bolt12 import (
    CHAINS,
    BlindedHop,
    BlindedPath,
    BlindedPayinfo,
    Bolt12Error,
    FallbackAddress,
    Invoice,
    InvoiceRequest,
    Recurrence,
    UnsignedInvoice,
    UnsignedInvoiceRequest,
)
from lnoffers.bolt12.features import MPP_COMPULSORY, MPP_OPTIONAL, bitmap
from lnoffers.bolt12.tlv import Record, write_records

from .samples import (
    METADATA,
    NOW,
    OTHER_SIGNER,
    PATH,
    PAYINFO,
    PREIMAGE,
    REGTEST,
    SIGNER,
    as_text,
    invoice,
    offer,
    raw_stream,
    request,
    request_for,
    resigned,
    signed_stream,
    unsigned_invoice,
)

OTHER_PATH = BlindedPath(SIGNER.public_key, SIGNER.public_key, (BlindedHop(OTHER_SIGNER.public_key, b""),))


def refused(answer: Invoice, asked: InvoiceRequest, **options: Any) -> Bolt12Error:
    with pytest.raises(Bolt12Error) as caught:
        answer.verify_answer(asked, **options)
    return caught.value


def forged(*replaced: Record, without: tuple[int, ...] = ()) -> Invoice:
    """Return `invoice()` with other records, signed again by its node."""
    dropped = {record.type for record in replaced} | set(without)
    records = [*(record for record in invoice().records if record.type not in dropped), *replaced]
    return Invoice.from_bytes(write_records(resigned(Invoice, records, OTHER_SIGNER)))


# ---- building


def test_an_invoice_repeats_its_request_and_adds_its_terms() -> None:
    asked = request_for(offer())
    made = invoice(asked)
    assert [record for record in made.records if record.type < 160] == [
        record for record in asked.records if record.type < 160
    ]
    assert [record.type for record in made.records if record.type >= 160] == [160, 162, 164, 168, 170, 176, 240]
    assert (made.invoice_amount, made.invoice_node_id) == (1_000, OTHER_SIGNER.public_key)
    assert (made.offer_id, made.invreq_id) == (asked.offer_id, asked.invreq_id)
    read = Invoice.parse(made.encode(), chain=REGTEST)
    read.verify_answer(asked)
    assert read == made


def test_records_that_are_unknown_are_repeated_and_unsigned_ones_are_not() -> None:
    data = signed_stream(
        (79, b"of the offer"),
        (159, b"of the request"),
        (241, b"nobody's"),
        (2_999_999_999, b"experiment"),
        offer_issuer_id=OTHER_SIGNER.public_key,
        invreq_amount=5,
    )
    asked = InvoiceRequest.from_bytes(data)
    made = invoice(asked)
    made.verify_answer(asked)
    assert [record.type for record in made.unknown_records] == [79, 159, 2_999_999_999]


def test_an_invoice_can_carry_all_its_terms() -> None:
    asked = request_for(offer(offer_recurrence_optional=Recurrence(2, 1)), invreq_recurrence_counter=0)
    values: dict[str, Any] = {
        "invoice_paths": (PATH, OTHER_PATH),
        "invoice_blindedpay": (PAYINFO, BlindedPayinfo(0, 0, 18, 0, 2**63, b"\2")),
        "invoice_relative_expiry": 60,
        "invoice_fallbacks": (FallbackAddress(0, bytes(20)), FallbackAddress(1, bytes(32))),
        "invoice_features": bitmap([MPP_OPTIONAL]),
        "invoice_recurrence_basetime": NOW,
    }
    read = Invoice.parse(invoice(asked, **values).encode())
    read.verify_answer(asked)
    assert {name: getattr(read, name) for name in values} == values
    assert (read.relative_expiry, read.expires_at) == (60, NOW + 60)


def test_two_hours_need_no_naming() -> None:
    made = invoice(invoice_relative_expiry=7200)
    assert made.invoice_relative_expiry is None
    assert (made.relative_expiry, made.expires_at) == (7200, NOW + 7200)


def test_the_amount_is_what_the_request_names_before_what_the_offer_costs() -> None:
    assert invoice(request_for(offer(), invreq_amount=1_234)).invoice_amount == 1_234
    assert invoice(request_for(offer(offer_quantity_max=0), invreq_quantity=3)).invoice_amount == 3_000


def test_a_request_without_offer_is_answered_by_whoever_names_itself() -> None:
    made = invoice(request(), invoice_node_id=OTHER_SIGNER.public_key)
    made.verify_answer(request())
    assert made.invoice_amount == 21_000
    assert made.offer_id is None


@pytest.mark.parametrize(("asked", "amount"), [(21_000, 20_000), (0, 0), (0, 5)])
def test_an_invoice_is_for_another_amount_than_asked_only_if_that_is_allowed(asked: int, amount: int) -> None:
    wanted = UnsignedInvoiceRequest._build(
        invreq_metadata=METADATA, invreq_payer_id=SIGNER.public_key, invreq_amount=asked, offer_description="x"
    ).sign(SIGNER)
    changes = {"invoice_node_id": OTHER_SIGNER.public_key, "invoice_amount": amount}
    with pytest.raises(Bolt12Error) as refused:
        invoice(wanted, **changes)
    assert refused.value.rule == ("amount-zero" if asked == 0 else "amount-unexpected")
    assert invoice(wanted, **changes, any_amount=True).invoice_amount == amount


def test_the_price_in_a_currency_must_be_converted_by_the_caller() -> None:
    asked = request_for(offer(offer_currency="EUR"))
    with pytest.raises(Bolt12Error, match="missing invoice_amount"):
        unsigned_invoice(asked)
    assert invoice(asked, invoice_amount=77).invoice_amount == 77


def test_refuses_to_answer_a_request_that_does_not_verify() -> None:
    data = request().to_bytes()[:-1] + b"\0"
    with pytest.raises(Bolt12Error, match="Invalid signature"):
        unsigned_invoice(InvoiceRequest.from_bytes(data), invoice_node_id=OTHER_SIGNER.public_key)


def test_an_unsigned_invoice_has_a_string_too() -> None:
    made = unsigned_invoice()
    read = UnsignedInvoice.parse(made.encode())
    assert read == made
    assert read.sign(OTHER_SIGNER) == invoice()


def test_an_unsigned_invoice_can_be_given_other_paths() -> None:
    given = unsigned_invoice()
    other = dataclasses.replace(PAYINFO, fee_base_msat=7)
    changed = UnsignedInvoice.parse(given.encode()).with_paths([PATH, PATH], [PAYINFO, other])
    assert (changed.invoice_paths, changed.invoice_blindedpay) == ((PATH, PATH), (PAYINFO, other))
    assert changed.with_paths([PATH], [PAYINFO]) == given
    changed.sign(OTHER_SIGNER).verify()


def test_only_the_node_it_names_can_sign() -> None:
    with pytest.raises(Bolt12Error) as caught:
        unsigned_invoice().sign(SIGNER)
    assert caught.value.rule == "signer-key"


def test_refuses_to_sign_for_nobody_and_twice() -> None:
    with pytest.raises(Bolt12Error, match="Missing invoice_node_id") as caught:
        UnsignedInvoice._build(invreq_metadata=METADATA).sign(SIGNER)
    assert caught.value.rule == "signing-key-missing"
    signed = UnsignedInvoice._build(invoice_node_id=SIGNER.public_key, signature=bytes(64))
    with pytest.raises(Bolt12Error) as caught:
        signed.sign(SIGNER)
    assert caught.value.rule == "already-signed"


# ---- reading


def test_reads_an_invoice_of_another_chain_only_if_none_is_named() -> None:
    made = invoice()
    assert Invoice.from_bytes(made.to_bytes(), chain=REGTEST) == made
    with pytest.raises(Bolt12Error, match="wrong chain") as caught:
        Invoice.from_bytes(made.to_bytes(), chain=CHAINS["bitcoin"])
    assert (caught.value.rule, caught.value.field) == ("wrong-chain", "invreq_chain")


@pytest.mark.parametrize(("bits", "unknown"), [([MPP_COMPULSORY, MPP_OPTIONAL], None), ([1, 3], None), ([0, 16], 0)])
def test_knows_payments_in_parts_and_no_other_even_feature(bits: list[int], unknown: int | None) -> None:
    data = invoice(invoice_features=bitmap(bits)).to_bytes()
    if unknown is None:
        assert Invoice.from_bytes(data).invoice_features == bitmap(bits)
    else:
        with pytest.raises(Bolt12Error, match=f"unknown feature bit {unknown}"):
            Invoice.from_bytes(data)
        assert Invoice.from_bytes(data, features=frozenset({0, 16}))


def test_rejects_broken_data_and_says_where() -> None:
    with pytest.raises(Bolt12Error, match="invalid invoice data") as caught:
        Invoice.parse(as_text(raw_stream((8, b"\1"), (168, bytes(31))), "lni"))
    error = caught.value
    assert (error.rule, error.field, error.offset) == ("wrong-length", "invoice_payment_hash", 3)


def test_the_field_that_ends_a_recurrence_has_no_place_in_an_invoice() -> None:
    with pytest.raises(Bolt12Error) as caught:
        Invoice.from_bytes(raw_stream((2_000_000_094, b"")))
    assert caught.value.rule == "record-unknown-even"


def test_an_invoice_has_ended_after_its_expiry() -> None:
    made = invoice(invoice_relative_expiry=60)
    made.check_unexpired(NOW + 60)
    with pytest.raises(Bolt12Error, match="Expired invoice") as caught:
        made.check_unexpired(NOW + 61)
    assert caught.value.rule == "invoice-expired"


def test_paths_with_features_that_are_unknown_are_passed_over() -> None:
    needy, odd = BlindedPayinfo(0, 0, 0, 0, 0, b"\4"), BlindedPayinfo(0, 0, 0, 0, 0, b"\2")
    made = invoice(invoice_paths=(PATH, OTHER_PATH, PATH), invoice_blindedpay=(needy, odd, PAYINFO))
    assert made.usable_paths == ((OTHER_PATH, odd), (PATH, PAYINFO))


# ---- what a payer checks


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        (forged(Record.build(10, b"two coffees")), "10"),
        (forged(Record.build(81, b"added")), "81"),
        (forged(without=(10,)), "10"),
        (forged(Record.build(2_999_999_999, b"added")), "2999999999"),
    ],
)
def test_refuses_an_invoice_that_does_not_repeat_the_request(answer: Invoice, field: str) -> None:
    error = refused(answer, request_for(offer()))
    assert (error.rule, error.field) == ("request-not-mirrored", field)
    assert f"does not repeat field {field} of the invoice_request" in str(error)


def test_refuses_the_invoice_of_another_request() -> None:
    other = request_for(offer(), invreq_payer_note="me too")
    assert refused(invoice(other), request_for(offer())).rule == "request-not-mirrored"


def test_an_invoice_may_add_records_of_its_own() -> None:
    forged(Record.build(239, b"more"), Record.build(3_000_000_001, b"experiment")).verify_answer(request_for(offer()))


def test_refuses_another_issuer() -> None:
    records = [record for record in invoice().records if record.type != 176]
    records.append(Record.build(176, SIGNER.public_key))
    answer = Invoice.from_bytes(write_records(resigned(Invoice, records, SIGNER)))
    error = refused(answer, request_for(offer()))
    assert (error.rule, error.field) == ("node-id-unexpected", "invoice_node_id")


def test_a_payer_that_knows_the_request_by_its_id_finds_the_same_faults() -> None:
    others = [record for record in invoice().records if record.type != 176]
    records = [*others, Record.build(176, SIGNER.public_key)]
    for answer in (
        Invoice.from_bytes(invoice().to_bytes()[:-1] + b"\0"),
        forged(without=(160,)),
        forged(Record.build(170, b"\x07\xd1")),
        Invoice.from_bytes(write_records(resigned(Invoice, records, SIGNER))),
    ):
        assert answer.invreq_id == request_for(offer()).invreq_id
        expected = refused(answer, request_for(offer()))
        with pytest.raises(Bolt12Error, match=expected.message) as caught:
            answer.verify_asked()
        assert (caught.value.rule, caught.value.field) == (expected.rule, expected.field)
    invoice().verify_asked()


def test_without_issuer_the_end_of_the_path_that_was_used_must_sign() -> None:
    asked = request_for(offer(offer_issuer_id=None, offer_paths=(PATH, OTHER_PATH)))
    answer = invoice(asked, invoice_node_id=OTHER_SIGNER.public_key)
    answer.verify_answer(asked)
    answer.verify_answer(asked, sent_to=OTHER_SIGNER.public_key)
    error = refused(answer, asked, sent_to=SIGNER.public_key)
    assert (error.rule, error.field) == ("node-id-unexpected", "invoice_node_id")


def test_the_issuer_signs_whichever_path_was_used() -> None:
    asked = request_for(offer(offer_paths=(PATH,)))
    invoice(asked).verify_answer(asked, sent_to=SIGNER.public_key)


def test_refuses_another_amount_than_was_asked_for() -> None:
    for asked in (request_for(offer()), request_for(offer(), invreq_amount=2_000)):
        records = [record for record in invoice(asked).records if record.type != 170]
        records.append(Record.build(170, b"\x07\xd1"))  # 2001
        answer = Invoice.from_bytes(write_records(resigned(Invoice, records, OTHER_SIGNER)))
        error = refused(answer, asked)
        assert (error.rule, error.field) == ("amount-unexpected", "invoice_amount")
    assert "2001msat where 2000msat are asked for" in str(error)
    assert "more than the 2000msat allowed" in str(refused(answer, asked, max_amount=2_000))


def test_a_payer_may_allow_another_amount_than_was_asked_for() -> None:
    asked = request_for(offer(), invreq_amount=2_000)
    records = [record for record in invoice(asked).records if record.type != 170]
    records.append(Record.build(170, b"\x07\xd1"))  # 2001
    answer = Invoice.from_bytes(write_records(resigned(Invoice, records, OTHER_SIGNER)))
    answer.verify_answer(asked, max_amount=2_001)


def test_where_no_amount_was_asked_for_the_payer_allows_one() -> None:
    asked = request_for(offer(offer_currency="EUR"))
    answer = invoice(asked, invoice_amount=500)
    answer.verify_answer(asked, max_amount=500)
    assert "more than the 499msat allowed" in str(refused(answer, asked, max_amount=499))
    assert "nobody has allowed 500msat" in str(refused(answer, asked))


def test_a_payer_may_allow_more_than_an_offer_costs() -> None:
    asked = request_for(offer())
    answer = forged(Record.build(170, b"\x07\xd0"))
    assert refused(answer, asked).rule == "amount-unexpected"
    answer.verify_answer(asked, max_amount=2_000)


def test_what_is_wrong_with_the_invoice_alone_is_refused_first() -> None:
    answer = Invoice.from_bytes(invoice().to_bytes()[:-1] + b"\0")
    assert refused(answer, request()).rule == "signature-invalid"


@given(st.data())
def test_one_flipped_bit_never_verifies(data: st.DataObject) -> None:
    whole = invoice().to_bytes()
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    flipped = (int.from_bytes(whole, "big") ^ (1 << bit)).to_bytes(len(whole), "big")
    with pytest.raises(Bolt12Error):
        lnoffers.decode(as_text(flipped, "lni"))


def test_the_preimage_fits() -> None:
    assert invoice().invoice_payment_hash == sha256(PREIMAGE).digest()
