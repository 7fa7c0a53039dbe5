"""Read a long list in pages, without any I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final, TypeGuard

from ..errors import ProtocolError

PAGE: Final = 1000
"""The number of elements in a page, if the caller does not choose."""


class Pages:
    """The state of reading a list: which arguments come next, and which responses are pages."""

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        given = {name: value for name, value in parameters.items() if value is not None}
        if chosen := given.keys() & {"index", "start"}:
            raise TypeError(f"{min(chosen)}: the pages of a list choose it themselves; pass limit and filters only")
        self._limit: int = given.pop("limit", PAGE)
        if self._limit < 1:
            raise ValueError(f"limit: expected at least 1, not {self._limit}")
        self._filters = given
        self._start = 1
        self._is_probing = False
        """Whether the next call only checks whether the list goes on."""

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the next call."""
        if self._is_probing:
            return {"index": "created", "start": self._start, "limit": 1}
        return {**self._filters, "index": "created", "start": self._start, "limit": self._limit}

    def take(self, response: Any) -> bool | None:
        """Take the response; return whether it is a page to pass on, or None at the end of the list.

        Raises ProtocolError if the node ignores `start`: it would never come to an end.
        """
        found = elements(response)
        if any(each.created_index < self._start for each in found):
            raise ProtocolError(f"the list cannot be read in pages: its elements begin before index {self._start}")
        if self._is_probing:
            self._is_probing = False
            if not found:
                return None
            self._start = found[0].created_index
            return False
        # The page covers at least `limit` indexes, and all elements up to the last one that it has.
        self._start = max([self._start + self._limit, *(each.created_index + 1 for each in found)])
        if found:
            return True
        # Nodes count the limit before they filter, so with a filter an empty page is not the end.
        self._is_probing = bool(self._filters)
        return False if self._is_probing else None


def elements(response: Any) -> list[Any]:
    """Return the list in a response, which has one."""
    values = (getattr(response, field.name, None) for field in fields(response))
    nothing: list[Any] = []
    return next(filter(_is_list, values), nothing)


def _is_list(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)
