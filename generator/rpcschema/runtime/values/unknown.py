"""What an answer holds beyond what its classes know: fields that a newer node sends, or a plugin adds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import is_dataclass
from typing import Any

from ..errors import DecodeError
from .plain import is_array, is_object
from .received import UNSET, Received, member_path, wire_names
from .reread import paired, reread


def unknown_fields(answer: Received, part: Received | None = None) -> dict[str, Any]:
    """Return the fields of an answer that its class does not know, as plain JSON values.

    Those of the whole answer by path ("channels[3].new_field"); with `part`, an object inside of the answer, those of
    this object alone, by name. Names are the wire's, and a path leads through the answer as it came. Each call reads
    the whole answer once more, so for many parts ask once, for all of it. Raises ValueError if `answer` is not what a
    call returned or `part` is not inside of it, or if too much of them was changed to tell which object `part` was.
    """
    came = reread(answer)
    if came is None:
        raise ValueError("this did not come whole from a node; pass the answer that a call returned, then a part of it")
    found: dict[str, Any] = {}
    try:
        for path, value, sent in _objects(answer, came.typed, came.plain, ""):
            known = {wire for _, wire in wire_names(value.__class__)}
            unknown = {name: sent[name] for name in sent if name not in known}
            if value is part:
                return unknown
            found |= {member_path(path, name): each for name, each in unknown.items()}
    except RecursionError:
        raise DecodeError("the answer is nested too deeply") from None
    if part is not None:
        raise ValueError("this part is not inside of this answer, or too much of them was changed to tell where it was")
    return found


def _objects(now: Any, before: Any, sent: Any, path: str) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Yield (path, object, its plain JSON) for each object of an answer, from the outside in."""
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
