"""Fallback addresses of invoices: segwit outputs, for an on-chain payment if Lightning fails.

As text, an address is the bech32 of BIP 173, or the bech32m of BIP 350 from witness version 1 on.
"""

from __future__ import annotations

from dataclasses import dataclass

from lnoffers import bech32
from lnoffers.bolt12.chains import CHAINS
from lnoffers.bolt12.codecs import Codec, Json, encode_fixed
from lnoffers.bolt12.cursor import Cursor, read_all
from lnoffers.bolt12.typecheck import trusted, typechecked

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


@typechecked
@dataclass(frozen=True, slots=True)
class FallbackAddress:
    """A segwit output: its witness version (u8), and its witness program in `address`.

    Any version and program can be parsed. A payer must ignore invalid ones (BOLT 12, "Invoices").
    """

    version: int
    address: bytes


@typechecked
def fallback_address(fallback: FallbackAddress, chain: bytes) -> str | None:
    """Return the address as text, for the chain with this hash (32 bytes).

    None if the version or the program's length are not valid, or the chain's prefix of addresses is not known.
    """
    prefix = _PREFIXES.get(chain)
    if prefix is None or not is_valid(fallback):
        return None
    return bech32.segwit_address(prefix, fallback.version, fallback.address)


def has_addresses(chain: bytes) -> bool:
    """Return whether the prefix of addresses on the chain with this hash is known."""
    return chain in _PREFIXES


def is_valid(fallback: FallbackAddress) -> bool:
    """Return whether version and length are valid for a witness program (BIP 141)."""
    length = len(fallback.address)
    return (
        fallback.version in VERSIONS and length in PROGRAM_LENGTHS and (fallback.version != 0 or length in _V0_LENGTHS)
    )


_fallback = trusted(FallbackAddress)


def _read(cursor: Cursor) -> FallbackAddress:
    return _fallback(cursor.number(1), cursor.take(cursor.number(2)))


def _encode(fallback: FallbackAddress) -> bytes:
    return encode_fixed(fallback.version, 1) + encode_fixed(len(fallback.address), 2) + fallback.address


def _to_json(fallback: FallbackAddress) -> Json:
    return {"version": fallback.version, "hex": fallback.address.hex()}


fallback_addresses: Codec[tuple[FallbackAddress, ...]] = Codec(
    lambda value: read_all(value, _read),
    lambda fallbacks: b"".join(map(_encode, fallbacks)),
    lambda fallbacks: [_to_json(fallback) for fallback in fallbacks],
)
