"""invoice_error: what is written, and what is read of other software; tests/bolt12/test_rules.py has the rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnoffers.bolt12 import Bolt12Error, InvoiceError

from .samples import raw_stream

texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@given(texts)
def test_reads_what_it_builds_bare_and_behind_its_length(text: str) -> None:
    made = InvoiceError.build(error=text)
    assert InvoiceError.from_bytes(made.to_bytes()) == made
    assert made.error == text
    if len(made.to_bytes()) < 0xFD:
        prefixed = bytes((len(made.to_bytes()),)) + made.to_bytes()
        assert InvoiceError.from_bytes(prefixed) == made


def test_names_the_field_and_a_better_value() -> None:
    made = InvoiceError.build(error="too little", erroneous_field=82, suggested_value=b"\x03\xe8")
    assert made.to_bytes() == raw_stream((1, b"\x52"), (3, b"\x03\xe8"), (5, b"too little"))
    read = InvoiceError.from_bytes(made.to_bytes())
    assert (read.erroneous_field, read.suggested_value, read.error) == (82, b"\x03\xe8", "too little")


def test_any_value_will_do_for_a_field_that_is_unknown() -> None:
    assert InvoiceError.build(error="", erroneous_field=99, suggested_value=b"\0").suggested_value == b"\0"


def test_reads_an_error_without_a_text() -> None:
    assert InvoiceError.from_bytes(raw_stream((1, b"\x52"))).error is None
    assert InvoiceError.from_bytes(b"") == InvoiceError.from_bytes(b"\0")


@pytest.mark.parametrize("data", [raw_stream((2, b"")), b"\x05\x01", b"\xfd", b"\x03\x05\x02\xff\xff"])
def test_rejects_what_is_none_either_way(data: bytes) -> None:
    with pytest.raises(Bolt12Error):
        InvoiceError.from_bytes(data)
