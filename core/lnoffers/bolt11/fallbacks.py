"""Fallback addresses, for an on-chain payment if Lightning fails. BOLT 11, tagged field `f`."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from lnoffers import bech32
from lnoffers.bolt11.chains import Chain
from lnoffers.bolt11.errors import Bolt11Error
from lnoffers.bolt12.typecheck import typechecked

P2PKH: Final = 17
P2SH: Final = 18
_MAX_WITNESS: Final = 16
_WITNESS_LENGTHS: Final = {0: (20, 32), 1: (32,)}
_HASH_LENGTH: Final = 20
_KINDS: Final = {(P2PKH, 20): "P2PKH", (P2SH, 20): "P2SH", (0, 20): "P2WPKH", (0, 32): "P2WSH", (1, 32): "P2TR"}
_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


@typechecked
@dataclass(frozen=True, slots=True)
class Fallback:
    """An output: `version` (17 for P2PKH, 18 for P2SH, else a witness version, 0 to 16), and the hash or program."""

    version: int
    program: bytes

    @property
    def kind(self) -> str | None:
        """The usual name of such outputs; None for a witness version without one."""
        return _KINDS.get((self.version, len(self.program)))

    @property
    def script(self) -> bytes:
        """The output script."""
        if self.version == P2PKH:
            return b"\x76\xa9\x14" + self.program + b"\x88\xac"  # DUP HASH160 push EQUALVERIFY CHECKSIG
        if self.version == P2SH:
            return b"\xa9\x14" + self.program + b"\x87"  # HASH160 push EQUAL
        opcode = 0x50 + self.version if self.version else 0
        return bytes((opcode, len(self.program))) + self.program

    @typechecked
    def address(self, chain: Chain) -> str | None:
        """Return the address on the chain, as text, or None for a witness version without a name."""
        if self.kind is None:
            return None
        if self.version == P2PKH:
            return _base58_check(bytes((chain.p2pkh_version,)) + self.program)
        if self.version == P2SH:
            return _base58_check(bytes((chain.p2sh_version,)) + self.program)
        return bech32.segwit_address(chain.segwit_prefix, self.version, self.program)


def read_fallback(symbols: bytes) -> Fallback | None:
    """Return the content of an `f` field, or None if its version is not known, which is not an error.

    Raises:
        Bolt11Error: if it is empty or has the wrong length for its version.
    """
    if not symbols:
        raise Bolt11Error("f: truncated")
    version = symbols[0]
    if version > P2SH:
        return None
    program = bech32.whole_bytes(symbols[1:])
    if program is None:
        raise Bolt11Error("non-zero trailing bits")
    length = len(program)
    if version == P2PKH and length != _HASH_LENGTH:
        raise Bolt11Error(f"f: pkhash length {length}")
    if version == P2SH and length != _HASH_LENGTH:
        raise Bolt11Error(f"f: p2sh length {length}")
    if version <= _MAX_WITNESS and length not in _WITNESS_LENGTHS.get(version, range(2, 41)):
        raise Bolt11Error(f"f: witness v{version} bad length {length}")
    return Fallback(version, program)


def write_fallback(fallback: Fallback) -> bytes:
    """Return the content of an `f` field. The inverse of `read_fallback`, which says whether the content is valid.

    Raises:
        Bolt11Error: if the version is not known.
    """
    if fallback.version not in range(P2SH + 1):
        raise Bolt11Error(f"f: version {fallback.version} is not from 0 to {P2SH}")
    return bytes((fallback.version,)) + bech32.from_bytes(fallback.program)


def _base58_check(data: bytes) -> str:
    data += sha256(sha256(data).digest()).digest()[:4]
    value, digits = int.from_bytes(data, "big"), ""
    while value:
        value, digit = divmod(value, 58)
        digits = _BASE58[digit] + digits
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + digits
