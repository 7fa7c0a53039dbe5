"""Bech32, the text form of BOLT 11 invoices, addresses and recovery data: a prefix, `1`, symbols, a checksum.

A symbol is a number below 32. BIP 173 defines the encoding, and BIP 350 a second checksum constant (bech32m). Their
limit of 90 characters applies to addresses only. BOLT 12 strings use the same symbols without a checksum; see
`bolt12.encoding`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

ALPHABET: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
BECH32: Final = 1
BECH32M: Final = 0x2BC830A3

_BASE32_DIGITS: Final = b"0123456789abcdefghijklmnopqrstuv".ljust(256)  # as int(…, 32) reads them
_FORM: Final = re.compile(rf"([!-~]+)1([{ALPHABET}]{{6,}})")  # the last 1 separates: the alphabet has none
_LETTERS: Final = ALPHABET.encode().ljust(256)
_NO_SYMBOL: Final = 0xFF
_SYMBOLS: Final = bytes(ALPHABET.find(chr(letter)) % 256 for letter in range(256))
"""The symbol of each byte; _NO_SYMBOL, which is -1 in a byte, for all others."""
_MOST_GROUPS: Final = 1000
"""The most groups for which masks are cached, 24 kB in all; masks for more would use much memory."""
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_CHECKSUM_LENGTH: Final = 6

# How 40 bits at the end of 8 bytes become 5 bits in each: the upper 20 of them move 12 to the left, then the upper ten
# of each twenty 6, then the upper five of each ten 3.
_SPREADING: Final = (
    (bytes.fromhex("000000fffff00000"), 12),
    (bytes.fromhex("000ffc00000ffc00"), 6),
    (bytes.fromhex("03e003e003e003e0"), 3),
)


def _feedback(top: int) -> int:
    """Return what the checksum's register is combined with when these five bits leave it."""
    value = 0
    for bit, term in enumerate(_GENERATOR):
        value ^= term if top >> bit & 1 else 0
    return value


_FEEDBACK: Final = tuple(map(_feedback, range(32)))


class Bech32(NamedTuple):
    """A decoded string: the prefix in lower case, the symbols without checksum, and BECH32 or BECH32M."""

    prefix: str
    symbols: bytes
    constant: int


def decode(text: str) -> Bech32 | None:
    """Decode a bech32 or bech32m string, all in lower or all in upper case; return None if it is neither."""
    if not text.isascii() or text not in (text.lower(), text.upper()):
        return None
    form = _FORM.fullmatch(text.lower())
    if form is None:
        return None
    prefix, symbols = form[1], form[2].encode().translate(_SYMBOLS)
    constant = _checksum(prefix, symbols)
    return Bech32(prefix, symbols[:-_CHECKSUM_LENGTH], constant) if constant in (BECH32, BECH32M) else None


def encode(prefix: str, symbols: bytes, constant: int) -> str:
    """Return the string, in lower case, of a lower-case prefix and symbols. The inverse of `decode`."""
    state = _checksum(prefix, symbols + bytes(_CHECKSUM_LENGTH)) ^ constant
    checksum = bytes(state >> 5 * (_CHECKSUM_LENGTH - 1 - position) & 31 for position in range(_CHECKSUM_LENGTH))
    return f"{prefix}1{letters(symbols + checksum)}"


def segwit_address(prefix: str, version: int, program: bytes) -> str:
    """Return the address of a witness version and its program, on the chain of the prefix.

    BIP 173, and BIP 350 from witness version 1 on.
    """
    return encode(prefix, bytes((version,)) + from_bytes(program), BECH32M if version else BECH32)


def from_letters(text: bytes) -> bytes | None:
    """Return the symbols of a lower-case ASCII string, or None if one of its characters is no symbol."""
    symbols = text.translate(_SYMBOLS)
    return None if _NO_SYMBOL in symbols else symbols


def letters(symbols: bytes) -> str:
    """Return the symbols as text."""
    return symbols.translate(_LETTERS).decode()


def number(symbols: bytes) -> int:
    """Return the symbols as one number, the first being the most significant."""
    # In a base that is a power of two Python converts in C and in linear time.
    return int(symbols.translate(_BASE32_DIGITS), 32) if symbols else 0


def from_number(value: int, *, length: int = 0) -> bytes:
    """Return a number that is not negative as symbols: as few as hold it, and at least `length`."""
    count = max(length, -(-value.bit_length() // 5))
    return bytes(value >> 5 * position & 31 for position in reversed(range(count)))


def whole_bytes(symbols: bytes) -> bytes | None:
    """Return the bytes in the symbols' bits, or None if more than four bits or a bit that is not zero are left over."""
    spare_bits = 5 * len(symbols) % 8
    value = number(symbols)
    if spare_bits > 4 or value & ((1 << spare_bits) - 1):
        return None
    return (value >> spare_bits).to_bytes(5 * len(symbols) // 8, "big")


def padded_bytes(symbols: bytes) -> bytes:
    """Return the bytes in the symbols' bits, with zero bits added at the end."""
    length = -(-5 * len(symbols) // 8)
    return (number(symbols) << (8 * length - 5 * len(symbols))).to_bytes(length, "big")


def from_bytes(data: bytes) -> bytes:
    """Return the symbols that hold the bytes, with zero bits added at the end. The inverse of `whole_bytes`.

    All groups are spread at once, as one number, so that Python does the work in C and in linear time.
    """
    groups = -(-len(data) // 5)  # of 40 bits: five bytes, eight symbols
    padded = data.ljust(5 * groups, b"\0")
    lanes = bytearray(8 * groups)
    for column in range(5):  # the same byte of all groups
        lanes[column + 3 :: 8] = padded[column::5]
    spread = int.from_bytes(lanes, "big")
    spreading = _known_spreading if groups <= _MOST_GROUPS else _spreading
    for mask, gap in spreading(groups):
        moved = spread & mask
        spread ^= moved ^ moved << gap
    return spread.to_bytes(8 * groups, "big")[: -(-8 * len(data) // 5)]


def _spreading(groups: int) -> tuple[tuple[int, int], ...]:
    return tuple((int.from_bytes(upper_half * groups, "big"), gap) for upper_half, gap in _SPREADING)


_known_spreading: Final = lru_cache(maxsize=16)(_spreading)  # the strings of a node have few different lengths


def _checksum(prefix: str, symbols: bytes) -> int:
    state, feedback = 1, _FEEDBACK  # a local name is faster, and this loop takes a fifth of the time of an invoice
    for value in (*(ord(c) >> 5 for c in prefix), 0, *(ord(c) & 31 for c in prefix), *symbols):
        state = (state & 0x1FFFFFF) << 5 ^ value ^ feedback[state >> 25]
    return state
