"""Whether a value is what a raw document says it is: a judge of examples that shares nothing with what decodes them.

It works as JSON Schema does, with the dialect's types, except that of alternatives more than one may hold. What a
caller writes may have an amount with its unit. Source: Core Lightning, doc/schemas and common/json_param.c.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from tests.audit.dialect import Raw

_HEX: Final = r"(?:[0-9a-fA-F]{2})"
_SCID: Final = r"[0-9]+x[0-9]+x[0-9]+"
_AMOUNT: Final = r"[0-9]+(?:\.[0-9]+)?(?:msat|sat|btc)?"


def _text(pattern: str) -> Callable[[Any], bool]:
    matches = re.compile(pattern).fullmatch
    return lambda value: isinstance(value, str) and matches(value) is not None


def _integer(least: int, most: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _either(*tests: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: any(test(value) for test in tests)


_U64: Final = _integer(0, 2**64 - 1)
_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "array": lambda value: isinstance(value, list),
    "bip340sig": _text(_HEX + "{64}"),
    "boolean": lambda value: isinstance(value, bool),
    "currency": _text(r"[0-9]+(?:\.[0-9]+)?[A-Z]{3}"),
    "feerate": _either(_integer(0, 2**32 - 1), _text("[0-9]+(?:perkw|perkb|blocks)?|[a-z_]+")),
    "hash": _text(_HEX + "{32}"),
    "hex": _text(_HEX + "*"),
    "integer": _integer(-(2**63), 2**64 - 1),
    "msat": _U64,
    "msat_or_all": _either(_U64, _text("all")),
    "msat_or_any": _either(_U64, _text("any")),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "outpoint": _text(_HEX + "{32}:[0-9]+"),
    "outputdesc": lambda value: isinstance(value, dict),
    "pubkey": _text("0[23]" + _HEX + "{32}"),
    "sat": _U64,
    "sat_or_all": _either(_U64, _text("all")),
    "secret": _text(_HEX + "{32}"),
    "short_channel_id": _text(_SCID),
    "short_channel_id_dir": _text(_SCID + "/[01]"),
    "signature": _text(_HEX + "{1,72}"),
    "string": lambda value: isinstance(value, str),
    "txid": _text(_HEX + "{32}"),
    "u8": _integer(0, 2**8 - 1),
    "u16": _integer(0, 2**16 - 1),
    "u32": _integer(0, 2**32 - 1),
    "u64": _U64,
}
_AMOUNTS: Final = frozenset({"msat", "msat_or_all", "msat_or_any", "sat", "sat_or_all"})


def contradictions(schema: Raw, value: Any, *, sent: bool, place: str = "") -> Iterator[str]:
    """Yield how `value` contradicts `schema`, each time with its place; `sent` is for what a caller writes."""
    here = place or "the whole"
    kind = schema.get("type")
    if kind is not None and not _is(kind, value, sent=sent):
        yield f"{here} is {_shown(value)}, not of type {kind}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{here} is {_shown(value)}, not among the values listed"
    if isinstance(value, dict):
        yield from _object(schema, value, sent=sent, place=place)
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from contradictions(schema.get("items", {}), item, sent=sent, place=f"{place}[{at}]")
    if isinstance(value, list | str):
        yield from _length(schema, value, here)
    yield from _alternatives(schema, value, sent=sent, place=place)


def _object(schema: Raw, value: dict[str, Any], *, sent: bool, place: str) -> Iterator[str]:
    declared = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{_inside(place, name)} is missing"
    for name, item in value.items():
        if name in declared:
            yield from contradictions(declared[name], item, sent=sent, place=_inside(place, name))
        elif schema.get("additionalProperties") is False:
            yield f"{_inside(place, name)} is not declared"


def _alternatives(schema: Raw, value: Any, *, sent: bool, place: str) -> Iterator[str]:
    for branch in (schema, *schema.get("allOf", ())):
        if "if" in branch:
            side = "else" if any(contradictions(branch["if"], value, sent=sent)) else "then"
            yield from contradictions(branch.get(side, {}), value, sent=sent, place=place)
    for key in ("oneOf", "anyOf"):
        forms = schema.get(key, ())
        if forms and all(any(contradictions(form, value, sent=sent)) for form in forms):
            yield f"{place or 'the whole'} is {_shown(value)}, none of its {len(forms)} forms"


def _length(schema: Raw, value: list[Any] | str, here: str) -> Iterator[str]:
    least, most = ("minItems", "maxItems") if isinstance(value, list) else ("minLength", "maxLength")
    if not schema.get(least, 0) <= len(value) <= schema.get(most, len(value)):
        yield f"{here} is of length {len(value)}"


def _is(kind: str, value: Any, *, sent: bool) -> bool:
    return _TYPES[kind](value) or (sent and kind in _AMOUNTS and _text(_AMOUNT)(value))


def _inside(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
