"""TLV streams of BOLT 1: parse and write them, and the ranges of types in BOLT 12.

This file knows records, not what is in them: values are bytes, and the caller says which types it understands.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import NamedTuple

from lnoffers.bolt12.bigsize import LONG_FORM, encode_bigsize, read_bigsize
from lnoffers.bolt12.errors import Bolt12Error
from lnoffers.bolt12.rule_names import RuleName
from lnoffers.bolt12.typecheck import typechecked

_EXPERIMENTAL_OFFER = range(1_000_000_000, 2_000_000_000)
_EXPERIMENTAL_REQUEST = range(1_000_000_000, 3_000_000_000)

SIGNATURE_TYPES = range(240, 1001)
"""The types of signatures, which are not part of merkle trees and not subject to rules about ranges (BOLT 12)."""

Span = tuple[range, range]
OFFER_SPAN: Span = (range(1, 80), _EXPERIMENTAL_OFFER)
"""The types of an offer; every invoice_request for it and their invoice repeat these records."""
INVOICE_REQUEST_SPAN: Span = (range(160), _EXPERIMENTAL_REQUEST)
"""The types of an invoice_request without its signature; an invoice for it repeats these records."""
INVOICE_SPAN: Span = (range(240), range(1_000_000_000, 4_000_000_000))
"""The types of an invoice without its signature; a payer proof shows or hides these records."""


class Record(NamedTuple):
    """A record of a TLV stream: its type, its bytes as received (including type and length), and its value."""

    # A named tuple is made in half the time of a frozen dataclass, and reading a message makes many.

    type: int
    raw: bytes
    value: bytes

    @classmethod
    @typechecked
    def build(cls, type_: int, value: bytes) -> Record:
        """Return a new record, its type and length in the shortest form."""
        return cls(type_, encode_bigsize(type_) + encode_bigsize(len(value)) + value, bytes(value))


_new = tuple.__new__


def read_records(data: bytes, known: Container[int]) -> Iterator[Record]:
    """Yield the records of a stream, one by one, checked in the order of BOLT 1's reader.

    Raises:
        Bolt12Error: `bigsize-truncated` and `bigsize-not-minimal`, `record-order` (types must ascend strictly),
            `record-unknown-even` (an even type that is not in `known`), `record-truncated`.
    """
    offset, previous, size = 0, -1, len(data)
    while offset < size:
        # Nearly all types and lengths have one byte, and a call for each would take most of the time.
        type_, length_at = data[offset], offset + 1
        if type_ >= LONG_FORM:
            type_, length_at = read_bigsize(data, offset)
        if type_ <= previous:
            raise Bolt12Error(
                f"record {type_} comes after record {previous}", rule=RuleName.RECORD_ORDER, offset=offset
            )
        if type_ % 2 == 0 and type_ not in known:
            raise Bolt12Error(
                f"record {type_} is even, so it must be understood, and is unknown here",
                rule=RuleName.RECORD_UNKNOWN_EVEN,
                offset=offset,
            )
        if length_at < size and data[length_at] < LONG_FORM:
            length, start = data[length_at], length_at + 1
        else:
            length, start = read_bigsize(data, length_at)
        end = start + length
        if end > size:
            raise Bolt12Error(
                f"record {type_} has {length} bytes, but only {size - start} are left",
                rule=RuleName.RECORD_TRUNCATED,
                offset=length_at,
            )
        yield _new(Record, (type_, data[offset:end], data[start:end]))  # Record(…) takes twice the time
        offset, previous = end, type_


def write_records(records: Iterable[Record]) -> bytes:
    """Return the stream of the records, which must be in ascending order."""
    return b"".join([record.raw for record in records])


def offset_of(type_: int, records: Iterable[Record]) -> int | None:
    """Return the offset of the record of this type in the stream of the records, or None."""
    offset = 0
    for record in records:
        if record.type == type_:
            return offset
        offset += len(record.raw)
    return None


def in_span(type_: int, span: Span) -> bool:
    """Return whether a record type is in one of a span's two ranges."""
    return type_ in span[0] or type_ in span[1]


def select(records: Iterable[Record], span: Span) -> bytes:
    """Return the bytes, as received, of the records whose type is in `span`."""
    first, experimental = span
    return b"".join([raw for type_, raw, _ in records if type_ in first or type_ in experimental])
