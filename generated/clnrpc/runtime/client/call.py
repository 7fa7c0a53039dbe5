"""The decorator of methods that both clients share, and that type checkers see as two.

A generated method is written once, with its parameters and its response. It calls `rpc_send`, which returns the
response in one client and a coroutine in the other. At run time the decorator does nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

    from .aio import BaseAsyncClient
    from .blocking import BaseClient

    P = ParamSpec("P")
    Response = TypeVar("Response")

    class call(Generic[P, Response]):
        """A method that returns its response, or in an asyncio client a coroutine of it."""

        def __init__(self, method: Callable[Concatenate[Any, P], Response], /) -> None: ...

        @overload
        def __get__(self, client: BaseClient, owner: Any = None, /) -> Callable[P, Response]: ...
        @overload
        def __get__(
            self, client: BaseAsyncClient, owner: Any = None, /
        ) -> Callable[P, Coroutine[Any, Any, Response]]: ...
        @overload
        def __get__(self, client: None, owner: Any = None, /) -> Callable[Concatenate[Any, P], Any]: ...
        def __get__(self, client: Any, owner: Any = None, /) -> Any: ...

else:

    def call(method):
        return method
