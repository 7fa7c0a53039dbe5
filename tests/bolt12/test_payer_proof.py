"""payer_proof: what it shows, what it hides, and that it proves; tests/bolt12/test_rules.py has the rules."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lnoffers
from lnoffers.bolt12 import Bolt12Error, Invoice, InvoiceError, InvoiceRequest, Offer, PayerProof, Recurrence
from lnoffers.bolt12.disclosure import is_shown
from lnoffers.bolt12.tlv import Record, write_records

from .samples import (
    METADATA,
    NOW,
    OTHER_SIGNER,
    PREIMAGE,
    SIGNER,
    as_text,
    invoice,
    offer,
    proof,
    raw_stream,
    request_for,
    resigned,
    signed_stream,
    unsigned_proof,
)

ALWAYS = {88, 168, 176}
# With odd records of other software in each range, so that there is much to show and to hide.
RICH = invoice(
    InvoiceRequest.from_bytes(
        signed_stream(
            (1, b"first"),
            (79, b"of the offer"),
            (159, b"of the request"),
            (1_000_000_001, b"of the offer"),
            (2_999_999_999, b"of the request"),
            offer_issuer_id=OTHER_SIGNER.public_key,
            offer_description="tea",
            invreq_amount=5,
        )
    ),
    invoice_features=b"\x02\0\0",
)
TYPES = [record.type for record in RICH.records if record.type not in (0, 240)]


def refused(paid: Invoice, **arguments: Any) -> Bolt12Error:
    with pytest.raises(Bolt12Error) as caught:
        unsigned_proof(paid, **arguments)
    return caught.value


def test_shows_what_must_be_shown_and_what_is_wanted() -> None:
    assert set(proof().shown_types) == ALWAYS
    made = proof(include={10, 22, 170, 99})
    assert set(made.shown_types) == ALWAYS | {10, 22, 170}
    assert (made.offer_description, made.invoice_amount) == ("one coffee", 1_000)
    assert made.offer_chains is None
    assert set(proof(RICH).shown_types) == ALWAYS | {174}


@pytest.mark.parametrize(
    "wanted",
    [
        {10, 170},
        ["offer_description", "invoice_amount"],
        (Offer.offer_description, Invoice.invoice_amount),
        {"offer_description", 170},
    ],
)
def test_fields_to_show_are_named_by_number_by_name_or_by_the_field(wanted: Any) -> None:
    assert proof(include=wanted) == proof(include={10, 170})


@pytest.mark.parametrize("field", [10, "offer_description", Offer.offer_description])
def test_the_number_of_a_field_to_show_is_found_in_the_same_ways(field: Any) -> None:
    assert PayerProof.provable_number(field) == Offer.offer_description.number


def test_a_field_that_no_proof_may_show_has_no_number_for_proofs() -> None:
    with pytest.raises(Bolt12Error, match="cannot show invreq_metadata"):
        PayerProof.provable_number("invreq_metadata")


def test_a_field_of_another_message_with_the_same_number_is_not_shown() -> None:
    assert InvoiceError.erroneous_field.number == 1
    for field in (InvoiceError.erroneous_field, PayerProof.proof_note):
        error = refused(invoice(), include=[field])
        assert (error.rule, error.field) == ("field-not-provable", field.name)


def test_a_name_that_is_no_fields_is_said_to_be_none() -> None:
    error = refused(invoice(), include={"offer_descripton"})
    assert isinstance(error, ValueError)
    assert (str(error), error.rule) == ("no field of an invoice is called 'offer_descripton'", "field-unknown")


@pytest.mark.parametrize(
    ("wanted", "what"),
    [
        ("offer_description", "include must be a collection of int or str or Field, not str"),
        (b"\n", "include must be a collection of int or str or Field, not bytes"),
        (10, "include must be a collection of int or str or Field, not int"),
        ({10: True}.items(), "include[0] must be int or str or Field, not tuple"),
        ([10, 1.5], "include[1] must be int or str or Field, not float"),
        ([True], "include[0] must be int or str or Field, not bool"),
        ([None], "include[0] must be int or str or Field, not None"),
    ],
)
def test_what_is_no_field_to_show_is_a_type_error(wanted: Any, what: str) -> None:
    with pytest.raises(TypeError) as caught:
        unsigned_proof(include=wanted)
    assert str(caught.value) == f"for_invoice() argument {what}"


def test_a_proof_is_the_same_each_time() -> None:
    assert proof(proof_note="paid").encode() == proof(proof_note="paid").encode()


def test_a_note_is_part_of_what_is_signed() -> None:
    made = proof(proof_note="paid on Monday")
    assert PayerProof.parse(made.encode()).proof_note == "paid on Monday"
    records = [record for record in made.records if record.type != 1005]
    with pytest.raises(Bolt12Error) as caught:
        PayerProof.from_bytes(write_records(records)).verify()
    assert caught.value.rule == "proof-signature-invalid"


@given(st.sets(st.sampled_from(TYPES)))
def test_verifies_for_every_subset_of_fields(include: set[int]) -> None:
    made = proof(RICH, include)
    read = lnoffers.decode(made.encode())
    assert read == made
    assert isinstance(read, PayerProof)
    assert set(read.shown_types) == include | ALWAYS | {174}
    shown = {record.type: record for record in RICH.records}
    assert all(shown[record.type] == record for record in read.records if is_shown(record))


def test_shows_all_without_a_marker() -> None:
    made = proof(RICH, TYPES)
    made.verify()
    assert made.proof_omitted_tlvs is None
    assert made.proof_missing_hashes is not None
    assert len(made.proof_missing_hashes) == 1  # for metadata


def test_hides_how_far_apart_the_hidden_are() -> None:
    assert proof(RICH, {79}).proof_omitted_tlvs == (1, 2, 3, 80, 89, 90, 91, 92, 169, 177, 178)


@given(st.sets(st.sampled_from(TYPES)), st.data())
def test_one_flipped_bit_never_verifies(include: set[int], data: st.DataObject) -> None:
    whole = proof(RICH, include).to_bytes()
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    flipped = (int.from_bytes(whole, "big") ^ (1 << bit)).to_bytes(len(whole), "big")
    with pytest.raises(Bolt12Error):
        lnoffers.decode(as_text(flipped, "lnp"))


@given(st.sets(st.sampled_from(TYPES)), st.data())
def test_the_payer_cannot_change_the_invoice(include: set[int], data: st.DataObject) -> None:
    records = list(proof(RICH, include).records)
    # All but the payer's own signature, which is made anew, and a note, which is the payer's to choose.
    at = data.draw(st.sampled_from([index for index, each in enumerate(records) if each.type not in (241, 1005)]))
    record = records[at]
    action = data.draw(st.sampled_from(["drop", "double", "cut"]))
    if action == "drop":
        del records[at]
    elif action == "double":
        records[at] = Record.build(record.type, record.value * 2)
    else:
        records[at] = Record.build(record.type, record.value[:-1])
    if records == list(proof(RICH, include).records):
        return  # no value, so nothing to double or cut
    try:
        changed = PayerProof.from_bytes(write_records(resigned(PayerProof, records, SIGNER)))
    except Bolt12Error:
        return
    with pytest.raises(Bolt12Error):
        changed.verify()


def test_nobody_else_can_say_to_have_paid() -> None:
    records = resigned(PayerProof, proof().records, OTHER_SIGNER)
    with pytest.raises(Bolt12Error) as caught:
        PayerProof.from_bytes(write_records(records)).verify()
    assert caught.value.rule == "proof-signature-invalid"
    with pytest.raises(Bolt12Error) as caught:
        unsigned_proof().sign(OTHER_SIGNER)
    assert caught.value.rule == "signer-key"


def test_refuses_to_prove_with_another_preimage() -> None:
    error = refused(invoice(), proof_preimage=bytes(32))
    assert (str(error), error.rule) == ("Incorrect preimage", "preimage-wrong")


def test_refuses_to_prove_an_invoice_that_does_not_verify() -> None:
    assert refused(Invoice.from_bytes(invoice().to_bytes()[:-1] + b"\0")).rule == "signature-invalid"


@pytest.mark.parametrize(("number", "rule"), [(0, "metadata-missing"), (88, "payer-id-missing")])
def test_refuses_to_prove_what_no_proof_would_verify_of(number: int, rule: str) -> None:
    records = [record for record in invoice().records if record.type != number]
    short = Invoice.from_bytes(write_records(resigned(Invoice, records, OTHER_SIGNER)))
    assert refused(short).rule == rule


@pytest.mark.parametrize(
    ("number", "name"),
    [
        (0, "invreq_metadata"),
        (240, "signature"),
        (1001, "1001"),
        (2**32, "4294967296"),
        (1_000_000_024, "offer_recurrence_compulsory"),
        (3_000_000_002, "3000000002"),
    ],
)
def test_refuses_to_show_what_no_proof_can_carry(number: int, name: str) -> None:
    error = refused(invoice(), include={10, number})
    assert (error.rule, error.field) == ("field-not-provable", name)
    assert str(error) == f"a payer_proof cannot show {name}"


def test_the_period_of_a_recurring_offer_stays_hidden() -> None:
    asked = request_for(offer(offer_recurrence_compulsory=Recurrence(2, 1)), invreq_recurrence_counter=0)
    made = proof(invoice(asked, invoice_recurrence_basetime=NOW), include={10})
    lnoffers.decode(made.encode())
    assert b"\xfe\x3b\x9a\xca\x18" not in made.to_bytes()


def with_records(*extra: tuple[int, bytes]) -> Invoice:
    """Return an invoice with more records."""
    records = [*invoice().records, *(Record.build(*each) for each in extra)]
    return Invoice.from_bytes(write_records(resigned(Invoice, records, OTHER_SIGNER)))


def test_a_marker_after_239_is_the_first_above_the_types_of_signatures_and_proofs() -> None:
    paid = with_records((239, b"shown"), (1_000_000_001, b"hidden"), (3_000_000_001, b"hidden too"))
    made = proof(paid, include={239})
    assert made.proof_omitted_tlvs is not None
    assert made.proof_omitted_tlvs[-2:] == (1_000_000_000, 1_000_000_001)
    assert lnoffers.decode(made.encode()) == made


def test_a_marker_after_the_marker_239_is_that_one_too() -> None:
    hidden = (239, 1_000_000_001, 1_000_000_003)
    made = proof(with_records((237, b"shown"), *((number, b"") for number in hidden)), include={237})
    assert made.proof_omitted_tlvs is not None
    assert made.proof_omitted_tlvs[-3:] == (238, 239, 1_000_000_000)
    assert lnoffers.decode(made.encode()) == made


def test_refuses_to_hide_where_no_marker_is_left() -> None:
    paid = with_records((3_999_999_999, b"the last there is"), (4_000_000_001, b"beyond"))
    assert refused(paid, include={3_999_999_999}).rule == "markers-wrong"
    unsigned_proof(paid).sign(SIGNER).verify()


def test_metadata_has_no_place_in_a_proof() -> None:
    data = raw_stream((0, METADATA)) + proof().to_bytes()
    with pytest.raises(Bolt12Error, match="invalid payer_proof data") as caught:
        PayerProof.parse(as_text(data, "lnp"))
    assert (caught.value.rule, caught.value.offset) == ("record-unknown-even", 0)


def test_the_preimage_is_shown() -> None:
    assert proof().proof_preimage == PREIMAGE
