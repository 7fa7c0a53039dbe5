"""The bases of `client.iter`, whose methods yield the elements of long lists.

A generated method is written once for both clients, as those of commands are. It calls `read`, which returns an
iterator in one class and an asynchronous one in the other. At run time the decorator does nothing.
"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from .pages import elements

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator
    from typing import Concatenate, Generic, ParamSpec, TypeVar, overload

    from .aio import BaseAsyncClient
    from .blocking import BaseClient

    P = ParamSpec("P")
    Element = TypeVar("Element")

    class items(Generic[P, Element]):
        """A method that returns an iterator over elements, or in an asyncio client an asynchronous one."""

        def __init__(self, method: Callable[Concatenate[Any, P], Element], /) -> None: ...

        @overload
        def __get__(self, lists: BaseLists, owner: Any = None, /) -> Callable[P, Iterator[Element]]: ...
        @overload
        def __get__(
            self, lists: BaseAsyncLists, owner: Any = None, /
        ) -> Callable[P, AsyncGenerator[Element, None]]: ...
        @overload
        def __get__(self, lists: None, owner: Any = None, /) -> Callable[Concatenate[Any, P], Any]: ...
        def __get__(self, lists: Any, owner: Any = None, /) -> Any: ...

else:

    def items(method):
        return method


class BaseLists:
    """The lists of a blocking client."""

    def __init__(self, client: BaseClient) -> None:
        self._client = client

    def read(self, method: str, /, **filters: Any) -> Iterator[Any]:
        """Yield the elements of the list that a method returns."""
        for page in self._client.rpc_pages(getattr(self._client, method), **filters):
            yield from elements(page)


class BaseAsyncLists:
    """The lists of an asyncio client."""

    def __init__(self, client: BaseAsyncClient) -> None:
        self._client = client

    async def read(self, method: str, /, **filters: Any) -> AsyncGenerator[Any, None]:
        """Yield the elements of the list that a method returns."""
        async with aclosing(self._client.rpc_pages(getattr(self._client, method), **filters)) as pages:
            async for page in pages:
                for element in elements(page):
                    yield element
