"""Methods that generated classes only declare, for subclasses to fill in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

Method = TypeVar("Method", bound=Callable[..., Any])
_MARK: Final = "__rpc_stub__"


def stub(method: Method) -> Method:
    """Marks a method that has nothing in it yet."""
    setattr(method, _MARK, True)
    return method


def is_filled(owner: object, name: str) -> bool:
    """Whether `owner`, a class or an object of it, has a method `name` that is no stub any more."""
    method = getattr(owner, name, None)
    return method is not None and not hasattr(method, _MARK)
