"""Feature bitmaps: big-endian, bit 0 is the lowest bit of the last byte (BOLT 1, BOLT 9)."""

from __future__ import annotations

from collections.abc import Iterable

MPP_COMPULSORY = 16
"""The invoice requires a multi-part payment (BOLT 12, "Invoice Features")."""
MPP_OPTIONAL = 17
"""The invoice allows a multi-part payment."""

NONE: frozenset[int] = frozenset()
"""The features of offers, invoice_requests and blinded payments that are known: none so far."""
INVOICE = frozenset({MPP_COMPULSORY, MPP_OPTIONAL})
"""The features of invoices that are known."""


def bitmap(bits: Iterable[int]) -> bytes:
    """Return the shortest bitmap with these bits set."""
    number = sum(1 << bit for bit in set(bits))
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def first_unknown_bit(features: bytes, known: frozenset[int]) -> int | None:
    """Return the lowest unknown even bit that is set, or None.

    A message with such a bit must be rejected. Odd bits are optional.
    """
    even_bits = int.from_bytes(b"\x55" * len(features), "big")
    required = int.from_bytes(features, "big") & even_bits
    for bit in known:
        required &= ~(1 << bit)
    return (required & -required).bit_length() - 1 if required else None
