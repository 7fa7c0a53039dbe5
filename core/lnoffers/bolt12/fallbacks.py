"""Fallback addresses of invoices: segwit outputs of the chain, for a payer whom Lightning fails.

The address that people know is the bech32 of BIP 173, or the bech32m of BIP 350 from witness version 1 on.
"""

from __future__ import annotations

from dataclasses import dataclass

from lnoffers.bolt12.chains import CHAINS
from lnoffers.bolt12.codecs import Codec, Json, encode_fixed
from lnoffers.bolt12.cursor import Cursor, read_all
from lnoffers.bolt12.text import ALPHABET, to_symbols

VERSIONS = range(17)
PROGRAM_LENGTHS = range(2, 41)
_V0_LENGTHS = (20, 32)

_PREFIXES = {
    CHAINS["bitcoin"]: "bc",
    CHAINS["testnet"]: "tb",
    CHAINS["testnet4"]: "tb",
    CHAINS["signet"]: "tb",
    CHAINS["regtest"]: "bcrt",
}
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32, _BECH32M = 1, 0x2BC830A3


@dataclass(frozen=True, slots=True)
class FallbackAddress:
    """A segwit output: its witness version (u8), and its witness program in `address`.

    Any version and program read; a payer must ignore those that are none of the chain's (BOLT 12, "Invoices").
    """

    version: int
    address: bytes


def segwit_address(fallback: FallbackAddress, chain: bytes) -> str | None:
    """The address on the chain of this hash as people write it.

    None if the version or the program's length are not valid, or the chain has no form of addresses that is known here.
    """
    prefix = _PREFIXES.get(chain)
    if prefix is None or not is_valid(fallback):
        return None
    symbols = bytes((fallback.version,)) + to_symbols(fallback.address)
    checked = symbols + _checksum(prefix, symbols, _BECH32M if fallback.version else _BECH32)
    return f"{prefix}1{bytes(ALPHABET[symbol] for symbol in checked).decode()}"


def has_addresses(chain: bytes) -> bool:
    """Whether it is known how people write addresses on the chain of this hash."""
    return chain in _PREFIXES


def is_valid(fallback: FallbackAddress) -> bool:
    """Whether version and length are those of a witness program (BIP 141)."""
    length = len(fallback.address)
    return (
        fallback.version in VERSIONS and length in PROGRAM_LENGTHS and (fallback.version != 0 or length in _V0_LENGTHS)
    )


def _checksum(prefix: str, symbols: bytes, constant: int) -> bytes:
    """The six symbols that make the whole a valid code word. BIP 173, "Checksum"."""
    high, low = [ord(c) >> 5 for c in prefix], [ord(c) & 31 for c in prefix]
    state = 1
    for symbol in (*high, 0, *low, *symbols, *bytes(6)):
        top = state >> 25
        state = (state & 0x1FFFFFF) << 5 ^ symbol
        for bit, term in enumerate(_GENERATOR):
            if top >> bit & 1:
                state ^= term
    state ^= constant
    return bytes(state >> 5 * (5 - position) & 31 for position in range(6))


def _read(cursor: Cursor) -> FallbackAddress:
    return FallbackAddress(cursor.number(1), cursor.take(cursor.number(2)))


def _encode(fallback: FallbackAddress) -> bytes:
    return encode_fixed(fallback.version, 1) + encode_fixed(len(fallback.address), 2) + fallback.address


def _to_json(fallback: FallbackAddress) -> Json:
    return {"version": fallback.version, "hex": fallback.address.hex()}


fallback_addresses: Codec[tuple[FallbackAddress, ...]] = Codec(
    lambda value: read_all(value, _read),
    lambda fallbacks: b"".join(map(_encode, fallbacks)),
    lambda fallbacks: [_to_json(fallback) for fallback in fallbacks],
)
