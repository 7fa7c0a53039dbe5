"""Check a JSON value against a schema of the model: types, enums, lengths, required and allowed fields, conditionals.

It works as JSON Schema does, with the dialect's types, except that more than one alternative of a `oneOf` may hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, NamedTuple

from rpcschema.model.nodes import Branch, SchemaNode

_MOST_FAULTS: Final = 5
_U64_MAX: Final = 2**64 - 1
_FIELD: Final = 2**256 - 2**32 - 977
"""The prime of secp256k1's field (SEC 2)."""


def _text(pattern: str) -> Callable[[Any], bool]:
    matches = re.compile(pattern).fullmatch
    return lambda value: isinstance(value, str) and matches(value) is not None


def _hex(least: int, most: int) -> Callable[[Any], bool]:
    """Return a test for bytes in hexadecimal, between `least` and `most` of them."""
    return _text(f"(?:[0-9a-fA-F]{{2}}){{{least},{most}}}")


def _integer(least: int, most: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _either(test: Callable[[Any], bool], pattern: str) -> Callable[[Any], bool]:
    matches = _text(pattern)
    return lambda value: test(value) or matches(value)


def is_point(x: int) -> bool:
    """Return whether the curve secp256k1 has a point with this x."""
    return x < _FIELD and pow(x**3 + 7, (_FIELD - 1) // 2, _FIELD) == 1


def _is_pubkey(value: Any) -> bool:
    return _is_33_bytes(value) and value.startswith(("02", "03")) and is_point(int.from_bytes(bytes.fromhex(value)[1:]))


_is_33_bytes: Final = _hex(33, 33)
_U64: Final = _integer(0, _U64_MAX)
_HASH: Final = _hex(32, 32)
_ANY_HEX: Final = _text("(?:[0-9a-fA-F]{2})*")
_SCID: Final = "[0-9]{1,8}x[0-9]{1,8}x[0-9]{1,5}"

OBJECTS: Final = frozenset({"object", "outputdesc", "string_map"})
"""Dialect types that are objects."""
TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "array": lambda value: isinstance(value, list),
    "bip340sig": _hex(64, 64),
    "boolean": lambda value: isinstance(value, bool),
    "currency": _text(r"[0-9]+(?:\.[0-9]+)?[A-Z]{3}"),
    "feerate": _either(_integer(0, 2**32 - 1), "[0-9]{1,10}(?:perkw|perkb|blocks)?|[a-z_]+"),
    "hash": _HASH,
    "hex": _ANY_HEX,
    "hexstr": _ANY_HEX,
    "integer": _integer(-(2**63), _U64_MAX),
    "json_object_or_array": lambda value: isinstance(value, dict | list),
    "json_scalar": lambda value: not isinstance(value, dict | list),
    "msat": _U64,
    "msat_or_all": _either(_U64, "all"),
    "msat_or_any": _either(_U64, "any"),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "outpoint": _text("[0-9a-fA-F]{64}:[0-9]{1,10}"),
    "outputdesc": lambda value: isinstance(value, dict),
    "pubkey": _is_pubkey,
    "sat": _U64,
    "sat_or_all": _either(_U64, "all"),
    "secret": _HASH,
    "short_channel_id": _text(_SCID),
    "short_channel_id_dir": _text(_SCID + "/[01]"),
    "signature": _hex(1, 72),
    "string": lambda value: isinstance(value, str),
    "string_map": lambda value: isinstance(value, dict) and all(isinstance(each, str) for each in value.values()),
    "txid": _HASH,
    "u8": _integer(0, 2**8 - 1),
    "u16": _integer(0, 2**16 - 1),
    "u32": _integer(0, 2**32 - 1),
    "u64": _U64,
}
"""Dialect type -> test."""


class Mismatch(NamedTuple):
    """What is wrong with a part of a value."""

    place: tuple[str | int, ...]
    """The names and indices that lead to the part."""
    message: str

    def __str__(self) -> str:
        named = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.place).removeprefix(".")
        return f"{named}: {self.message}" if named else self.message


def is_valid(node: SchemaNode, value: Any) -> bool:
    """Return whether `value` is what `node` declares."""
    return next(faults(node, value), None) is None


def first_faults(node: SchemaNode, value: Any) -> str:
    """Return the first of the faults of `value` in one text; "" if it has none."""
    return "; ".join(map(str, islice(faults(node, value), _MOST_FAULTS)))


def faults(node: SchemaNode, value: Any, place: tuple[str | int, ...] = ()) -> Iterator[Mismatch]:
    """Yield what is wrong with `value`."""
    if node.type is not None and not TYPES.get(node.type, lambda _: True)(value):
        yield Mismatch(place, f"{_shown(value)} is no {node.type}")
        return
    if node.enum is not None and not any(is_same(value, member) for member in node.enum):
        yield Mismatch(place, f"{_shown(value)} is not one of {', '.join(map(_shown, node.enum))}")
    if isinstance(value, dict):
        yield from _object(node, value, place)
    elif isinstance(value, list):
        yield from _length("elements", len(value), node.min_items, node.max_items, place)
        for at, item in enumerate(value if node.items is not None else ()):
            yield from faults(node.items, item, (*place, at))  # type: ignore[arg-type] # it is not None here
    elif isinstance(value, str):
        yield from _length("characters", len(value), node.min_length, node.max_length, place)
    for branch in node.branches:
        if (side := side_of(branch, value)) is not None:
            yield from faults(side, value, place)
    for forms in (node.any_of, node.one_of):
        if forms and not any(is_valid(form, value) for form in forms):
            yield Mismatch(place, f"{_shown(value)} has none of its {len(forms)} forms")


def side_of(branch: Branch, value: Any) -> SchemaNode | None:
    """Return the side of a conditional that applies to `value`, or None."""
    return branch.then if is_valid(branch.when, value) else branch.otherwise


def _object(node: SchemaNode, value: dict[str, Any], place: tuple[str | int, ...]) -> Iterator[Mismatch]:
    for name in node.required or ():
        if name not in value:
            yield Mismatch((*place, name), "missing")
    declared = {field.name: field.node for field in node.fields or ()}
    for name, item in value.items():
        if name in declared:
            yield from faults(declared[name], item, (*place, name))
        elif node.extras is False:
            yield Mismatch((*place, name), "not in the document here")


def _length(
    of: str, length: int, least: int | None, most: int | None, place: tuple[str | int, ...]
) -> Iterator[Mismatch]:
    if length < (least or 0) or (most is not None and length > most):
        limits = f"from {least or 0} to {most}" if most is not None else f"at least {least}"
        yield Mismatch(place, f"{length} {of}, where the document has {limits}")


def is_same(one: Any, other: Any) -> bool:
    """Return whether two JSON values are equal; `true` and 1 are not."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
