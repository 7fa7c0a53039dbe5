"""Convert Python values to compact JSON, spelled as the node expects it.

The generated dataclasses are encoded in their declared order under their wire names; a member that is None is absent,
and left out. A received response is encoded as it was received, including its unknown fields, and with later changes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from math import isfinite
from typing import Any, Final, TypeGuard

import msgspec

from ..errors import EncodeError
from .plain import is_array, is_object
from .received import wire_names
from .reread import paired, reread
from .written import FinishedJson, Written


def _as_written(value: Any) -> msgspec.Raw:
    """Return the JSON of subclasses of text and numbers, which `to_wire` accepts and msgspec does not."""
    if isinstance(value, Written):
        return msgspec.Raw(f'"{value.spelling}"'.encode())
    raise _not_json(value)


_AS_IT_IS: Final = (str, int, type(None))
_encoder: Final = msgspec.json.Encoder(enc_hook=_as_written)
_escapes: Final = re.compile(rb"\\u00([01].)|\\(.)|\x7f").sub


def encode(value: Any) -> bytes:
    """Return the JSON of a value, without white space, escaped as Core Lightning does.

    Text is UTF-8; control characters and DEL are escaped ("\\n", "\\u001F"). Raises EncodeError if JSON cannot
    represent the value: text with lone surrogates, NaN and the infinities, other objects. Bytes are among those,
    because the node expects hexadecimal text. Raises DecodeError if the unknown fields of a received response cannot be
    read.
    """
    if isinstance(value, FinishedJson):
        return value
    try:
        plain = to_wire(value)
    except RecursionError:
        raise _too_deep() from None
    return _encoded(plain)


def finish(plain: Mapping[str, Any]) -> FinishedJson:
    """Return an object of plain JSON values as JSON that is not encoded again, however often `encode` gets it.

    Raises EncodeError for text with lone surrogates.
    """
    return FinishedJson(_encoded(plain))


def _encoded(plain: object) -> bytes:
    try:
        raw = _encoder.encode(plain)
    except EncodeError:  # of `_as_written`; it is a ValueError too
        raise
    except RecursionError:
        raise _too_deep() from None
    except ValueError:
        raise EncodeError(
            "JSON cannot represent this: text with lone surrogates, or a number with too many digits"
        ) from None
    return _escapes(_escape, raw) if b"\\u00" in raw or b"\x7f" in raw else raw


def _is_sequence(value: Any) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, list | tuple)


def _is_mapping(value: Any) -> TypeGuard[Mapping[Any, Any]]:
    return isinstance(value, Mapping)


def to_dict(response: object) -> dict[str, Any]:
    """Return a response as plain JSON values (dicts, lists, text, numbers), under the node's names.

    Nothing is lost: unknown fields are included, and so are later changes. Members that are None or null are left out
    at every depth, because they mean absence; a null in a list keeps its place. It also accepts any other dataclass of
    `types`. An object from inside a response has only the fields of its class; for the others, use its place in the
    dict of the whole response.

    Raises TypeError for anything but a dataclass, EncodeError if JSON cannot represent a value, and DecodeError if an
    unknown field cannot be read.
    """
    if isinstance(response, type) or not is_dataclass(response):
        raise TypeError(f"response must be what a call returned, not {type(response).__name__}")
    try:
        members: dict[str, Any] = _without_nulls(to_wire(response))
    except RecursionError:
        raise _too_deep() from None
    return members


def to_json(response: object) -> str:
    """Return a response as JSON text on one line: what `to_dict` returns, written by `encode`.

    Raises the errors of both.
    """
    return encode(to_dict(response)).decode()


def _without_nulls(value: Any) -> Any:
    if is_object(value):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if is_array(value) else value


def to_wire(value: Any) -> Any:
    """Return a value as plain JSON values (dicts, lists, scalars). Raises EncodeError as `encode` does."""
    if isinstance(value, _AS_IT_IS):
        return value
    if isinstance(value, float):
        if not isfinite(value):  # msgspec would write null
            raise EncodeError(f"JSON cannot represent {value}")
        return value
    if _is_sequence(value):
        return [item if isinstance(item, _AS_IT_IS) else to_wire(item) for item in value]
    if _is_mapping(value):
        if not all(isinstance(name, str) for name in value):
            raise EncodeError("JSON cannot represent this: the keys of an object must be text")
        return {name: item if isinstance(item, _AS_IT_IS) else to_wire(item) for name, item in value.items()}
    if isinstance(value, FinishedJson):
        return msgspec.json.decode(value)
    cls: type[Any] = value.__class__
    if is_dataclass(cls):
        original = reread(value)
        if original is not None:
            return _with_changes(value, original.typed, original.plain)
        present = ((wire, getattr(value, attribute, None)) for attribute, wire in wire_names(cls))
        return {
            wire: item if isinstance(item, _AS_IT_IS) else to_wire(item) for wire, item in present if item is not None
        }
    raise _not_json(value)  # msgspec would guess: bytes as base64, times in ISO 8601


def _too_deep() -> EncodeError:
    return EncodeError("JSON cannot represent this: it is nested too deeply, or contains itself")


def _not_json(value: object) -> EncodeError:
    return EncodeError(
        f"JSON cannot represent this {type(value).__name__} object: pass text, a number, a list or a dict"
    )


def _with_changes(now: Any, before: Any, sent: Any) -> Any:
    """Return the plain JSON value of `now`, which was received as `sent` and decoded as `before`."""
    cls: type[Any] = now.__class__
    if cls is not type(before):
        return to_wire(now)
    if is_dataclass(cls):
        return _members_with_changes(now, before, sent)
    if is_array(now):
        return [
            to_wire(value) if index is None else _with_changes(value, before[index], sent[index])
            for value, index in zip(now, paired(now, before), strict=True)
        ]
    if is_object(now):
        return {
            name: _with_changes(value, before[name], sent[name]) if name in before else to_wire(value)
            for name, value in now.items()
        }
    return sent if now == before else to_wire(now)


def _members_with_changes(now: Any, before: Any, sent: dict[str, Any]) -> dict[str, Any]:
    """Return what was received, including unknown members and nulls, with the known members as they are now."""
    members = dict(sent)
    for attribute, wire in wire_names(now.__class__):
        value = getattr(now, attribute, None)
        if value is not None:
            members[wire] = _with_changes(value, getattr(before, attribute, None), sent.get(wire))
        elif sent.get(wire) is not None:
            del members[wire]
    return members


def _escape(matched: re.Match[bytes]) -> bytes:
    if matched[1]:
        return rb"\u00" + matched[1].upper()
    return matched[0] if matched[2] else rb"\u007F"
