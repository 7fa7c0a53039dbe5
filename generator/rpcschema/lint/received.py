"""Values as callers may write them: a node also accepts numbers in strings, and amounts with a unit."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from rpcschema.model.nodes import SchemaNode
from rpcschema.model.validation import is_valid
from rpcschema.python.types import NUMBERS

_AMOUNT: Final = re.compile(r"\d+(?:\.\d+)?(?:msat|sat|btc)").fullmatch
_AMOUNTS: Final = frozenset({"msat", "msat_or_all", "msat_or_any", "sat", "sat_or_all"})


def is_accepted(node: SchemaNode, value: Any) -> bool:
    """Return whether a node accepts `value` for a parameter that `node` declares."""
    return any(is_valid(form, received(form, value)) for form in (node.shapes or (node,)))


def received(node: SchemaNode, value: Any) -> Any:
    """Return `value`, with each number and string that the node reads as another type replaced by a value of that."""
    if isinstance(value, list):
        return [value_of(node.items, each) for each in value] if node.items is not None else value
    if isinstance(value, dict):
        declared = {member.name: member.node for member in node.fields or ()}
        return {name: value_of(declared.get(name), each) for name, each in value.items()}
    if node.type == "string" and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        return value
    if node.type in _AMOUNTS and _AMOUNT(value):
        return 0
    is_json = (node.type in NUMBERS and _is_number(value)) or (node.type == "boolean" and value in {"true", "false"})
    return json.loads(value) if is_json else value


def value_of(node: SchemaNode | None, value: Any) -> Any:
    """Return `value` as the form of `node` that fits receives it."""
    if node is None:
        return value
    forms = node.shapes or (node,)
    found = [received(form, value) for form in forms]
    return next((each for form, each in zip(forms, found, strict=True) if is_valid(form, each)), found[0])


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?(?:0|[1-9]\d{0,19})(?:\.\d+)?", text) is not None
