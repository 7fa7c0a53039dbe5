"""Codecs for the values of fields, from and to bytes and to JSON: numbers, text, bytes, points and hashes.

Every codec is canonical: a value that reads at all writes back to the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeAlias, TypeVar

from lnoffers.bolt12.bigsize import encode_bigsize, read_bigsize
from lnoffers.bolt12.curve import SIGNATURE_LENGTH, is_point
from lnoffers.bolt12.errors import Bolt12Error
from lnoffers.bolt12.rule_names import RuleName

T = TypeVar("T")

Json: TypeAlias = "bool | int | str | list[Json] | dict[str, Json] | None"


@dataclass(frozen=True, slots=True)
class Codec(Generic[T]):
    """A kind of value. `decode` and `encode` raise Bolt12Error, with a message that does not name the field."""

    decode: Callable[[bytes], T]
    encode: Callable[[T], bytes]
    to_json: Callable[[T], Json]


def _same(value: T) -> T:
    return value


# ---- numbers


def decode_truncated(value: bytes, width: int) -> int:
    """Return a `tu16`, `tu32` or `tu64` (BOLT 1): big-endian, at most `width` bytes, no leading zero; 0 has none."""
    if len(value) > width:
        raise Bolt12Error(
            f"a number has {len(value)} bytes; at most {width} are allowed", rule=RuleName.NUMBER_TOO_LONG
        )
    if value[:1] == b"\0":
        raise Bolt12Error("a number starts with a zero byte", rule=RuleName.NUMBER_NOT_MINIMAL)
    return int.from_bytes(value, "big")


def encode_truncated(value: int, width: int) -> bytes:
    """Return the inverse of `decode_truncated`."""
    return encode_fixed(value, width).lstrip(b"\0")


def encode_fixed(value: int, width: int) -> bytes:
    """Return a number as `width` big-endian bytes.

    Raises:
        Bolt12Error: if it does not fit.
    """
    if not 0 <= value < 1 << (8 * width):
        raise Bolt12Error(f"{value} is not from 0 to 2^{8 * width}-1", rule=RuleName.NUMBER_RANGE)
    return value.to_bytes(width, "big")


def _truncated(width: int) -> Codec[int]:
    return Codec(lambda value: decode_truncated(value, width), lambda value: encode_truncated(value, width), _same)


tu32 = _truncated(4)
tu64 = _truncated(8)


# ---- text and bytes


def _decode_utf8(value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        raise Bolt12Error(f"text is not UTF-8 at its byte {error.start}", rule=RuleName.TEXT_NOT_UTF8) from None
    return _without_nul(text)


def _encode_utf8(text: str) -> bytes:
    try:
        return _without_nul(text).encode()
    except UnicodeEncodeError as error:
        raise Bolt12Error(
            f"text holds half a surrogate pair at its character {error.start}", rule=RuleName.TEXT_NOT_UTF8
        ) from None


def _without_nul(text: str) -> str:
    # Valid UTF-8, but other implementations end the text there, so the two ends would show different texts.
    if "\0" in text:
        raise Bolt12Error("text holds the character U+0000", rule=RuleName.TEXT_NUL)
    return text


utf8 = Codec(_decode_utf8, _encode_utf8, _same)
byte_string: Codec[bytes] = Codec(_same, _same, bytes.hex)


def _checked_bytes(check: Callable[[bytes], bytes]) -> Codec[bytes]:
    return Codec(check, check, bytes.hex)


def _exactly(length: int) -> Codec[bytes]:
    def check(value: bytes) -> bytes:
        if len(value) != length:
            raise Bolt12Error(f"{len(value)} bytes where {length} are due", rule=RuleName.WRONG_LENGTH)
        return value

    return _checked_bytes(check)


def check_point(value: bytes) -> bytes:
    """Return `value` itself if it is a compressed point on the curve."""
    if not is_point(value):
        raise Bolt12Error(f"{len(value)} bytes that are no compressed point on the curve", rule=RuleName.NOT_A_POINT)
    return value


chain_hash = _exactly(32)
sha256 = _exactly(32)
preimage = _exactly(32)
signature = _exactly(SIGNATURE_LENGTH)
point = _checked_bytes(check_point)


def _decode_flag(value: bytes) -> Literal[True]:
    if value:
        raise Bolt12Error(f"{len(value)} bytes where none are due", rule=RuleName.WRONG_LENGTH)
    return True


def _encode_flag(value: Literal[True]) -> bytes:
    if value is not True:
        raise Bolt12Error("a flag is True or absent", rule=RuleName.FLAG_VALUE)
    return b""


flag: Codec[Literal[True]] = Codec(_decode_flag, _encode_flag, _same)
"""A field without a value: its presence is the information."""


def _decode_hashes(value: bytes) -> tuple[bytes, ...]:
    if len(value) % 32:
        raise Bolt12Error(f"{len(value)} bytes are no whole number of 32-byte hashes", rule=RuleName.WRONG_LENGTH)
    return tuple(value[i : i + 32] for i in range(0, len(value), 32))


hashes: Codec[tuple[bytes, ...]] = Codec(
    _decode_hashes,
    lambda values: b"".join(map(sha256.encode, values)),
    lambda values: [each.hex() for each in values],
)


def _decode_bigsizes(value: bytes) -> tuple[int, ...]:
    numbers, offset = [], 0
    while offset < len(value):
        number, offset = read_bigsize(value, offset)
        numbers.append(number)
    return tuple(numbers)


bigsizes: Codec[tuple[int, ...]] = Codec(_decode_bigsizes, lambda values: b"".join(map(encode_bigsize, values)), list)
