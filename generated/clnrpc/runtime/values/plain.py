"""Type guards for plain JSON values: after a bare `isinstance`, type checkers do not know the types inside."""

from __future__ import annotations

from typing import Any, TypeGuard


def is_object(value: Any) -> TypeGuard[dict[str, Any]]:
    """Return whether a plain JSON value is an object."""
    return isinstance(value, dict)


def is_array(value: Any) -> TypeGuard[list[Any]]:
    """Return whether a plain JSON value is an array."""
    return isinstance(value, list)
