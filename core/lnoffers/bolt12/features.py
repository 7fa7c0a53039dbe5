"""Feature bitmaps: big-endian, bit 0 is the lowest bit of the last byte (BOLT 1, BOLT 9)."""

from __future__ import annotations


def first_required_bit(features: bytes) -> int | None:
    """The lowest even bit that is set, if any: who does not know it must refuse the message. Odd bits are optional."""
    even_bits = int.from_bytes(b"\x55" * len(features), "big")
    required = int.from_bytes(features, "big") & even_bits
    return (required & -required).bit_length() - 1 if required else None
