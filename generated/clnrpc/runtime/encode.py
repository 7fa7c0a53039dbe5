"""Python values -> compact JSON, in the node's spelling.

The dataclasses of the generated package are encoded in their declared order under their wire names; a member that is
None is absent, and is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from math import isfinite
from typing import Any, Final

import msgspec

from .errors import EncodeError

_encoder: Final = msgspec.json.Encoder()
_escapes: Final = re.compile(rb"\\u00(..)|\\(.)|\x7f").sub


def encode(value: Any) -> bytes:
    """The JSON of a value: no white space, text as UTF-8, control characters and DEL escaped ("\\n", "\\u001F").

    That is how Core Lightning escapes. Raises EncodeError for what JSON cannot say: text that is not Unicode (lone
    surrogates), NaN and the infinities, objects of other kinds.
    """
    try:
        raw = _encoder.encode(to_wire(value))
    except (TypeError, ValueError, RecursionError) as error:
        raise EncodeError(f"JSON cannot say this: {error}") from None
    return _escapes(_escape, raw) if b"\\u00" in raw or b"\x7f" in raw else raw


def to_wire(value: Any) -> Any:
    """The plain JSON structure (dicts, lists, scalars) of a value; raises EncodeError for NaN and the infinities."""
    if isinstance(value, str | int | None):
        return value
    if isinstance(value, float):
        if not isfinite(value):  # msgspec would write null
            raise EncodeError(f"JSON cannot say {value}")
        return value
    if isinstance(value, list | tuple):
        return [to_wire(item) for item in value]
    if isinstance(value, Mapping):
        return {name: to_wire(item) for name, item in value.items()}
    cls: type = type(value)
    if is_dataclass(cls):
        present = ((wire, getattr(value, attribute)) for attribute, wire in wire_names(cls))
        return {wire: to_wire(item) for wire, item in present if item is not None}
    return value


@cache
def wire_names(cls: type) -> tuple[tuple[str, str], ...]:
    """(attribute, wire name) of a dataclass's members in declared order; `__wire_names__` has those that differ."""
    renamed: Mapping[str, str] = getattr(cls, "__wire_names__", {})
    return tuple((field.name, renamed.get(field.name, field.name)) for field in fields(cls))


def _escape(matched: re.Match[bytes]) -> bytes:
    if matched[1]:
        return rb"\u00" + matched[1].upper()
    return matched[0] if matched[2] else rb"\u007F"
