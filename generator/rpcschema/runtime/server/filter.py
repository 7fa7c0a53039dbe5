"""The member `filter` of a request, which limits the result to the members that it names.

A filter has the shape of the result: an object with the wanted members, each `true` or a filter, or an array with one
filter for all elements. All details are Core Lightning's (common/json_filter.c), which decides member by member while
it writes: `true` for an array includes all of it, but for an object only those members that are arrays or objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..jsontext import JsonType, elements, json_type, members
from ..values.plain import is_array, is_object
from .convert import BadToken

WARNING: Final = "warning_parameter_filter"
"""The member that is added to a result that has another shape than its filter."""


@dataclass(frozen=True, slots=True, eq=False)
class Filter:
    """The wanted `members` of an object, or the filter for the `elements` of an array; without both, all is wanted."""

    members: Mapping[str, Filter]
    elements: Filter | None

    @property
    def is_open(self) -> bool:
        """Whether all arrays and objects in the value are wanted."""
        return not self.members and self.elements is None


def parse(raw: bytes) -> Filter:
    """Return the filter of a JSON text. Raises BadToken with the node's text."""
    if json_type(raw) is not JsonType.OBJECT:
        raise BadToken("Expected object", token=raw)
    return _parse(raw, "")


def apply(only: Filter, result: Any) -> Any:
    """Return the part of a result (plain JSON values) that `only` names, with a warning if their shapes differ.

    The order of members stays. A result that is not an object stays as it is.
    """
    if not is_object(result):
        return result
    misused: set[Filter] = set()
    shown = _members(only, result, misused)
    complaint = _complaint(only, misused)
    return shown if complaint is None else shown | {WARNING: complaint}


def _parse(raw: bytes, place: str) -> Filter:
    """Return the filter of any object or array; a value of another kind, in an array, means that all is wanted."""
    match json_type(raw):
        case JsonType.ARRAY:
            if len(found := elements(raw)) != 1:
                raise BadToken("Arrays can only have one element", place, raw, names_place=False)
            return Filter({}, _parse(found[0], f"{place}[0]"))
        case JsonType.OBJECT:
            named: dict[str, Filter] = {}
            for written, value in members(raw):
                name = written.decode()
                named.setdefault(name, _parse_member(value, f"{place}.{name}"))
            return Filter(named, None)
        case _:
            return Filter({}, None)


def _parse_member(raw: bytes, place: str) -> Filter:
    if json_type(raw) not in (JsonType.ARRAY, JsonType.OBJECT) and raw != b"true":
        raise BadToken("value must be true", place, raw, names_place=False)
    return _parse(raw, place)


def _content(only: Filter, value: Any, misused: set[Filter]) -> Any:
    return _elements(only, value, misused) if is_array(value) else _members(only, value, misused)


def _members(only: Filter, value: dict[str, Any], misused: set[Filter]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name, member in value.items():
        inner = only.members.get(name)
        if not (is_object(member) or is_array(member)):
            if inner is not None:
                shown[name] = member
        elif only.is_open:
            shown[name] = member
        elif only.elements is not None:
            misused.add(only)
        elif inner is not None:
            shown[name] = _content(inner, member, misused)
    return shown


def _elements(only: Filter, value: list[Any], misused: set[Filter]) -> list[Any]:
    shown: list[Any] = []
    hides = False
    for element in value:
        if not (is_object(element) or is_array(element)):
            if not hides:
                shown.append(element)
        elif only.is_open:
            shown.append(element)
        elif only.elements is not None:
            shown.append(_content(only.elements, element, misused))
        else:
            misused.add(only)
            hides = True
    return shown


def _complaint(only: Filter, misused: set[Filter]) -> str | None:
    """Return the place of the first filter that does not fit, and what is there instead: ".offers is an array"."""
    if only in misused:
        return " is an object" if only.elements is not None else " is an array"
    if only.elements is not None:
        inner = _complaint(only.elements, misused)
        return None if inner is None else f"[]{inner}"
    complaints = ((name, _complaint(only.members[name], misused)) for name in sorted(only.members))
    return next((f".{name}{inner}" for name, inner in complaints if inner is not None), None)
