"""The dialect's own types as JSON Schema, each with a name that other schemas refer to.

A command accepts more than a node returns: an amount may have a unit. Such types have a second definition. Source: Core
Lightning, the formats of the meta-schema, common/json_param.c and common/amount.c.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from rpcschema.python.types import OBJECTS, PLAIN, SCALARS

_BYTE: Final = "[0-9a-fA-F]{2}"
_SCID: Final = "[0-9]+x[0-9]+x[0-9]+"


def _text(pattern: str, description: str) -> Mapping[str, Any]:
    return {"type": "string", "pattern": f"^{pattern}$", "description": description}


def _unsigned(bits: int, description: str) -> Mapping[str, Any]:
    return {"type": "integer", "minimum": 0, "maximum": 2**bits - 1, "description": description}


def _either(description: str, *forms: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"anyOf": list(forms), "description": description}


_U64: Final = {"type": "integer", "minimum": 0, "maximum": 2**64 - 1}
_AMOUNT: Final = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?(msat|sat|btc)?$"}
_RATE: Final = {"type": "string", "pattern": "^([0-9]+(perkw|perkb|blocks)?|[a-z_]+)$"}
_ALL: Final = {"const": "all"}
_ANY: Final = {"const": "any"}

_DEFINITIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "bip340sig": _text(f"({_BYTE}){{64}}", "A Schnorr signature (BIP 340): 64 bytes in hexadecimal."),
    "currency": _text(r"[0-9]+(\.[0-9]+)?[A-Z]{3}", "An amount with the three-letter code of its currency: 10.05USD."),
    "feerate": _either(
        "Satoshi per 1000 virtual bytes; or text: with a unit (253perkw), or a name (urgent).",
        {"type": "integer", "minimum": 0, "maximum": 2**32 - 1},
        _RATE,
    ),
    "hash": _text(f"({_BYTE}){{32}}", "A SHA256 hash: 32 bytes in hexadecimal."),
    "hex": _text(f"({_BYTE})*", "Bytes in hexadecimal."),
    "msat": _unsigned(64, "Millisatoshi."),
    "msat_or_all": _either('Millisatoshi, or "all".', _U64, _ALL),
    "msat_or_any": _either('Millisatoshi, or "any".', _U64, _ANY),
    "outpoint": _text(f"({_BYTE}){{32}}:[0-9]+", "An output of a transaction: its txid, a colon, and its index."),
    "pubkey": _text(f"0[23]({_BYTE}){{32}}", "A public key, compressed: 33 bytes in hexadecimal."),
    "sat": _unsigned(64, "Satoshi."),
    "sat_or_all": _either('Satoshi, or "all".', _U64, _ALL),
    "secret": _text(f"({_BYTE}){{32}}", "A secret: 32 bytes in hexadecimal."),
    "short_channel_id": _text(_SCID, "A channel: block height, transaction and output (BOLT 7), as 1x2x3."),
    "short_channel_id_dir": _text(f"{_SCID}/[01]", "One direction of a channel, as 1x2x3/0."),
    "signature": _text(f"({_BYTE}){{1,72}}", "An ECDSA signature in DER, in hexadecimal."),
    "txid": _text(f"({_BYTE}){{32}}", "A transaction id in hexadecimal, in the byte order that Bitcoin prints."),
    "u8": _unsigned(8, "An integer of 8 bits."),
    "u16": _unsigned(16, "An integer of 16 bits."),
    "u32": _unsigned(32, "An integer of 32 bits."),
    "u64": _unsigned(64, "An integer of 64 bits."),
}
_PARAMETERS: Final[Mapping[str, Mapping[str, Any]]] = {
    "msat": _either('Millisatoshi; or text with a unit: "10sat", "0.1btc".', _U64, _AMOUNT),
    "msat_or_all": _either('Millisatoshi, text with a unit, or "all".', _U64, _AMOUNT, _ALL),
    "msat_or_any": _either('Millisatoshi, text with a unit, or "any".', _U64, _AMOUNT, _ANY),
    "sat": _either('Satoshi; or text with a unit: "10sat", "0.1btc".', _U64, _AMOUNT),
    "sat_or_all": _either('Satoshi, text with a unit, or "all".', _U64, _AMOUNT, _ALL),
}
"""The types for which commands accept more."""
_SUFFIX: Final = "Parameter"
_UNNAMED: Final[Mapping[str, Mapping[str, Any]]] = {
    **{name: {"type": name} for name in (*PLAIN, "array")},
    **{name: {"type": "object"} for name in OBJECTS},
    "integer": {"type": "integer", "minimum": -(2**63), "maximum": 2**64 - 1},
    "json_object_or_array": {"type": ["object", "array"]},
    "json_scalar": {"type": ["boolean", "integer", "null", "number", "string"]},
}
"""The types that need no name."""


def unnamed(dialect_type: str) -> Mapping[str, Any] | None:
    """Return the schema of a type that JSON Schema has, too; None for a type with a definition."""
    return _UNNAMED.get(dialect_type)


def definition_name(dialect_type: str, *, is_parameter: bool) -> str:
    """Return the name of a type's definition; `is_parameter` is for values that callers of commands write."""
    return SCALARS[dialect_type] + (_SUFFIX if is_parameter and dialect_type in _PARAMETERS else "")


def definitions() -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the name and schema of each definition, sorted by name."""
    found = {definition_name(name, is_parameter=False): schema for name, schema in _DEFINITIONS.items()}
    found |= {definition_name(name, is_parameter=True): schema for name, schema in _PARAMETERS.items()}
    yield from sorted(found.items())
