"""A judge of answers that shares nothing with the mock: raw documents, translated to JSON Schema, and jsonschema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from coincurve import PublicKey
from jsonschema import Draft202012Validator, FormatChecker

Raw = dict[str, Any]

_BYTES: Final = "(?:[0-9a-f]{2})"
_SCID: Final = "[0-9]+x[0-9]+x[0-9]+"
_CHECKER: Final = FormatChecker(formats=())


@_CHECKER.checks("point", raises=ValueError)
def _is_point(value: object) -> bool:
    return isinstance(value, str) and PublicKey(bytes.fromhex(value)) is not None


def _text(pattern: str) -> Raw:
    return {"type": "string", "pattern": f"^(?:{pattern})$"}


def _integer(least: int, most: int) -> Raw:
    return {"type": "integer", "minimum": least, "maximum": most}


_U64: Final = _integer(0, 2**64 - 1)
_TYPES: Final[Mapping[str, Raw]] = {
    "bip340sig": _text(_BYTES + "{64}"),
    "currency": _text(r"[0-9]+(\.[0-9]+)?[A-Z]{3}"),
    "feerate": {"anyOf": [_U64, _text("[0-9]+(perkw|perkb|blocks)?|[a-z_]+")]},
    "hash": _text(_BYTES + "{32}"),
    "hex": _text(_BYTES + "*"),
    "integer": _integer(-(2**63), 2**64 - 1),
    "msat": _U64,
    "msat_or_all": {"anyOf": [_U64, {"const": "all"}]},
    "msat_or_any": {"anyOf": [_U64, {"const": "any"}]},
    "outpoint": _text(_BYTES + "{32}:[0-9]+"),
    "outputdesc": {"type": "object"},
    "pubkey": _text("0[23]" + _BYTES + "{32}") | {"format": "point"},
    "sat": _U64,
    "sat_or_all": {"anyOf": [_U64, {"const": "all"}]},
    "secret": _text(_BYTES + "{32}"),
    "short_channel_id": _text(_SCID),
    "short_channel_id_dir": _text(f"{_SCID}/[01]"),
    "signature": _text(_BYTES + "{1,72}"),
    "txid": _text(_BYTES + "{32}"),
    "u8": _integer(0, 2**8 - 1),
    "u16": _integer(0, 2**16 - 1),
    "u32": _integer(0, 2**32 - 1),
    "u64": _U64,
}
_KEPT: Final = ("enum", "required", "minLength", "maxLength", "minItems", "maxItems", "additionalProperties")


def translated(raw: Raw) -> Raw:
    """Return a schema of the dialect as JSON Schema. Of its alternatives more than one may hold."""
    made: Raw = {key: raw[key] for key in _KEPT if key in raw}
    if "type" in raw:
        # Formats are asserted only by the checker, and only for strings.
        made |= _TYPES.get(raw["type"], {"type": raw["type"]})
    if "properties" in raw:
        made["properties"] = {name: translated(inner) for name, inner in raw["properties"].items()}
    made |= {key: translated(raw[key]) for key in ("items", "if", "then", "else") if key in raw}
    parts = [{"anyOf": [translated(each) for each in raw[key]]} for key in ("oneOf", "anyOf") if key in raw]
    parts += [translated(each) for each in raw.get("allOf", ())]
    return made | ({"allOf": parts} if parts else {})


class Judge:
    """Judges answers by the documents in a folder."""

    def __init__(self, folder: Path) -> None:
        raws = (json.loads(path.read_bytes()) for path in sorted(folder.rglob("*.json")))
        self._raws: Mapping[str, Raw] = {raw["rpc"]: raw for raw in raws if "rpc" in raw}
        self._validator = cache(self._make)

    @property
    def commands(self) -> list[str]:
        """The names of the commands."""
        return sorted(self._raws)

    def faults(self, command: str, answer: object) -> Iterator[str]:
        """Yield what is wrong with an answer to a command."""
        for error in self._validator(command).iter_errors(answer):
            yield f"{command}: {error.json_path}: {error.message}"

    def required(self, command: str) -> list[str]:
        """Return the names of the parameters that a command requires."""
        return list(self._raws[command]["request"].get("required", ()))

    def parameter(self, command: str, name: str) -> Raw:
        """Return the declaration of a parameter."""
        declared: Raw = self._raws[command]["request"]["properties"][name]
        return declared

    def _make(self, command: str) -> Draft202012Validator:
        schema = {"type": "object", **translated(self._raws[command]["response"])}
        return Draft202012Validator(schema, format_checker=_CHECKER)
