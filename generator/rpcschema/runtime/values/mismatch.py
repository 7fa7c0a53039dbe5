"""Why plain JSON values do not fit the dataclasses of a request, in the words of the caller who sent them.

msgspec decides what fits. Its messages use Python's names and change between releases, so this module finds the place
and the reason again after a refusal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from types import NoneType
from typing import Any, Final, Literal, get_args, get_origin

from .received import UNSET, member_path
from .tolerant import declared_members

_WORDS: Final[Mapping[Any, str]] = {
    bool: "true or false",
    dict: "an object",
    float: "a number",
    int: "an integer",
    list: "an array",
    NoneType: "null",
    str: "text",
}


def mismatch(kind: Any, value: Any, path: str) -> str:
    """Return where and why `value`, at `path`, does not fit `kind`: "outputs[0]: missing required member: pay-to"."""
    return next(_faults(kind, value, path), f"{path}: does not fit its type")


def json_kind(value: Any) -> str:
    """Return the type of a plain JSON value with its article: "an array"."""
    return _WORDS[type(value)]


def _faults(kind: Any, value: Any, path: str) -> Iterator[str]:
    """Yield the reasons in order; none if `value` fits."""
    choices = _choices(kind)
    fitting = [choice for choice in choices if _is_of(choice, value)]
    if not fitting:
        described = [_described(choice) for choice in choices if choice is not NoneType or len(choices) == 1]
        yield f"{path}: should be {' or '.join(dict.fromkeys(described))}"
    elif all(next(_inside(choice, value, path), None) for choice in fitting):
        yield from _inside(fitting[0], value, path)


def _choices(kind: Any) -> tuple[Any, ...]:
    """Return the members of a union; `kind` itself if it is not one."""
    is_single = get_origin(kind) in (list, dict, Literal) or not get_args(kind)
    return (kind,) if is_single else get_args(kind)


def _is_of(kind: Any, value: Any) -> bool:
    """Return whether `value` is a `kind`, without looking inside it."""
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    plain = _plain(kind)
    return plain is Any or type(value) is plain or (plain is float and type(value) is int)


def _plain(kind: Any) -> Any:
    """Return the type of the plain JSON value for a `kind`."""
    return dict if is_dataclass(kind) else get_origin(kind) or kind


def _described(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return f"one of {', '.join(map(str, get_args(kind)))}"
    return _WORDS[_plain(kind)]


def _inside(kind: Any, value: Any, path: str) -> Iterator[str]:
    """Yield the faults of the members or elements of a value that is itself a `kind`."""
    if is_dataclass(kind) and isinstance(kind, type):
        yield from _members(kind, value, path)
    elif get_origin(kind) is list:
        yield from _all(get_args(kind)[0], ((f"{path}[{index}]", item) for index, item in enumerate(value)))
    elif get_origin(kind) is dict:
        yield from _all(get_args(kind)[1], ((member_path(path, name), item) for name, item in value.items()))


def _all(kind: Any, placed: Iterable[tuple[str, Any]]) -> Iterator[str]:
    for path, value in placed:
        yield from _faults(kind, value, path)


def _members(cls: type, value: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yield the faults of members; missing ones come last, as for parameters."""
    declared = declared_members(cls)
    for member in declared:
        if member.wire in value:
            yield from _faults(member.kind, value[member.wire], member_path(path, member.wire))
    for member in declared:
        if member.default is UNSET and member.wire not in value:
            yield f"{path}: missing required member: {member.wire}"
