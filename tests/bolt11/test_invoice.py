"""Invoices are read in full, or refused with Core Lightning's short texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnoffers import bech32
from lnoffers.bolt11 import Bolt11Error, Invoice, RouteHop, UnknownField
from lnoffers.bolt11.fallbacks import Fallback
from tests.bolt11.samples import (
    DESCRIPTION,
    HASH,
    OTHER_POINT,
    PAYMENT_HASH,
    PAYMENT_SECRET,
    POINT,
    REQUIRED,
    SECRET,
    TIME,
    Field,
    data_part,
    invoice,
    signature,
    symbols,
    text_field,
)

HOP = OTHER_POINT + bytes.fromhex("000001000002000300000004000000050006")
GROUP_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def refusal(text: str) -> str:
    with pytest.raises(Bolt11Error) as caught:
        Invoice.parse(text)
    return str(caught.value)


def test_an_invoice_with_what_is_required_has_the_defaults_for_the_rest() -> None:
    read = Invoice.parse(invoice())
    assert (read.chain.currency, read.amount_msat, read.timestamp) == ("bcrt", None, TIME)
    assert (read.payment_hash, read.payment_secret, read.description) == (HASH, SECRET, "one coffee")
    assert (read.expiry, read.min_final_cltv_expiry, read.features) == (3600, 18, b"")
    assert read.description_hash is read.payment_metadata is None
    assert read.fallbacks == read.routes == read.unknown_fields == ()


def test_the_payee_is_recovered_from_the_signature_or_named() -> None:
    assert Invoice.parse(invoice()).payee == POINT
    assert Invoice.parse(invoice(text_field("n", POINT))).payee == POINT


def test_every_field_is_read() -> None:
    read = Invoice.parse(
        invoice(
            text_field("h", bytes(32)),
            ("x", symbols(60, 2)),
            ("c", symbols(2**32 - 1, 7)),
            ("f", b"\x11" + bech32.from_bytes(bytes(20))),
            ("f", b"\x01" + bech32.from_bytes(bytes(32))),
            text_field("r", HOP + HOP),
            text_field("r", HOP),
            ("9", symbols(1 << 8 | 1 << 14 | 1 << 99, 20)),
            text_field("m", b"\1\2"),
            ("q", b"\0\1"),
            prefix="lnbc10u",
        )
    )
    assert (read.chain.currency, read.amount_msat) == ("bc", 1_000_000)
    assert (read.description, read.description_hash) == ("one coffee", bytes(32))
    assert (read.expiry, read.min_final_cltv_expiry) == (60, 2**32 - 1)
    assert read.fallbacks == (Fallback(17, bytes(20)), Fallback(1, bytes(32)))
    hop = RouteHop(OTHER_POINT, 0x0000_0100_0002_0003, 4, 5, 6)
    assert read.routes == ((hop, hop), (hop,))
    assert read.features.hex() == "08000000000000000000004100"
    assert read.payment_metadata == b"\1\2"
    assert read.unknown_fields == (UnknownField("q", "qp"),)


def test_upper_case_is_the_same_and_mixed_case_is_refused() -> None:
    text = invoice()
    assert Invoice.parse(text.upper()) == Invoice.parse(text)
    assert refusal(text[:-1] + text[-1].upper()) == "Bad bech32 string"


@pytest.mark.parametrize(
    "text", ["", "lnbc1", "1qqqqqq", "lnbc1qqqqqq", "lnbc1qqqqqqb", "lnbc 1qqqqqqq", "lnbcé1qqqqqqq", "\udcff" * 9]
)
def test_rejects_what_is_no_bech32(text: str) -> None:
    assert refusal(text) == "Bad bech32 string"


def test_rejects_the_other_checksum_of_bech32() -> None:
    form = bech32.decode(invoice())
    assert form is not None
    everything = data_part(REQUIRED) + bech32.from_bytes(signature("lnbcrt", data_part(REQUIRED)))
    assert form.symbols == everything
    assert refusal(bech32.encode("lnbcrt", everything, bech32.BECH32M)) == "Bad bech32 string"


@given(st.data())
def test_one_changed_character_never_passes(data: st.DataObject) -> None:
    text = invoice()
    position = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from([c for c in bech32.ALPHABET if c != text[position]]))
    assert refusal(text[:position] + other + text[position + 1 :]) == "Bad bech32 string"


@pytest.mark.parametrize(
    ("field", "unknown"),
    [
        (("p", bytes(51)), "a payment hash of another length"),
        (("h", bytes(53)), "a description hash of another length"),
        (("s", bytes(1)), "a secret of another length"),
        (("n", bytes(52)), "a key of another length"),
        (text_field("p", bytes(32)), "a second payment hash"),
        (text_field("d", b"other"), "a second description"),
        (("f", b"\x13" + bytes(5)), "a fallback of an unknown version"),
        (("l", b""), "a letter without meaning"),
    ],
)
def test_what_readers_must_skip_is_kept_as_unknown(field: Field, unknown: str) -> None:
    read = Invoice.parse(invoice(field))
    assert read.unknown_fields == (UnknownField(field[0], bech32.letters(field[1])),), unknown
    assert (read.payment_hash, read.description) == (HASH, "one coffee")


def test_a_field_counts_once_it_has_a_valid_form() -> None:
    read = Invoice.parse(invoice(required=(("p", bytes(51)), *REQUIRED)))
    assert read.payment_hash == HASH
    assert [field.tag for field in read.unknown_fields] == ["p"]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ((PAYMENT_SECRET, DESCRIPTION), "No valid 'p' field found"),
        ((PAYMENT_HASH, DESCRIPTION), "Missing required payment secret (s field)"),
        ((PAYMENT_HASH, PAYMENT_SECRET), "must have either 'd' or 'h' field"),
    ],
)
def test_rejects_an_invoice_that_lacks_a_field(fields: tuple[Field, ...], why: str) -> None:
    assert refusal(invoice(required=fields)) == why
    assert Invoice.parse(invoice(text_field("h", HASH), required=REQUIRED[:2])).description is None


@pytest.mark.parametrize(
    ("field", "why"),
    [
        (("m", b"\0\1"), "non-zero trailing bits"),
        (("m", b"\0"), "non-zero trailing bits"),
        (("p", bytes(51) + b"\1"), "non-zero trailing bits"),
        (text_field("d", b"\xff"), "d: invalid utf8"),
        (text_field("d", b"\xed\xa0\x80"), "d: invalid utf8"),
        (text_field("d", b"a\0b"), "d: invalid utf8"),
        (("x", bytes(2)), "x: not a minimal value"),
        (("x", b"\1" + bytes(12)), "x: integer too large"),
        (("c", b"\0\1"), "c: not a minimal value"),
        (("c", symbols(2**32, 7)), "c: 4294967296 is too large"),
        (("n", bech32.from_bytes(b"\5" + bytes(32))), f"invalid public key 05{'00' * 32}"),
        (("f", b""), "f: truncated"),
        (("f", b"\x11" + b"\1"), "non-zero trailing bits"),
        (("f", b"\x11" + bech32.from_bytes(bytes(19))), "f: pkhash length 19"),
        (("f", b"\x12" + bech32.from_bytes(bytes(21))), "f: p2sh length 21"),
        (("f", b"\x00" + bech32.from_bytes(bytes(21))), "f: witness v0 bad length 21"),
        (("f", b"\x01" + bech32.from_bytes(bytes(20))), "f: witness v1 bad length 20"),
        (("f", b"\x10" + bech32.from_bytes(bytes(41))), "f: witness v16 bad length 41"),
        (("r", b""), "r: hop 0 truncated"),
        (text_field("r", HOP + HOP[:-1]), "r: hop 0 truncated"),
        (text_field("r", bytes(51)), "r: hop 0 pubkey invalid"),
        (("9", b"\0\0\1"), "9: non-minimal length (begins with 0)"),
        (("9", symbols(1 << 100, 21)), "9: unknown feature bit 100"),
        (("9", symbols(1 << 8 | 1 << 20, 5)), "9: unknown feature bit 20"),
    ],
)
def test_rejects_a_field_that_is_not_well_formed(field: Field, why: str) -> None:
    others = tuple(known for known in REQUIRED if known[0] != field[0])
    text = invoice(field, required=others)
    with pytest.raises(Bolt11Error) as caught:
        Invoice.parse(text)
    assert str(caught.value) == why
    where = len("lnbcrt1") + len(data_part(others))
    assert caught.value.detail.endswith(f"in field {field[0]} at character {where}")
    assert caught.value.__notes__ == [caught.value.detail]


@pytest.mark.parametrize(
    ("hops", "why"), [(HOP + HOP[:-1], "r: hop 0 truncated"), (HOP + bytes(51), "r: hop 0 pubkey invalid")]
)
def test_says_beside_core_lightnings_text_which_hop_is_at_fault(hops: bytes, why: str) -> None:
    with pytest.raises(Bolt11Error) as caught:
        Invoice.parse(invoice(text_field("r", hops)))
    assert str(caught.value) == why
    assert caught.value.detail.startswith("it is hop 1, in field r at character ")


def test_zero_and_empty_numbers_are_numbers() -> None:
    read = Invoice.parse(invoice(("x", b"\0"), ("c", b""), ("9", b"")))
    assert (read.expiry, read.min_final_cltv_expiry, read.features) == (0, 0, b"")


def unsigned(data: bytes, *rest: bytes) -> str:
    return bech32.encode("lnbcrt", data + b"".join(rest), bech32.BECH32)


def test_rejects_what_is_cut_short() -> None:
    data = data_part(REQUIRED)
    signed = bech32.from_bytes(signature("lnbcrt", data))
    assert refusal(unsigned(data[:6])) == "Can't get 35-bit timestamp: truncated"
    assert refusal(unsigned(data[:7])) == "No valid 'p' field found"
    assert refusal(unsigned(data, signed[:-1])) == "can't read signature: truncated"
    assert refusal(unsigned(data, b"\1\3\31", signed)) == "p: truncated"
    assert refusal(unsigned(data, b"\0\0\1", signed)) == "can't read signature: truncated"


def signed_with(raw: bytes, *fields: Field) -> str:
    return unsigned(data_part((*REQUIRED, *fields)), bech32.from_bytes(raw))


def test_rejects_signatures_that_are_none() -> None:
    good = signature("lnbcrt", data_part(REQUIRED))
    assert Invoice.parse(signed_with(good)).signature == good[:64]
    assert refusal(signed_with(good[:64] + b"\4")) == "invalid recovery ID: 4"
    assert refusal(signed_with(GROUP_ORDER.to_bytes(32, "big") + good[32:])) == "signature invalid"
    assert refusal(signed_with(bytes(65))) == "signature recovery failed"


def test_a_named_payee_must_have_signed() -> None:
    named = text_field("n", POINT)
    good = signature("lnbcrt", data_part((*REQUIRED, named)))
    assert Invoice.parse(signed_with(good, named)).payee == POINT
    assert Invoice.parse(signed_with(good[:64] + b"\3", named)).payee == POINT, "the recovery id plays no part then"
    high = good[:32] + (GROUP_ORDER - int.from_bytes(good[32:64], "big")).to_bytes(32, "big") + good[64:]
    for wrong in (signature("lnbcrt", data_part(REQUIRED)), high):
        assert refusal(signed_with(wrong, named)) == "invalid signature"


def test_an_error_shows_what_strange_text_it_is_about_but_not_all_of_it() -> None:
    assert len(refusal(invoice(prefix="x" * 1000))) < 200


@given(st.text())
def test_any_text_is_an_invoice_or_an_error_of_ours(text: str) -> None:
    for string in (text, f"lnbc1{text}"):
        with pytest.raises(Bolt11Error):
            Invoice.parse(string)


@given(st.lists(st.tuples(st.sampled_from(bech32.ALPHABET), st.binary(max_size=60)), max_size=6))
def test_any_signed_fields_are_an_invoice_or_an_error_of_ours(fields: list[tuple[str, bytes]]) -> None:
    content = [(letter, bytes(byte & 31 for byte in data)) for letter, data in fields]
    try:
        read = Invoice.parse(invoice(*content))
    except Bolt11Error:
        return
    assert read.payment_hash == HASH
