"""Fields that the classes of a response do not have: from a newer node, or from a plugin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any

from ..errors import DecodeError
from .plain import is_array, is_object
from .received import UNSET, Received, member_path, wire_names
from .reread import paired, reread


def unknown_fields(response: Received, part: Received | None = None) -> dict[str, Any]:
    """Return the fields of a response that its class does not have, as plain JSON values.

    Without `part`, those of the whole response, by path ("channels[3].new_field"). With `part`, an object inside the
    response, only its own, by name. Names are wire names, and paths refer to the response as it was received. Each call
    reads the whole response again, so for many parts call it once for all.

    Raises ValueError if a call did not return `response`, if `part` is not inside it, or if both have changed too much
    to find `part`.
    """
    original = reread(response)
    if original is None:
        raise ValueError("this is not a whole response; pass the response that a call returned, then a part of it")
    found: dict[str, Any] = {}
    try:
        for path, value, sent in _objects(response, original.typed, original.plain, ""):
            known = {wire for _, wire in wire_names(value.__class__)}
            unknown = {name: sent[name] for name in sent if name not in known}
            if value is part:
                return unknown
            found |= {member_path(path, name): each for name, each in unknown.items()}
    except RecursionError:
        raise DecodeError("the response is nested too deeply") from None
    if part is not None:
        raise ValueError("this part is not inside this response, or both have changed too much to find it")
    return found


def _objects(now: Any, before: Any, sent: Any, path: str) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Yield (path, object, its plain JSON) for each object of a response, from the outside in."""
    cls: type[Any] = now.__class__
    if cls is not type(before):
        return
    if is_dataclass(cls):
        yield path, now, sent
        for attribute, wire in wire_names(cls):
            if wire in sent:
                pair = getattr(now, attribute, UNSET), getattr(before, attribute, UNSET)
                yield from _objects(*pair, sent[wire], member_path(path, wire))
    elif is_array(now):
        for value, index in zip(now, paired(now, before), strict=True):
            if index is not None:
                yield from _objects(value, before[index], sent[index], f"{path}[{index}]")
    elif is_object(now):
        for name in now.keys() & before.keys():
            yield from _objects(now[name], before[name], sent[name], member_path(path, name))
