"""TLV streams: order, framing, and which records must be understood."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnoffers.bolt12 import Bolt12Error
from lnoffers.bolt12.tlv import OFFER_SPAN, Record, in_span, read_records, select, write_records

from .samples import raw_stream

odd_types = st.integers(0, 2**63 - 1).map(lambda n: 2 * n + 1)
streams = st.dictionaries(odd_types, st.binary(max_size=300), max_size=8).map(lambda d: sorted(d.items()))


def rejected(data: bytes, known: tuple[int, ...] = ()) -> Bolt12Error:
    with pytest.raises(Bolt12Error) as caught:
        list(read_records(data, known))
    return caught.value


@given(streams)
def test_writes_back_the_bytes_it_read(records: list[tuple[int, bytes]]) -> None:
    data = raw_stream(*records)
    read = list(read_records(data, ()))
    assert [(record.type, record.value) for record in read] == records
    assert write_records(read) == data


@given(streams.filter(bool), st.data())
def test_never_reads_a_stream_that_is_cut_off_within_a_record(
    records: list[tuple[int, bytes]], data: st.DataObject
) -> None:
    last = Record.build(*records[-1]).raw
    cut = data.draw(st.integers(1, len(last) - 1))
    assert rejected(raw_stream(*records)[:-cut]).rule in {"bigsize-truncated", "record-truncated"}


@given(streams.filter(lambda records: len(records) > 1), st.data())
def test_never_reads_records_that_changed_places(records: list[tuple[int, bytes]], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(records) - 2))
    records[at], records[at + 1] = records[at + 1], records[at]
    assert rejected(raw_stream(*records)).rule == "record-order"


def test_rejects_a_record_twice() -> None:
    error = rejected(raw_stream((1, b""), (1, b"")))
    assert error.rule == "record-order"
    assert error.offset == 2


def test_rejects_an_even_type_that_is_unknown() -> None:
    data = raw_stream((1, b"a"), (2, b"b"))
    assert [record.type for record in read_records(data, {2})] == [1, 2]
    error = rejected(data)
    assert error.rule == "record-unknown-even"
    assert error.offset == 3


def test_rejects_a_length_beyond_the_end_without_reserving_it() -> None:
    error = rejected(bytes.fromhex("01ffffffffffffffffff"))
    assert error.rule == "record-truncated"
    assert error.offset == 1


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        ("0200fd00", "record-unknown-even"),  # before its length is looked at
        ("0300020500", "record-order"),  # before 2 turns out unknown
        ("fd00010100", "bigsize-not-minimal"),
        ("01fd000100", "bigsize-not-minimal"),
        ("01", "bigsize-truncated"),
    ],
)
def test_the_first_broken_rule_is_the_one_reported(data: str, rule: str) -> None:
    assert rejected(bytes.fromhex(data)).rule == rule


def test_a_span_is_two_ranges_with_a_gap() -> None:
    inside = [1, 79, 1_000_000_000, 1_999_999_999]
    outside = [0, 80, 999_999_999, 2_000_000_000]
    assert all(in_span(type_, OFFER_SPAN) for type_ in inside)
    assert not any(in_span(type_, OFFER_SPAN) for type_ in outside)
    records = [Record.build(type_, b"v") for type_ in sorted(inside + outside)]
    assert select(records, OFFER_SPAN) == raw_stream(*((type_, b"v") for type_ in inside))
