"""Pages of a list, as `index`, `start` and `limit` choose them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

PAGING: Final = frozenset({"index", "start", "limit"})


def without_paging(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of the call that lists everything."""
    return {name: value for name, value in params.items() if name not in PAGING}


def page(answer: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """Return an answer with the part of its list that the parameters choose, in the order of the index."""
    position = f"{params['index']}_index"
    start, limit = params.get("start", 0), params.get("limit")
    return {name: _part(value, position, start, limit) for name, value in answer.items()}


def _part(value: Any, position: str, start: int, limit: int | None) -> Any:
    if not isinstance(value, list) or not all(isinstance(each, dict) and position in each for each in value):
        return value
    return [each for each in sorted(value, key=lambda each: each[position]) if each[position] >= start][:limit]
