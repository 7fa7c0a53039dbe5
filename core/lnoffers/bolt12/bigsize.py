"""BigSize, the variable-length integer of BOLT 1: one byte, or a marker byte and 2, 4 or 8 big-endian bytes."""

from __future__ import annotations

from lnoffers.bolt12.errors import Bolt12Error
from lnoffers.bolt12.rule_names import RuleName

LONG_FORM = 0xFD
"""The lowest first byte of a BigSize of several bytes. A smaller first byte is the value itself."""
_SHORT_FORMS = tuple(bytes((value,)) for value in range(LONG_FORM))
_WIDTHS = {0xFD: 2, 0xFE: 4, 0xFF: 8}
# The smallest value that needs the form; anything below it would have two encodings.
_MINIMUMS = {0xFD: 0xFD, 0xFE: 0x1_0000, 0xFF: 0x1_0000_0000}


def encode_bigsize(value: int) -> bytes:
    """Return the shortest form of `value`, 0 to 2^64-1 (BOLT 1, appendix A).

    Raises:
        Bolt12Error: if it is outside that range.
    """
    if 0 <= value < LONG_FORM:
        return _SHORT_FORMS[value]
    for marker, width in _WIDTHS.items():
        if 0 <= value < 1 << (8 * width):
            return bytes((marker,)) + value.to_bytes(width, "big")
    raise Bolt12Error(f"{value} does not fit a BigSize", rule=RuleName.NUMBER_RANGE)


def read_bigsize(data: bytes, offset: int) -> tuple[int, int]:
    """Return the BigSize that starts at `offset`, and the offset after it.

    Raises:
        Bolt12Error: `bigsize-truncated`, or `bigsize-not-minimal` for a longer form than needed.
    """
    if offset >= len(data):
        raise Bolt12Error("the data ends where a BigSize is due", rule=RuleName.BIGSIZE_TRUNCATED, offset=offset)
    first = data[offset]
    if first < LONG_FORM:
        return first, offset + 1
    end = offset + 1 + _WIDTHS[first]
    if end > len(data):
        raise Bolt12Error("the data ends within a BigSize", rule=RuleName.BIGSIZE_TRUNCATED, offset=offset)
    value = int.from_bytes(data[offset + 1 : end], "big")
    if value < _MINIMUMS[first]:
        raise Bolt12Error("a BigSize is longer than its value needs", rule=RuleName.BIGSIZE_NOT_MINIMAL, offset=offset)
    return value, end
