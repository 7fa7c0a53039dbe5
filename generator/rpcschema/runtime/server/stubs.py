"""Methods that generated classes only declare, for subclasses to fill in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final, TypeAlias, TypeVar

Method = TypeVar("Method", bound=Callable[..., Any])
Response = TypeVar("Response")
Reply: TypeAlias = Response | Awaitable[Response] | Iterator[Response]
"""What a method returns: its response; or an awaitable of it; or, for one whose only member is an array too long to be
made at once, an iterator over responses that hold a piece of the array each. None of these pieces is empty, but for the
only one of an empty array.
"""
_MARK: Final = "__rpc_stub__"


def stub(method: Method) -> Method:
    """Marks a method that has nothing in it yet."""
    setattr(method, _MARK, True)
    return method


def is_filled(owner: object, name: str) -> bool:
    """Whether `owner`, a class or an object of it, has a method `name` that is no stub any more."""
    method = getattr(owner, name, None)
    return method is not None and not hasattr(method, _MARK)
