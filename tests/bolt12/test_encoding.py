"""The text form: prefix, case, alphabet, padding, and strings in several pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnoffers.bolt12 import Bolt12Error, without_scheme
from lnoffers.bolt12.encoding import decode_text, encode_text


def rejected(text: str) -> Bolt12Error:
    with pytest.raises(Bolt12Error) as caught:
        decode_text(text, "lnr")
    return caught.value


@given(st.binary(max_size=200))
def test_reads_what_it_writes(data: bytes) -> None:
    text = encode_text("lnr", data)
    assert text == text.lower()
    assert decode_text(text, "lnr") == data
    assert decode_text(text.upper(), "lnr") == data


def test_symbols_stand_for_five_bits_each_first_bits_first() -> None:
    assert encode_text("lnr", b"") == "lnr1"
    assert encode_text("lnr", b"\x00") == "lnr1qq"
    assert encode_text("lnr", b"\xff") == "lnr1lu"
    assert (
        encode_text("lnr", bytes.fromhex("00443214c74254b635cf84653a56d7c675be77df"))
        == "lnr1qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    )


@given(st.binary(min_size=1, max_size=60), st.data())
def test_a_plus_and_white_space_may_stand_between_any_two_characters(data: bytes, draw: st.DataObject) -> None:
    text = encode_text("lnr", data)
    at = draw.draw(st.integers(1, len(text) - 1))
    space = draw.draw(st.text(" \t\n\v\f\r", max_size=3))
    assert decode_text(f"{text[:at]}+{space}{text[at:]}", "lnr") == data


def test_pieces_may_be_joined_more_than_once() -> None:
    assert decode_text("l+nr1+ \r\nq+\tq", "lnr") == b"\0"


@pytest.mark.parametrize(
    "text", ["lnr1q+", "+lnr1qq", "lnr1q++q", "lnr1q+ +q", "lnr1q q", " lnr1qq", "lnr1qq\n", "lnr1q+\xa0q"]
)
def test_rejects_a_plus_or_white_space_elsewhere(text: str) -> None:
    assert rejected(text).rule in {"text-character", "text-prefix"}


@pytest.mark.parametrize("text", ["lnr1q+ ", "lnr1q+\n\n"])
def test_rejects_a_continuation_that_does_not_continue(text: str) -> None:
    error = rejected(text)
    assert str(error) == "unfinished string"
    assert error.rule == "text-unfinished"
    assert (error.offset, error.text_offset) == (None, 5)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "text-separator"),
        ("lnr", "text-separator"),
        ("Lnr1qq", "text-case"),
        ("lnR1QQ", "text-case"),
        ("lnr1qQ", "text-case"),
        ("lnr1bq", "text-character"),
        ("lnr11q", "text-character"),  # the first 1 separates
        ("lnr1_q", "text-character"),  # int() reads underscores
        ("lnr1-q", "text-character"),  # and signs
        ("lnr1é", "text-character"),
        ("lnr1\ud800", "text-character"),
        ("lnr1q", "text-padding"),
        ("lnr1qqq", "text-padding"),  # seven spare bits
        ("lnr1qp", "text-padding"),  # two, not both zero
    ],
)
def test_rejects_what_is_no_bech32(text: str, rule: str) -> None:
    error = rejected(text)
    assert (str(error), error.rule) == ("invalid bech32 string", rule)


def test_points_at_the_character_that_is_wrong() -> None:
    error = rejected("lnr1qqbq")
    assert error.text_offset == 6
    assert error.detail == "'b' is no bech32 character"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("lnr1+ qé", "é"),
        ("l+nr1+\n\tq+ q☕q", "☕"),
        ("lnr1q+ \N{ROCKET}q", "\N{ROCKET}"),
        ("é+ é1qq+b", "b"),
        ("lnr1qqb+ q+ q", "b"),
        ("LNR1Q+ É", "É"),
    ],
)
def test_the_place_is_that_in_the_string_as_given(text: str, wrong: str) -> None:
    error = rejected(text)
    assert error.text_offset == text.rindex(wrong)
    assert error.detail == f"{wrong!r} is no bech32 character"


def test_the_place_of_an_unfinished_string_counts_characters() -> None:
    assert rejected("é1+ ").text_offset == 2


def test_rejects_another_prefix_by_its_name() -> None:
    assert str(rejected("LNO1QQ")) == "unexpected prefix lno"
    assert str(rejected("1qq")) == "unexpected prefix "


def test_a_strange_prefix_is_shown_in_part_and_without_control_characters() -> None:
    assert str(rejected(f"{'x' * 100}1qq")) == f"unexpected prefix {'x' * 100}"
    assert str(rejected(f"{'x' * 101}1qq")) == f"unexpected prefix {'x' * 100}…"
    assert str(rejected(f"{chr(0x1F680) * 101}1qq")) == f"unexpected prefix {chr(0x1F680) * 100}…"
    assert str(rejected("a\x1b\n\x85b1qq")) == "unexpected prefix a���b"


def test_an_empty_stream_is_a_string() -> None:
    assert decode_text("lnr1", "lnr") == b""


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("lightning:lnr1qq", "lnr1qq"),
        ("LIGHTNING:LNR1QQ", "LNR1QQ"),
        ("Lightning:lnr1qq", "Lightning:lnr1qq"),
        ("lnr1qq", "lnr1qq"),
    ],
)
def test_strips_the_scheme_in_one_case_only(text: str, bare: str) -> None:
    assert without_scheme(text) == bare


def test_length_costs_linear_time() -> None:
    data = bytes(range(256)) * 8192  # any slower than linear, these two megabytes would not end today
    text = encode_text("lnr", data)
    assert decode_text(text, "lnr") == data
    assert decode_text(text.replace("q", "+ q"), "lnr") == data
