"""The Python types of the dialect.

Scalars become aliases from the generated package's `runtime.values.scalars`. They cost nothing, and tell the editor
what a value is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rpcschema.model.nodes import ABSENT, Json, SchemaNode

SCALARS: Final[Mapping[str, str]] = {
    "bip340sig": "Bip340Sig",
    "currency": "Currency",
    "feerate": "Feerate",
    "hash": "Hash",
    "hex": "Hex",
    "hexstr": "Hex",
    "msat": "Msat",
    "msat_or_all": "MsatOrAll",
    "msat_or_any": "MsatOrAny",
    "outpoint": "Outpoint",
    "pubkey": "Pubkey",
    "sat": "Sat",
    "sat_or_all": "SatOrAll",
    "secret": "Secret",
    "short_channel_id": "ShortChannelId",
    "short_channel_id_dir": "ShortChannelIdDir",
    "signature": "Signature",
    "txid": "Txid",
    "u8": "U8",
    "u16": "U16",
    "u32": "U32",
    "u64": "U64",
}
"""Dialect type -> the alias in `runtime.values.scalars`."""

PLAIN: Final = frozenset({"boolean", "integer", "null", "number", "string"})
"""Dialect types that plain JSON Schema has too."""

OBJECTS: Final = frozenset({"object", "outputdesc", "string_map"})
"""Dialect types that are objects; only the first may declare members."""

_MOST_DIGITS: Final = 20
"""The most digits of a 64-bit integer."""
_INTEGERS: Final = frozenset({"integer", "u8", "u16", "u32", "u64", "msat", "sat"})
_AMOUNTS: Final = frozenset({"msat", "sat"})
"""Number types that callers can also write with a unit, so an enum of numbers does not list all values."""
_EITHER: Final = frozenset({"feerate", "msat_or_all", "msat_or_any", "sat_or_all"})
NUMBERS: Final = _INTEGERS | _EITHER | {"number"}
"""Dialect types that are, or can be, numbers in Python."""
TEXTS: Final = SCALARS.keys() - _INTEGERS | {"string"}
"""Dialect types that are, or can be, strings in Python."""


def is_object_node(node: SchemaNode) -> bool:
    """Return whether the value is an object; without a type, its declared members decide."""
    return node.type in OBJECTS or (node.type is None and bool(node.fields))


def enum_members(node: SchemaNode) -> tuple[str | int, ...] | None:
    """Return the members of an enum of strings or integers that fit the type of `node`, else None.

    The dialect also fixes booleans by enums with one member; these stay booleans.
    """
    members = tuple(member for member in node.enum or () if isinstance(member, str | int) and _fits(member, node.type))
    return members if members and len(members) == len(node.enum or ()) else None


def _fits(member: str | int, dialect_type: str | None) -> bool:
    if isinstance(member, bool):
        return False
    return dialect_type is None or dialect_type in (
        {"string"} if isinstance(member, str) else NUMBERS - _AMOUNTS - _EITHER
    )


def default_value(node: SchemaNode) -> bool | int | str | None:
    """Return the default as a value of the node's type, or None if it is only prose.

    Documents write `"True"`, `"*False*"` or `"60 seconds"`: the first two are booleans, the third is not a number.
    """
    if node.default is ABSENT or node.type is None:
        return None
    default: Json = node.default  # type: ignore[assignment] # ABSENT is ruled out above
    if node.type == "boolean":
        return default if isinstance(default, bool) else {"true": True, "false": False}.get(_bare(default).lower())
    if node.type in _INTEGERS:
        if isinstance(default, bool):
            return None
        text = _bare(default)
        number = int(text) if text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS else None
        return number if number in (enum_members(node) or (number,)) else None
    members = enum_members(node)
    if members is not None:
        return text if (text := _bare(default)) in members else None
    return None


def default_fact(node: SchemaNode) -> bool | int | float | str | None:
    """Return the default as JSON, whatever the type declares, or None if it is only prose."""
    native = node.default if isinstance(node.default, bool | int | float) else None
    value = default_value(node)
    return native if value is None else value


def _bare(default: Json) -> str:
    """Return the text of a default without Markdown around it."""
    if not isinstance(default, str | int):
        return ""
    text = str(default).strip()
    bare = text.lstrip("*`")
    marks = text[: len(text) - len(bare)]
    return bare.removesuffix(marks[::-1])
