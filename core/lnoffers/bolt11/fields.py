"""The tagged fields of an invoice, as a table: the letter of each, and the function that parses its symbols.

That function returns None for a form that the specification tells readers to skip. Such a field counts as unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from lnoffers import bech32
from lnoffers.bolt11.errors import Bolt11Error
from lnoffers.bolt11.fallbacks import read_fallback
from lnoffers.bolt12.curve import is_point
from lnoffers.bolt12.typecheck import typechecked

_HASH_SYMBOLS: Final = 52
_POINT_SYMBOLS: Final = 53
_HOP_BYTES: Final = 51
_MAX_NUMBER_BITS: Final = 64
_MAX_CLTV: Final = 2**32 - 1

KNOWN_FEATURES: Final = frozenset({8, 14, 16, 24, 48})
"""The even feature bits that Core Lightning accepts in an invoice: variable-length onions, payment secrets, multi-part
payments, blinded paths, payment metadata."""


@typechecked
@dataclass(frozen=True, slots=True)
class RouteHop:
    """A private channel on a route to the payee.

    Attributes:
        pubkey: the node that the channel starts from, a compressed point.
        short_channel_id: u64: block (24 bits), transaction (24), output (16).
        fee_base_msat, fee_proportional_millionths: u32 each.
        cltv_expiry_delta: blocks, u16.
    """

    pubkey: bytes
    short_channel_id: int
    fee_base_msat: int
    fee_proportional_millionths: int
    cltv_expiry_delta: int


@dataclass(frozen=True, slots=True)
class Tag:
    """A kind of field: its attribute of `Invoice`, its parser, and whether it may be repeated."""

    attribute: str
    read: Callable[[bytes], object]
    repeats: bool = False


def _read_hash(symbols: bytes) -> bytes | None:
    return _bytes(symbols) if len(symbols) == _HASH_SYMBOLS else None


def _read_point(symbols: bytes) -> bytes | None:
    if len(symbols) != _POINT_SYMBOLS:
        return None
    point = _bytes(symbols)
    if not is_point(point):
        raise Bolt11Error(f"invalid public key {point.hex()}")
    return point


def _read_text(symbols: bytes) -> str:
    data = _bytes(symbols)
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise Bolt11Error("d: invalid utf8") from error
    if "\0" in text:
        raise Bolt11Error("d: invalid utf8", "it holds the character U+0000")
    return text


def _read_expiry(symbols: bytes) -> int:
    return _number("x", symbols)


def _read_cltv(symbols: bytes) -> int:
    blocks = _number("c", symbols)
    if blocks > _MAX_CLTV:
        raise Bolt11Error(f"c: {blocks} is too large")
    return blocks


def _read_features(symbols: bytes) -> bytes:
    padded = bech32.padded_bytes(symbols)
    if padded[:1] == b"\0":
        raise Bolt11Error("9: non-minimal length (begins with 0)")
    features = bech32.number(symbols)
    for bit in range(0, 5 * len(symbols), 2):
        if features >> bit & 1 and bit not in KNOWN_FEATURES:
            raise Bolt11Error(f"9: unknown feature bit {bit}")
    return features.to_bytes(len(padded), "big")


def _read_route(symbols: bytes) -> tuple[RouteHop, ...]:
    data = _bytes(symbols)
    hops: list[RouteHop] = []
    for position in range(0, max(len(data), 1), _HOP_BYTES):
        hop = data[position : position + _HOP_BYTES]
        # Core Lightning's texts name hop 0 whichever is at fault.
        if len(hop) != _HOP_BYTES:
            raise Bolt11Error("r: hop 0 truncated", f"it is hop {len(hops)}")
        if not is_point(hop[:33]):
            raise Bolt11Error("r: hop 0 pubkey invalid", f"it is hop {len(hops)}")
        numbers = (int.from_bytes(hop[start:end], "big") for start, end in ((33, 41), (41, 45), (45, 49), (49, 51)))
        hops.append(RouteHop(hop[:33], *numbers))
    return tuple(hops)


def _number(letter: str, symbols: bytes) -> int:
    if 5 * len(symbols) > _MAX_NUMBER_BITS:
        raise Bolt11Error(f"{letter}: integer too large")
    if len(symbols) > 1 and symbols[0] == 0:
        raise Bolt11Error(f"{letter}: not a minimal value")
    return bech32.number(symbols)


def _bytes(symbols: bytes) -> bytes:
    data = bech32.whole_bytes(symbols)
    if data is None:
        raise Bolt11Error("non-zero trailing bits")
    return data


TAGS: Final[Mapping[str, Tag]] = MappingProxyType(
    {
        "p": Tag("payment_hash", _read_hash),
        "d": Tag("description", _read_text),
        "h": Tag("description_hash", _read_hash),
        "x": Tag("expiry", _read_expiry),
        "c": Tag("min_final_cltv_expiry", _read_cltv),
        "n": Tag("payee", _read_point),
        "s": Tag("payment_secret", _read_hash),
        "f": Tag("fallbacks", read_fallback, repeats=True),
        "r": Tag("routes", _read_route, repeats=True),
        "9": Tag("features", _read_features),
        "m": Tag("payment_metadata", _bytes),
    }
)
"""The kinds of fields by letter."""
