"""Feature bitmaps: which bit is which, and which of them must be known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnoffers.bolt12.features import INVOICE, MPP_COMPULSORY, MPP_OPTIONAL, NONE, bitmap, first_unknown_bit


def test_bits_count_from_the_end() -> None:
    assert bitmap([]) == b""
    assert bitmap([0]) == b"\x01"
    assert bitmap([MPP_OPTIONAL]) == b"\x02\0\0"
    assert bitmap([8, 9, 9]) == b"\x03\0"


@given(st.sets(st.integers(0, 200)), st.frozensets(st.integers(0, 200)), st.integers(0, 3))
def test_finds_the_lowest_even_bit_that_is_unknown(bits: set[int], known: frozenset[int], zeros: int) -> None:
    unknown = [bit for bit in bits if bit % 2 == 0 and bit not in known]
    assert first_unknown_bit(bytes(zeros) + bitmap(bits), known) == min(unknown, default=None)


@pytest.mark.parametrize(("known", "bit"), [(NONE, 16), (INVOICE, None)])
def test_readers_of_invoices_know_of_payments_in_parts(known: frozenset[int], bit: int | None) -> None:
    assert first_unknown_bit(bitmap([MPP_COMPULSORY]), known) == bit
