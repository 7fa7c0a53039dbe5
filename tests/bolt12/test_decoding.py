"""From any string to its message: kinds, prefixes, and how far each is checked."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lnoffers
from lnoffers.bolt12 import (
    BlindedPayinfo,
    Bolt12,
    Bolt12Error,
    Invoice,
    InvoiceRequest,
    Offer,
    PayerProof,
    decode_leniently,
)
from lnoffers.bolt12.tlv import Record, write_records

from .samples import (
    OTHER_SIGNER,
    PATH,
    as_text,
    invoice,
    offer,
    proof,
    request,
    request_for,
    resigned,
    stream,
)

MESSAGES: dict[str, Bolt12] = {
    "offer": offer(),
    "request": request(),
    "request for an offer": request_for(offer(offer_paths=(PATH,)), invreq_payer_note="hi"),
    "invoice": invoice(),
    "proof": proof(include={10, 160, 162}, proof_note="paid"),
}
messages = st.sampled_from(list(MESSAGES.values()))


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_lenient_decoding_takes_every_kind_but_no_scheme(message: Bolt12) -> None:
    assert decode_leniently(message.encode()) == message
    with pytest.raises(Bolt12Error) as caught:
        decode_leniently(f"lightning:{message.encode()}")
    assert caught.value.rule == "unknown-kind"


@pytest.mark.parametrize("text", ["lnbc1qq", "lntb1qq", "hello1", "1", "LNX1QQ"])
def test_lenient_decoding_says_which_kinds_there_are(text: str) -> None:
    with pytest.raises(Bolt12Error, match="it begins with none of lno1, lnr1, lni1, lnp1") as caught:
        decode_leniently(text)
    assert (caught.value.rule, caught.value.text_offset) == ("unknown-kind", 0)


@pytest.mark.parametrize("text", ["", "lnr", "lnr1", "lno1", "lni1", "lnp1", "lnr1b", "é1", as_text(stream())])
def test_decode_rejects_what_does_not_verify(text: str) -> None:
    with pytest.raises(Bolt12Error):
        lnoffers.decode(text)


def test_what_cannot_be_paid_or_is_unsigned_is_read_leniently() -> None:
    needy = BlindedPayinfo(0, 0, 0, 0, 0, b"\1")
    unpayable = [
        *(record for record in invoice().records if record.type != 162),
        Invoice.invoice_blindedpay.encode((needy,)),
    ]
    text = as_text(write_records(resigned(Invoice, unpayable, OTHER_SIGNER)), "lni")
    assert isinstance(decode_leniently(text), Invoice)
    with pytest.raises(Bolt12Error) as caught:
        lnoffers.decode(text)
    assert caught.value.rule == "paths-unusable"
    assert isinstance(decode_leniently(as_text(stream(invreq_amount=1))), InvoiceRequest)


@pytest.mark.parametrize(
    ("message", "rule"), [(invoice(), "signature-invalid"), (proof(), "proof-signature-invalid")], ids=["lni", "lnp"]
)
def test_a_wrong_signature_of_an_invoice_or_proof_is_never_read(message: Bolt12, rule: str) -> None:
    last = bytearray(message.to_bytes())
    at = last.rindex(getattr(message, message.signed_in))  # type: ignore[union-attr]
    last[at] ^= 1
    with pytest.raises(Bolt12Error) as caught:
        decode_leniently(as_text(bytes(last), message.prefix))
    assert caught.value.rule == rule


def rule_against(text: str) -> str | None:
    """Return the rule that refuses the text, if one does."""
    try:
        lnoffers.decode(text)
    except Bolt12Error as error:
        return error.rule
    return None


@given(messages, st.data())
def test_no_message_reads_from_a_part_of_it(message: Bolt12, data: st.DataObject) -> None:
    whole = message.to_bytes()
    ends, at = set(), 0
    for record in message.records:
        at += len(record.raw)
        ends.add(at)
    cut = data.draw(st.integers(1, len(whole) - 1).filter(lambda length: length not in ends))
    with pytest.raises(Bolt12Error, match=r"^invalid "):
        type(message).from_bytes(whole[:cut])


@given(messages, st.data())
def test_no_message_reads_with_records_swapped_or_doubled(message: Bolt12, data: st.DataObject) -> None:
    records = list(message.records)
    first = data.draw(st.integers(0, len(records) - 1))
    second = data.draw(st.integers(0, len(records) - 1))
    if first == second:
        records.insert(first, records[first])
    else:
        records[first], records[second] = records[second], records[first]
    with pytest.raises(Bolt12Error) as caught:
        type(message).from_bytes(write_records(records))
    assert caught.value.rule == "record-order"


@given(messages)
def test_values_alone_write_the_same_bytes(message: Bolt12) -> None:
    values: dict[str, Any] = {field.name: getattr(message, field.name) for field in message.fields.values()}
    assert type(message)._build(**values).to_bytes() == message.to_bytes()


@pytest.mark.parametrize("kind", [Offer, InvoiceRequest, Invoice, PayerProof])
@given(st.binary(max_size=60))
def test_any_bytes_are_a_message_or_an_error_with_a_rule(kind: type[Bolt12], data: bytes) -> None:
    assert rule_against(as_text(data, kind.prefix)) != ""


@given(st.text(max_size=30) | st.text("lnoripLNORIP1+ qpzry9x8", max_size=30))
def test_any_text_is_a_message_or_an_error_with_a_rule(text: str) -> None:
    assert rule_against(text) != ""


def test_an_error_keeps_its_parts_when_it_is_passed_on() -> None:
    with pytest.raises(Bolt12Error) as caught:
        Offer.from_bytes(Record.build(8, b"\0").raw)
    assert caught.value.__cause__ is None
    assert caught.value.detail == "offer_amount: a number starts with a zero byte"


def test_the_package_has_the_names_that_it_lists_and_no_others() -> None:
    assert lnoffers.Bolt12Error is Bolt12Error
    assert all(callable(getattr(lnoffers, name)) for name in lnoffers.__all__)
    with pytest.raises(AttributeError, match="no attribute 'encode'"):
        lnoffers.encode  # type: ignore[attr-defined]  # noqa: B018
