"""The tagged fields of an invoice, as a table: the letter of each, and the functions that parse and write its symbols.

Parsing returns None for a form that the specification tells readers to skip. Such a field counts as unknown. What is
written is parsed again, so that the rules of readers hold for writers too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from lnoffers import bech32
from lnoffers.bolt11.errors import Bolt11Error
from lnoffers.bolt11.fallbacks import read_fallback, write_fallback
from lnoffers.bolt12.curve import is_point
from lnoffers.bolt12.typecheck import typechecked

_HASH_SYMBOLS: Final = 52
_POINT_SYMBOLS: Final = 53
_HOP_BYTES: Final = 51
_MAX_SYMBOLS: Final = 1023  # the largest number in the two symbols of a length
_MAX_NUMBER_BITS: Final = 64
_MAX_CLTV: Final = 2**32 - 1

MAX_BYTES: Final = _MAX_SYMBOLS * 5 // 8
"""The most bytes in a field."""
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
    """A kind of field.

    Attributes:
        attribute: where `Invoice` has its value.
        read: returns the value of symbols.
        write: returns the symbols of a value, the inverse of `read`.
        repeats: whether an invoice may have several.
    """

    attribute: str
    read: Callable[[bytes], object]
    write: Callable[[Any], bytes]
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


def _write_text(text: str) -> bytes:
    data = text.encode(errors="surrogatepass")  # which no reader takes for UTF-8
    if len(data) > MAX_BYTES:
        raise Bolt11Error(f"it has {len(data)} bytes, more than {MAX_BYTES}; send it separately, with its hash here")
    return bech32.from_bytes(data)


def _write_number(value: int) -> bytes:
    if value < 0:
        raise Bolt11Error(f"{value} is negative")
    # Zero has no symbol: LDK writes what it has read again, as short as possible, and recovers the payee from that.
    return bech32.from_number(value)


def _write_features(features: bytes) -> bytes:
    return bech32.from_number(int.from_bytes(features, "big"))


def _write_route(hops: Sequence[RouteHop]) -> bytes:
    return bech32.from_bytes(b"".join(map(_hop_bytes, hops)))


def _hop_bytes(hop: RouteHop) -> bytes:
    numbers = (hop.short_channel_id, hop.fee_base_msat, hop.fee_proportional_millionths, hop.cltv_expiry_delta)
    try:
        parts = (value.to_bytes(size, "big") for value, size in zip(numbers, (8, 4, 4, 2), strict=True))
        return hop.pubkey + b"".join(parts)
    except OverflowError:
        raise Bolt11Error(f"{hop} has a number that does not fit") from None


TAGS: Final[Mapping[str, Tag]] = MappingProxyType(
    {
        "s": Tag("payment_secret", _read_hash, bech32.from_bytes),
        "p": Tag("payment_hash", _read_hash, bech32.from_bytes),
        "h": Tag("description_hash", _read_hash, bech32.from_bytes),
        "d": Tag("description", _read_text, _write_text),
        "m": Tag("payment_metadata", _bytes, bech32.from_bytes),
        "n": Tag("payee", _read_point, bech32.from_bytes),
        "x": Tag("expiry", _read_expiry, _write_number),
        "c": Tag("min_final_cltv_expiry", _read_cltv, _write_number),
        "f": Tag("fallbacks", read_fallback, write_fallback, repeats=True),
        "r": Tag("routes", _read_route, _write_route, repeats=True),
        "9": Tag("features", _read_features, _write_features),
    }
)
"""The kinds of fields by letter, in the order in which they are written, which is Core Lightning's."""


def write_field(letter: str, value: object) -> bytes:
    """Return a field as symbols: its letter, its length, and its content.

    Raises:
        Bolt11Error: for a value that a reader would refuse or skip; it names the attribute.
    """
    tag = TAGS[letter]
    try:
        content = tag.write(value)
        skipped = tag.read(content) is None
        symbols = field_symbols(letter, content)
    except Bolt11Error as error:
        raise Bolt11Error(f"{tag.attribute}: {error.message}", error.detail) from None
    if skipped:
        raise Bolt11Error(f"{tag.attribute}: readers would skip a field of {5 * len(content) // 8} bytes")
    return symbols


def field_symbols(letter: str, content: bytes) -> bytes:
    """Return a field with this content as symbols.

    Raises:
        Bolt11Error: if the content is too long.
    """
    if len(content) > _MAX_SYMBOLS:
        raise Bolt11Error(f"it is longer than a field can be, {MAX_BYTES} bytes")
    return bytes((bech32.ALPHABET.index(letter),)) + bech32.from_number(len(content), length=2) + content
