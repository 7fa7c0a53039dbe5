"""Convert parameters, and the values in them, as Core Lightning does: from the token as written to a Python value.

A converter is called with the raw token (a string with its quotes) and returns the value, or raises BadToken with the
node's short text. A number may be given as a string, as the node allows: "4102444801" is a u64. Signs, exponents,
hexadecimal and digits other than ASCII's are refused. Source: Core Lightning, common/json_param.c and common/amount.c.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from functools import cache
from typing import Any, Final, TypeAlias

import msgspec

from ..command import Array, Object, Type
from ..jsontext import JsonType, elements, json_type, members

Converter: TypeAlias = Callable[[bytes], Any]

_U64_MAX: Final = 2**64 - 1


class BadToken(ValueError):
    """The token cannot be converted; `why` says what it should be.

    `token` is the bad part of the parameter, as written, and `place` its position, e.g. "[0].amount"; both are empty
    if the whole parameter is bad. `names_place` is false if the node's text leaves the place out.
    """

    def __init__(self, why: str, place: str = "", token: bytes = b"", *, names_place: bool = True) -> None:
        super().__init__(why)
        self.why = why
        self.place = place
        self.token = token
        self.names_place = names_place

    def inside(self, place: str, token: bytes) -> BadToken:
        """Return the same error for the value that contains the bad part at `place`, in `token`."""
        return BadToken(self.why, place + self.place, self.token or token, names_place=self.names_place)


@cache
def converter_of(declared: Type) -> Converter:
    """Return the converter of a type."""
    match declared:
        case Array(items):
            return array_of(converter_of(items))
        case Object(inside):
            return object_of({name: converter_of(member) for name, member in inside})
        case str():
            return CONVERTERS[declared]


def content(raw: bytes) -> bytes:
    """Return what the node's own conversions read: the text of a string, with escapes as written, or any token."""
    return raw[1:-1] if raw.startswith(b'"') else raw


def raw_text(raw: bytes) -> str:
    """Return the text of any token as written, with escapes: the node's plain `string` (param_string)."""
    return content(raw).decode()


_NO_STRING: Final = "should be a string (without \\u)"
_escapes: Final = re.compile(rb"\\(.)")
_ESCAPES: Final = {b"n": b"\n", b"b": b"\b", b"f": b"\f", b"t": b"\t", b"r": b"\r"}


def string(raw: bytes) -> str:
    """Convert a JSON string, without \\u escapes, because the node wants UTF-8 (param_escaped_string)."""
    if json_type(raw) is not JsonType.STRING:
        raise BadToken(_NO_STRING)
    text = content(raw)
    if b"\\" in text:
        if b"u" in _escapes.findall(text):
            raise BadToken(_NO_STRING)
        text = _escapes.sub(lambda escape: _ESCAPES.get(escape[1], escape[1]), text)
    return text.decode()


def boolean(raw: bytes) -> bool:
    """Convert `true` or `false`, which must not be strings (param_bool)."""
    if json_type(raw) is not JsonType.BOOLEAN:
        raise BadToken("should be 'true' or 'false'")
    return raw == b"true"


def null(raw: bytes) -> None:
    """Convert `null`."""
    if json_type(raw) is not JsonType.NULL:
        raise BadToken("should be null")


_digits: Final = re.compile(rb"[0-9]++").fullmatch
_integer: Final = re.compile(rb"(-?)([0-9]++)").fullmatch
_decimal: Final = re.compile(rb"[0-9]++(?:\.[0-9]*+)?|\.[0-9]++").fullmatch
_amount: Final = re.compile(rb"([0-9]++)(?:\.([0-9]++))?(msat|sat|btc|)").fullmatch


def _value_of(digits: bytes) -> int:
    """Return the value of any number of digits, in linear time; a value of more than 64 bits becomes 2**64."""
    digits = digits.lstrip(b"0") or b"0"
    return int(digits) if len(digits) <= 20 else _U64_MAX + 1


def unsigned(bits: int) -> Converter:
    """Return a converter for integers from 0 to 2**bits - 1 (param_u16, param_u32, param_u64)."""

    def convert(raw: bytes) -> int:
        text = content(raw)
        if not _digits(text) or (value := _value_of(text)) >> bits:
            raise BadToken(f"should be an unsigned {bits} bit integer")
        return value

    return convert


def integer(raw: bytes) -> int:
    """Convert an integer from -2**63 to 2**63 - 1."""
    if matched := _integer(content(raw)):
        value = -_value_of(matched[2]) if matched[1] else _value_of(matched[2])
        if -(2**63) <= value < 2**63:
            return value
    raise BadToken("should be an integer")


def number(raw: bytes) -> float:
    """Convert a number of 0 or more, in plain decimals (param_millionths)."""
    text = content(raw)
    if not _decimal(text):
        raise BadToken("should be a non-negative floating-point number")
    return float(text)


_Units: TypeAlias = Mapping[bytes, tuple[int, Container[int]]]
"""Unit -> (its power of ten in millisatoshi, the allowed numbers of decimals)."""

_MSAT_UNITS: Final[_Units] = {b"": (0, ()), b"msat": (0, ()), b"sat": (3, (3,)), b"btc": (11, range(1, 12))}
_SAT_UNITS: Final[_Units] = {b"": (3, ()), b"msat": (0, ()), b"sat": (3, ()), b"btc": (11, range(1, 9))}


def _millisatoshi(raw: bytes, units: _Units) -> bytes | None:
    """Return the digits of an amount in millisatoshi; None if `units` do not allow how it is written."""
    if not (matched := _amount(content(raw))):
        return None
    whole, decimals, unit = matched.groups()
    power, allowed = units[unit]
    if decimals is not None and len(decimals) not in allowed:
        return None
    return bytes(whole) + (decimals or b"").ljust(power, b"0")


def msat(raw: bytes) -> int:
    """Convert an amount in millisatoshi (param_msat).

    "1000", "1000msat", "1sat", "1.000sat" (three decimals: ours), "0.00000001btc" (1 to 11 decimals), "1btc".
    """
    digits = _millisatoshi(raw, _MSAT_UNITS)
    if digits is None or (value := _value_of(digits)) > _U64_MAX:
        raise BadToken("should be a millisatoshi amount")
    return value


def sat(raw: bytes) -> int:
    """Convert an amount in satoshi (param_sat).

    "1", "1sat", "1000msat" (whole satoshi only), "0.00000001btc" (1 to 8 decimals), "1btc".
    """
    digits = _millisatoshi(raw, _SAT_UNITS)
    if digits is None or digits[-3:].strip(b"0") or (value := _value_of(digits[:-3])) > _U64_MAX:
        raise BadToken("should be a satoshi amount")
    return value


def or_word(word: str, convert: Converter) -> Converter:
    """Return a converter for the string `word` and everything that `convert` accepts."""
    token = b'"%b"' % word.encode()
    return lambda raw: word if raw == token else convert(raw)


def hex_of(length: range, why: str) -> Converter:
    """Return a converter for bytes in hexadecimal, of a number in `length`; the value is in lower case."""

    def convert(raw: bytes) -> str:
        text = content(raw)
        if len(text) % 2 or len(text) // 2 not in length or not _hex_digits(text):
            raise BadToken(why)
        return text.decode().lower()

    return convert


_hex_digits: Final = re.compile(rb"[0-9A-Fa-f]++").fullmatch
_node_id: Final = hex_of(range(33, 34), "should be a node id")
_FIELD: Final = 2**256 - 2**32 - 977
"""The prime of secp256k1's field (SEC 2)."""


def pubkey(raw: bytes) -> str:
    """Convert a compressed point on secp256k1 (param_node_id): 02 or 03, and an x for which x^3 + 7 is a square."""
    value: str = _node_id(raw)
    x = int.from_bytes(bytes.fromhex(value)[1:])
    on_curve = x < _FIELD and pow(x**3 + 7, (_FIELD - 1) // 2, _FIELD) == 1
    if not value.startswith(("02", "03")) or not on_curve:
        raise BadToken("should be a node id")
    return value


_scid: Final = re.compile(rb"([0-9]{1,8})x([0-9]{1,8})x([0-9]{1,5})").fullmatch
_outpoint: Final = re.compile(rb"([0-9A-Fa-f]{64}):([0-9]{1,10})").fullmatch
_feerate: Final = re.compile(rb"[0-9]{1,10}(?:perkw|perkb|blocks)?").fullmatch
_currency: Final = re.compile(rb"[0-9]++(?:\.[0-9]++)?[A-Z]{3}").fullmatch
_FEERATES: Final = frozenset(
    [
        "opening",
        "mutual_close",
        "penalty",
        "unilateral_close",
        "unilateral_anchor_close",
        "slow",
        "normal",
        "urgent",
        "minimum",
    ]
)


def short_channel_id(raw: bytes) -> str:
    """Convert a short_channel_id, "BLOCKxTRANSACTIONxOUTPUT" of 3, 3 and 2 bytes (param_short_channel_id)."""
    text = content(raw)
    matched = _scid(text)
    if not matched or any(int(part) >> bits for part, bits in zip(matched.groups(), (24, 24, 16), strict=True)):
        raise BadToken("should be a short_channel_id of form NxNxN")
    return text.decode()


def short_channel_id_dir(raw: bytes) -> str:
    """Convert a short_channel_id with "/0" or "/1" (param_short_channel_id_dir)."""
    text = content(raw)
    try:
        short_channel_id(text[:-2])
    except BadToken:
        text = b""
    if not text.endswith((b"/0", b"/1")):
        raise BadToken("should be a short_channel_id_dir of form NxNxN/N")
    return text.decode()


def outpoint(raw: bytes) -> str:
    """Convert an output, "TXID:INDEX" with an index of 32 bits (param_outpoint)."""
    text = content(raw)
    matched = _outpoint(text)
    if not matched or int(matched[2]) >> 32:
        raise BadToken("should be a txid:outnum")
    return text.decode().lower()


def feerate(raw: bytes) -> int | str:
    """Convert a number, or text: a number with a unit, or one of the node's names (param_feerate)."""
    text = content(raw)
    if _digits(text) and not _value_of(text) >> 32:
        return int(text)
    if json_type(raw) is not JsonType.STRING or not (_feerate(text) or text.decode() in _FEERATES):
        raise BadToken("should be an integer with optional perkw/perkb")
    return text.decode()


def currency(raw: bytes) -> str:
    """Convert an amount with its currency's code: "10.05USD"."""
    text = content(raw)
    if not _currency(text):
        raise BadToken("should be an amount in a currency")
    return text.decode()


def json_value(raw: bytes) -> Any:
    """Decode any JSON."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadToken(f"cannot be decoded ({error})") from None


def json_of(why: str, *kinds: JsonType) -> Converter:
    """Return a converter that decodes JSON of one of `kinds`."""

    def convert(raw: bytes) -> Any:
        if json_type(raw) not in kinds:
            raise BadToken(why)
        return json_value(raw)

    return convert


def array_of(convert: Converter) -> Converter:
    """Return a converter for arrays of what `convert` accepts (param_array)."""

    def convert_all(raw: bytes) -> list[Any]:
        if json_type(raw) is not JsonType.ARRAY:
            raise BadToken("should be an array")
        values: list[Any] = []
        for token in elements(raw):
            try:
                values.append(convert(token))
            except BadToken as bad:
                raise bad.inside(f"[{len(values)}]", token) from None
        return values

    return convert_all


def object_of(converters: Mapping[str, Converter]) -> Converter:
    """Return a converter for objects whose members are converted by name, to a dict of those that are given.

    Names are compared as written, the first of duplicates counts, and other members are ignored (json_get_member).
    """

    def convert_all(raw: bytes) -> dict[str, Any]:
        if json_type(raw) is not JsonType.OBJECT:
            raise BadToken("should be an object")
        values: dict[str, Any] = {}
        for written, token in members(raw):
            name = written.decode()
            convert = converters.get(name)
            if convert is None or name in values:
                continue
            try:
                values[name] = convert(token)
            except BadToken as bad:
                raise bad.inside(f".{name}", token) from None
        return values

    return convert_all


def string_map(raw: bytes) -> Any:
    """Convert an object whose values are strings."""
    value = _object(raw)
    if not all(isinstance(item, str) for item in value.values()):
        raise BadToken("should be an object of strings")
    return value


_object: Final = json_of("should be an object", JsonType.OBJECT)
_ANY_LENGTH: Final = range(1, 2**62)
_32_BYTES: Final = hex_of(range(32, 33), "should be a 32 byte hex value")
_HEX: Final = hex_of(_ANY_LENGTH, "should be a hex value")

CONVERTERS: Final[Mapping[str, Converter]] = {
    "": json_value,
    "array": array_of(json_value),
    "bip340sig": hex_of(range(64, 65), "should be a 64 byte hex value"),
    "boolean": boolean,
    "currency": currency,
    "feerate": feerate,
    "hash": _32_BYTES,
    "hex": _HEX,
    "hexstr": _HEX,
    "integer": integer,
    "json_object_or_array": json_of("should be an object or an array", JsonType.OBJECT, JsonType.ARRAY),
    "json_scalar": json_of(
        "should be a string, number, boolean or null", *set(JsonType) - {JsonType.OBJECT, JsonType.ARRAY}
    ),
    "msat": msat,
    "msat_or_all": or_word("all", msat),
    "msat_or_any": or_word("any", msat),
    "null": null,
    "number": number,
    "object": _object,
    "outpoint": outpoint,
    "outputdesc": _object,
    "pubkey": pubkey,
    "sat": sat,
    "sat_or_all": or_word("all", sat),
    "secret": _32_BYTES,
    "short_channel_id": short_channel_id,
    "short_channel_id_dir": short_channel_id_dir,
    "signature": hex_of(range(1, 73), "should be a hex value"),
    "string": string,
    "string_map": string_map,
    "txid": hex_of(range(32, 33), "should be a txid"),
    "u8": unsigned(8),
    "u16": unsigned(16),
    "u32": unsigned(32),
    "u64": unsigned(64),
}
"""Dialect type -> converter; "" is for parameters without a type."""
