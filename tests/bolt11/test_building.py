"""Invoices are written from the tables that read them, and signed."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnoffers import bech32
from lnoffers.bolt11 import CHAINS, Bolt11Error, Fallback, Invoice, RouteHop, UnknownField, UnsignedInvoice
from lnoffers.bolt11.fields import KNOWN_FEATURES, TAGS, write_field
from lnoffers.bolt11.prefix import read_prefix, write_prefix
from lnoffers.bolt12 import KeyPair
from lnoffers.bolt12.features import bitmap
from tests.bolt11.arbitrary import arguments, key
from tests.bolt11.samples import HASH, OTHER_POINT, POINT, SECRET, TIME, invoice, symbols

PAIR = KeyPair(bytes(range(1, 33)))
LARGEST = (2**64 - 1) // 10


def build(**changed: Any) -> UnsignedInvoice:
    required: dict[str, Any] = {
        "chain": CHAINS["bcrt"],
        "timestamp": TIME,
        "payment_hash": HASH,
        "payment_secret": SECRET,
        "description": "one coffee",
    }
    return Invoice.build(**required | changed)


def signed(**changed: Any) -> Invoice:
    return build(**changed).sign(PAIR)


def refusal(**changed: Any) -> str:
    with pytest.raises(Bolt11Error) as caught:
        build(**changed)
    return str(caught.value)


@given(st.randoms(use_true_random=False))
def test_every_invoice_that_is_written_reads_back_the_same(random: Random) -> None:
    given, pair = arguments(random), key(random)
    if random.random() < 0.3:
        given["payee"] = pair.public_key
    written = Invoice.build(**given).sign(pair)
    assert Invoice.parse(written.encode()) == written
    assert Invoice.parse(written.encode().upper()) == written
    for name, value in {"payee": pair.public_key, **given}.items():
        if name != "features":  # its leading zeros may differ
            assert getattr(written, name) == value, name


@given(st.randoms(use_true_random=False))
def test_what_is_read_is_encoded_as_it_came(random: Random) -> None:
    text = Invoice.build(**arguments(random)).sign(PAIR).encode()
    assert Invoice.parse(text).encode() == text
    strange = invoice(("x", symbols(3600, 3)), ("q", b"\1"), ("9", b""), prefix="lnbc0012u")
    assert Invoice.parse(strange.upper()).encode() == strange


def letters_of(data: bytes) -> list[str]:
    """Return the letters of the fields that follow the timestamp."""
    letters, position = [], 7
    while position < len(data):
        letters.append(bech32.ALPHABET[data[position]])
        position += 3 + bech32.number(data[position + 1 : position + 3])
    return letters


def test_only_what_is_required_is_written_by_default() -> None:
    written = signed()
    assert letters_of(build().data) == [*"spdc9"]
    assert (written.payee, written.features) == (POINT, bitmap({8, 14}))
    assert (written.expiry, written.min_final_cltv_expiry) == (3600, 18)


@given(st.randoms(use_true_random=False))
def test_fields_come_in_the_order_of_the_table_and_unknown_ones_last(random: Random) -> None:
    letters = letters_of(Invoice.build(**arguments(random)).data)
    known = sorted((letter for letter in letters if letter in TAGS), key=list(TAGS).index)
    assert letters[: len(known)] == known


def test_a_signature_is_the_same_each_time() -> None:
    assert signed().encode() == signed().encode()
    assert signed().signature != build(description="other").sign(PAIR).signature


def test_metadata_needs_its_feature() -> None:
    assert signed(payment_metadata=b"\1").features == bitmap({8, 14, 48})
    assert signed(payment_metadata=b"\1", features=bitmap({8, 14})).features == bitmap({8, 14})


def test_zero_is_written_without_a_symbol_as_ldk_does() -> None:
    written = signed(expiry=0, min_final_cltv_expiry=0)
    assert (written.expiry, written.min_final_cltv_expiry) == (0, 0)
    assert len(written.encode()) == len(signed().encode()) + 3 - 1


def test_features_are_written_without_leading_zeros() -> None:
    assert signed(features=b"\0\0" + bitmap({8, 14})).encode() == signed().encode()


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, ""),
        (1, "10p"),
        (99, "990p"),
        (100, "1n"),
        (1_000, "10n"),
        (250_000, "2500n"),
        (1_000_000, "10u"),
        (2_500_000_000, "25m"),
        (967_878_534, "9678785340p"),
        (100_000_000_000, "1"),
        (2_100_000_000_000, "21"),
        (LARGEST, f"{LARGEST}0p"),
    ],
)
def test_an_amount_has_the_largest_multiplier(amount: int | None, text: str) -> None:
    assert write_prefix(CHAINS["bc"], amount) == f"lnbc{text}"
    assert signed(chain=CHAINS["bc"], amount_msat=amount).encode().startswith(f"lnbc{text}1")


@given(st.integers(1, LARGEST), st.sampled_from(list(CHAINS.values())))
def test_no_way_to_write_an_amount_is_shorter(amount: int, chain: Any) -> None:
    text = write_prefix(chain, amount)
    assert read_prefix(text) == (chain, amount)
    for letter, factor in {"": 10**11, "m": 10**8, "u": 10**5, "n": 100}.items():
        if amount % factor == 0:
            assert len(text) <= len(f"ln{chain.currency}{amount // factor}{letter}")
    if text.endswith("p"):
        assert text.endswith("0p")


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"amount_msat": 0}, "amount_msat: 0 is not from 1 to"),
        ({"amount_msat": -1}, "amount_msat: -1 is not from 1 to"),
        ({"amount_msat": LARGEST + 1}, "amount_msat: 1844674407370955162 is not from 1 to"),
        ({"timestamp": -1}, "timestamp: -1 does not fit into 35 bits"),
        ({"timestamp": 2**35}, "timestamp: 34359738368 does not fit into 35 bits"),
        ({"description": None}, "pass exactly one of them"),
        ({"description_hash": HASH}, "pass exactly one of them"),
        ({"description": "a\0b"}, "description: d: invalid utf8"),
        ({"description": "\udcff"}, "description: d: invalid utf8"),
        ({"description": "é" * 320}, "description: it has 640 bytes, more than 639; send it separately"),
        (
            {"description": None, "description_hash": HASH[1:]},
            "description_hash: readers would skip a field of 31 bytes",
        ),
        ({"payment_hash": HASH + b"\0"}, "payment_hash: readers would skip a field of 33 bytes"),
        ({"payment_secret": b""}, "payment_secret: readers would skip a field of 0 bytes"),
        ({"payee": POINT[1:]}, "payee: readers would skip a field of 32 bytes"),
        ({"payee": b"\5" + POINT[1:]}, "payee: invalid public key 05"),
        ({"expiry": -1}, "expiry: -1 is negative"),
        ({"expiry": 2**60}, "expiry: x: integer too large"),
        ({"min_final_cltv_expiry": -1}, "min_final_cltv_expiry: -1 is negative"),
        ({"min_final_cltv_expiry": 2**32}, "min_final_cltv_expiry: c: 4294967296 is too large"),
        ({"payment_metadata": bytes(640)}, "payment_metadata: it is longer than a field can be, 639 bytes"),
        ({"features": b""}, "features: set bit 8 or 9"),
        ({"features": bitmap({9})}, "features: set bit 14 or 15"),
        ({"features": bitmap({8, 14, 100})}, "features: 9: unknown feature bit 100"),
        ({"fallbacks": [Fallback(19, HASH)]}, "fallbacks: f: version 19 is not from 0 to 18"),
        ({"fallbacks": [Fallback(17, HASH)]}, "fallbacks: f: pkhash length 32"),
        ({"fallbacks": [Fallback(-1, HASH)]}, "fallbacks: f: version -1 is not from 0 to 18"),
        ({"routes": [[]]}, "routes: r: hop 0 truncated"),
        ({"routes": [[RouteHop(HASH, 1, 2, 3, 4)]]}, "routes: r: hop 0 truncated"),
        ({"routes": [[RouteHop(bytes(33), 1, 2, 3, 4)]]}, "routes: r: hop 0 pubkey invalid"),
        ({"routes": [[RouteHop(POINT, 2**64, 2, 3, 4)]]}, "has a number that does not fit"),
        ({"routes": [[RouteHop(POINT, 1, 2, 3, -4)]]}, "has a number that does not fit"),
        ({"unknown_fields": [UnknownField("b", "q")]}, "has characters that bech32 does not have"),
        ({"unknown_fields": [UnknownField("qq", "q")]}, "has characters that bech32 does not have"),
        ({"unknown_fields": [UnknownField("q", "Q")]}, "has characters that bech32 does not have"),
        ({"unknown_fields": [UnknownField("x", "q")]}, "readers know the field x; pass expiry"),
        ({"unknown_fields": [UnknownField("q", "q" * 1024)]}, "it is longer than a field can be"),
    ],
)
def test_rejects_what_readers_would_refuse_or_skip(changed: dict[str, Any], why: str) -> None:
    assert why in refusal(**changed)


def test_the_longest_fields_are_written() -> None:
    hop = RouteHop(OTHER_POINT, 2**64 - 1, 2**32 - 1, 2**32 - 1, 2**16 - 1)
    longest = signed(description="é" * 319 + "e", payment_metadata=bytes(639), routes=[[hop] * 12])
    assert Invoice.parse(longest.encode()) == longest
    assert longest.routes == ((hop,) * 12,)


def test_a_field_of_a_form_that_readers_skip_is_kept() -> None:
    unknown = UnknownField("p", "q" * 51)
    assert signed(unknown_fields=[unknown]).unknown_fields == (unknown,)


def test_the_payee_may_be_named_and_must_sign_then() -> None:
    named = signed(payee=POINT)
    assert named.payee == POINT
    assert len(named.encode()) == len(signed().encode()) + 56
    with pytest.raises(Bolt11Error, match=f"payee: the invoice names {OTHER_POINT.hex()}, but the key of KeyPair"):
        signed(payee=OTHER_POINT)


class Device:
    """A signer of others' making, whose signature the test chooses."""

    public_key = POINT

    def __init__(self, signature: Any) -> None:
        self.signature = signature

    def sign_recoverable(self, _digest: bytes) -> Any:
        """Return the signature that was chosen."""
        return self.signature


GROUP_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def test_a_signature_is_verified_before_it_is_returned() -> None:
    unsigned = build()
    good = PAIR.sign_recoverable(unsigned.digest)
    assert unsigned.sign(Device(good)) == unsigned.sign(PAIR)
    high = good[:32] + (GROUP_ORDER - int.from_bytes(good[32:64], "big")).to_bytes(32, "big") + bytes((good[64] ^ 1,))
    for wrong in (
        good[:64] + bytes((good[64] ^ 1,)),
        good[:64] + b"\4",
        high,
        PAIR.sign_recoverable(bytes(32)),
        bytes(65),
    ):
        with pytest.raises(Bolt11Error, match="Device returned a signature that does not verify"):
            unsigned.sign(Device(wrong))
    others: list[tuple[object, str]] = [(good[:64], "64 bytes"), (good.hex(), "str"), (None, "NoneType")]
    for other, what in others:
        with pytest.raises(Bolt11Error, match=f"^Device returned {what} instead of a signature and its recovery id"):
            unsigned.sign(Device(other))


def test_every_kind_of_field_is_written_by_the_table() -> None:
    values: dict[str, object] = {
        "s": SECRET,
        "p": HASH,
        "h": HASH,
        "d": "x",
        "m": b"",
        "n": POINT,
        "x": 0,
        "c": 0,
        "f": Fallback(0, bytes(20)),
        "r": (RouteHop(POINT, 1, 2, 3, 4),),
        "9": bitmap(KNOWN_FEATURES),
    }
    assert list(values) == list(TAGS)
    for letter, value in values.items():
        symbols_written = write_field(letter, value)
        assert bech32.ALPHABET[symbols_written[0]] == letter
        assert bech32.number(symbols_written[1:3]) == len(symbols_written) - 3
        assert TAGS[letter].read(symbols_written[3:]) == value
