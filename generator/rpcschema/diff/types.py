"""Which types of the dialect are part of which others, as JSON values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rpcschema.diff.fields import ANY

_WITHIN: Final[Mapping[str, frozenset[str]]] = {
    "u8": frozenset({"u16"}),
    "u16": frozenset({"u32"}),
    "u32": frozenset({"u64"}),
    "u64": frozenset({"integer"}),
    "integer": frozenset({"number"}),
    "bip340sig": frozenset({"hex"}),
    "hash": frozenset({"hex"}),
    "pubkey": frozenset({"hex"}),
    "secret": frozenset({"hash"}),
    "signature": frozenset({"hex"}),
    "txid": frozenset({"hash"}),
    "hex": frozenset({"string"}),
    "currency": frozenset({"string"}),
    "outpoint": frozenset({"string"}),
    "short_channel_id": frozenset({"string"}),
    "short_channel_id_dir": frozenset({"string"}),
    "msat": frozenset({"msat_or_any", "msat_or_all"}),
    "sat": frozenset({"sat_or_all"}),
    "outputdesc": frozenset({"object"}),
}
"""Each type, and those that are the next wider ones."""


def is_within(inner: str, outer: str) -> bool:
    """Return whether every value of the type `inner` is one of `outer`."""
    return outer in {inner, ANY} or any(is_within(wider, outer) for wider in _WITHIN.get(inner, ()))


def all_within(inner: frozenset[str], outer: frozenset[str]) -> bool:
    """Return whether every value of the types `inner` is one of the types `outer`."""
    return all(any(is_within(each, other) for other in outer) for each in inner)
