"""Authentication codes: make runes, restrict them further, and verify them.

A code is the state of SHA-256 after the node's secret and each restriction. Each of these parts is followed by what
SHA-256 appends to a message, with the count of all bytes so far. So the node computes a code as the SHA-256 of the
parts, and whoever has a rune can continue from its code, but cannot go back.

Source: Core Lightning, ccan/rune.
"""

from __future__ import annotations

import hmac
import struct
from collections.abc import Sequence
from hashlib import sha256
from typing import Final, NoReturn, final

from lnoffers.bolt12.typecheck import typechecked
from lnoffers.runes.rune import Alternative, Restriction, Rune, written

SECRET_NAME: Final = "commando"  # noqa: S105 - the name from which the secret is derived, not the secret
"""The purpose for which a node derives the secret of its runes (`NodeKeys.named_secret`)."""
_BLOCK: Final = 64


@final
@typechecked
class Authority:
    """Makes and verifies the runes of one node. Its repr does not show the secret."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        """Create the authority of the node with this master secret, 32 bytes."""
        if len(secret) != 32:
            raise ValueError(f"a master secret has 32 bytes, not {len(secret)}")
        self._secret = secret

    @typechecked
    def rune(self, unique_id: int, restrictions: Sequence[Restriction] = ()) -> Rune:
        """Return the node's rune with this id (from 0 to 2^63 - 1) and these restrictions."""
        identity = (Alternative(b"", "=", str(unique_id).encode()),)
        return self.with_code((identity, *restrictions))

    @typechecked
    def with_code(self, restrictions: Sequence[Restriction]) -> Rune:
        """Return the node's rune with these restrictions, the id included."""
        return Rune(self._code(restrictions), tuple(restrictions))

    @typechecked
    def fault_of(self, rune: Rune) -> str | None:
        """Return why a rune is not one of this node, in Core Lightning's words; None if it is one."""
        if rune.has_version:
            return "Version mismatch"
        if hmac.compare_digest(self._code(rune.restrictions), rune.code):
            return None
        return "Not derived from master"

    def _code(self, restrictions: Sequence[Restriction]) -> bytes:
        text = bytearray(self._secret)
        for restriction in restrictions:
            text += _padding(len(text))
            text += written(restriction)
        return sha256(text).digest()

    def __repr__(self) -> str:
        return "Authority()"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a node's secret cannot be pickled or copied")


@typechecked
def restricted(rune: Rune, restrictions: Sequence[Restriction]) -> Rune:
    """Return a rune with further restrictions. Anyone can do this with any node's rune."""
    size = _BLOCK  # the secret
    for restriction in rune.restrictions:
        size += len(written(restriction))
        size += len(_padding(size))
    state = struct.unpack(">8I", rune.code)
    for restriction in restrictions:
        text = written(restriction)
        text += _padding(size + len(text))
        for start in range(0, len(text), _BLOCK):
            state = _compressed(state, text[start : start + _BLOCK])
        size += len(text)
    return Rune(struct.pack(">8I", *state), (*rune.restrictions, *restrictions))


def _padding(size: int) -> bytes:
    """Return what SHA-256 appends to a message of `size` bytes."""
    return b"\x80" + bytes((55 - size) % _BLOCK) + (8 * size).to_bytes(8, "big")


# hashlib cannot continue from a state, so the compression function is here (FIPS 180-4, 6.2.2).
_CONSTANTS: Final = struct.unpack(
    ">64I",
    bytes.fromhex(
        "428a2f9871374491b5c0fbcfe9b5dba53956c25b59f111f1923f82a4ab1c5ed5"
        "d807aa9812835b01243185be550c7dc372be5d7480deb1fe9bdc06a7c19bf174"
        "e49b69c1efbe47860fc19dc6240ca1cc2de92c6f4a7484aa5cb0a9dc76f988da"
        "983e5152a831c66db00327c8bf597fc7c6e00bf3d5a7914706ca635114292967"
        "27b70a852e1b21384d2c6dfc53380d13650a7354766a0abb81c2c92e92722c85"
        "a2bfe8a1a81a664bc24b8b70c76c51a3d192e819d6990624f40e3585106aa070"
        "19a4c1161e376c082748774c34b0bcb5391c0cb34ed8aa4a5b9cca4f682e6ff3"
        "748f82ee78a5636f84c878148cc7020890befffaa4506cebbef9a3f7c67178f2"
    ),
)
_32_BITS: Final = 0xFFFFFFFF


def _compressed(state: tuple[int, ...], block: bytes) -> tuple[int, ...]:
    """Return the state, 8 words, after a block of 64 bytes."""
    words = list(struct.unpack(">16I", block))
    for index in range(16, 64):
        x, y = words[index - 15], words[index - 2]
        small = _rotated(x, 7) ^ _rotated(x, 18) ^ (x >> 3)
        large = _rotated(y, 17) ^ _rotated(y, 19) ^ (y >> 10)
        words.append((words[index - 16] + small + words[index - 7] + large) & _32_BITS)
    a, b, c, d, e, f, g, h = state
    for word, constant in zip(words, _CONSTANTS, strict=True):
        first = h + (_rotated(e, 6) ^ _rotated(e, 11) ^ _rotated(e, 25)) + ((e & f) ^ (~e & g)) + constant + word
        second = (_rotated(a, 2) ^ _rotated(a, 13) ^ _rotated(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))
        a, b, c, d, e, f, g, h = (first + second) & _32_BITS, a, b, c, (d + first) & _32_BITS, e, f, g
    return tuple((old + new) & _32_BITS for old, new in zip(state, (a, b, c, d, e, f, g, h), strict=True))


def _rotated(word: int, bits: int) -> int:
    """Return a word rotated to the right."""
    return (word >> bits | word << (32 - bits)) & _32_BITS
