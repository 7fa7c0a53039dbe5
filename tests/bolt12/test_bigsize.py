"""BigSize: one form for each number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnoffers.bolt12 import Bolt12Error
from lnoffers.bolt12.bigsize import encode_bigsize, read_bigsize


@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (0, "00"),
        (0xFC, "fc"),
        (0xFD, "fd00fd"),
        (0xFFFF, "fdffff"),
        (0x10000, "fe00010000"),
        (2**32 - 1, "feffffffff"),
        (2**32, "ff0000000100000000"),
        (2**64 - 1, "ffffffffffffffffff"),
    ],
)
def test_edges_of_each_form(value: int, encoded: str) -> None:
    data = bytes.fromhex(encoded)
    assert encode_bigsize(value) == data
    assert read_bigsize(data, 0) == (value, len(data))


@given(st.integers(0, 2**64 - 1), st.binary(max_size=4), st.binary(max_size=4))
def test_reads_what_it_writes_wherever_it_stands(value: int, before: bytes, after: bytes) -> None:
    encoded = encode_bigsize(value)
    assert read_bigsize(before + encoded + after, len(before)) == (value, len(before + encoded))


@pytest.mark.parametrize("encoded", ["fd00fc", "fe0000ffff", "ff00000000ffffffff"])
def test_rejects_a_longer_form_than_needed(encoded: str) -> None:
    with pytest.raises(Bolt12Error) as caught:
        read_bigsize(bytes.fromhex(encoded), 0)
    assert caught.value.rule == "bigsize-not-minimal"


@pytest.mark.parametrize("encoded", ["", "fd", "fd00", "fe000100", "ff00000001000000"])
def test_rejects_a_number_that_is_cut_off(encoded: str) -> None:
    with pytest.raises(Bolt12Error) as caught:
        read_bigsize(bytes.fromhex(encoded), 0)
    assert caught.value.rule == "bigsize-truncated"
    assert caught.value.offset == 0


@pytest.mark.parametrize("value", [-1, 2**64])
def test_refuses_to_write_what_no_bigsize_can_hold(value: int) -> None:
    with pytest.raises(Bolt12Error) as caught:
        encode_bigsize(value)
    assert caught.value.rule == "number-range"
