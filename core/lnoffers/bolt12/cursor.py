"""Parse a value of several parts from its bytes, never past their end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from struct import Struct
from typing import Any, TypeVar

from lnoffers.bolt12.codecs import Codec, Json, check_point, decode_truncated, encode_fixed, encode_truncated
from lnoffers.bolt12.curve import POINT_LENGTH
from lnoffers.bolt12.errors import Bolt12Error
from lnoffers.bolt12.rule_names import RuleName

T = TypeVar("T")


class Cursor:
    """A position in a value, for parsing its parts in order. A read raises Bolt12Error if the value is too short."""

    __slots__ = ("_offset", "_value")

    def __init__(self, value: bytes) -> None:
        self._value = value
        self._offset = 0

    @property
    def at_end(self) -> bool:
        """Whether all bytes have been read."""
        return self._offset == len(self._value)

    def peek(self) -> int:
        """Return the next byte without consuming it."""
        first = self.take(1)[0]
        self._offset -= 1
        return first

    def take(self, length: int) -> bytes:
        """Return the next `length` bytes."""
        end = self._offset + length
        part = self._value[self._offset : end]
        if len(part) != length:
            raise Bolt12Error(f"the value ends within a part of {length} bytes", rule=RuleName.VALUE_TRUNCATED)
        self._offset = end
        return part

    def unpack(self, form: Struct) -> tuple[Any, ...]:
        """Return the next parts, of fixed lengths."""
        return form.unpack(self.take(form.size))

    def number(self, width: int) -> int:
        """Return the next `width` bytes as a big-endian number."""
        return int.from_bytes(self.take(width), "big")

    def point(self) -> bytes:
        """Return the next 33 bytes, which must be a point on the curve."""
        return check_point(self.take(POINT_LENGTH))

    def rest(self) -> bytes:
        """Return the remaining bytes."""
        return self.take(len(self._value) - self._offset)

    def finish(self) -> None:
        """Check that no bytes are left.

        Raises:
            Bolt12Error: if some are.
        """
        if not self.at_end:
            left = len(self._value) - self._offset
            raise Bolt12Error(f"the value has {left} bytes too many", rule=RuleName.VALUE_TOO_LONG)


def read_all(value: bytes, read: Callable[[Cursor], T]) -> tuple[T, ...]:
    """Return the items of a value that is a sequence, each parsed by `read`."""
    cursor = Cursor(value)
    items = []
    while not cursor.at_end:
        items.append(read(cursor))
    return tuple(items)


def numbers(kind: type[Any], fixed: tuple[int, ...], truncated: int, to_json: Callable[[Any], Json]) -> Codec[Any]:
    """Return the codec of a dataclass of numbers: all have fixed widths, in bytes, but the last, which is truncated."""
    names = [each.name for each in fields(kind)]

    def decode(value: bytes) -> Any:
        cursor = Cursor(value)
        return kind(*map(cursor.number, fixed), decode_truncated(cursor.rest(), truncated))

    def encode(made: Any) -> bytes:
        *first, last = (getattr(made, name) for name in names)
        return b"".join(map(encode_fixed, first, fixed)) + encode_truncated(last, truncated)

    return Codec(decode, encode, to_json)
