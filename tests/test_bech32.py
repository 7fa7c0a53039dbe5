"""Bech32 strings read back, and nothing that was changed passes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnoffers import bech32

CONSTANTS = (bech32.BECH32, bech32.BECH32M)
SYMBOLS = st.lists(st.integers(0, 31), max_size=80).map(bytes)
PREFIXES = st.text(st.characters(codec="ascii", min_codepoint=33, max_codepoint=126), min_size=1).map(str.lower)


@given(PREFIXES, SYMBOLS, st.sampled_from(CONSTANTS))
def test_what_is_encoded_reads_back_in_either_case(prefix: str, symbols: bytes, constant: int) -> None:
    text = bech32.encode(prefix, symbols, constant)
    for same in (text, text.upper()):
        assert bech32.decode(same) == (prefix, symbols, constant)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A12UEL5L", ("a", b"", bech32.BECH32)),  # two of the shortest strings there are, by BIP 173 and BIP 350
        ("A1LQFN3A", ("a", b"", bech32.BECH32M)),
    ],
)
def test_knows_both_checksums(text: str, expected: object) -> None:
    assert bech32.decode(text) == expected


@pytest.mark.parametrize(
    "text", ["", "1", "a1", "12uel5l", "a12uel5", "A12uel5l", "a12uel5b", "\x7f12uel5l", "é12uel5l"]
)
def test_rejects_what_is_none(text: str) -> None:
    assert bech32.decode(text) is None


@given(st.data())
def test_one_changed_character_never_passes(data: st.DataObject) -> None:
    text = bech32.encode("lnbc", bytes(range(32)), data.draw(st.sampled_from(CONSTANTS)))
    position = data.draw(st.integers(0, len(text) - 1))
    character = data.draw(st.characters().filter(lambda c: c != text[position]))
    assert bech32.decode(text[:position] + character + text[position + 1 :]) is None


@given(st.binary(max_size=100))
def test_bytes_read_back_from_symbols(data: bytes) -> None:
    symbols = bech32.from_bytes(data)
    assert bech32.whole_bytes(symbols) == data
    assert bech32.padded_bytes(symbols)[: len(data)] == data


@pytest.mark.parametrize("symbols", [b"\0", bytes(3), b"\0\1", bytes(6)])
def test_leftover_bits_that_are_many_or_not_zero_are_no_bytes(symbols: bytes) -> None:
    assert bech32.whole_bytes(symbols) is None


@given(st.integers(0, 2**200), st.integers(0, 50))
def test_a_number_has_as_few_symbols_as_hold_it(value: int, length: int) -> None:
    symbols = bech32.from_number(value, length=length)
    assert bech32.number(symbols) == value
    assert len(symbols) == max(length, len(bech32.from_number(value)))
    assert bech32.from_number(value)[:1] != b"\0"
    assert bech32.from_number(0) == b""
