"""Methods that generated classes only declare, for subclasses to override."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Final, TypeAlias, TypeVar

from ..command import Command
from ..values.written import FinishedJson

Method = TypeVar("Method", bound=Callable[..., Any])
Response = TypeVar("Response")
Reply: TypeAlias = Response | FinishedJson | Awaitable[Response] | Iterator[Response]
"""What a method may return: its response, the response as finished JSON, an awaitable of either, or an iterator.

An iterator is for a response whose only member is an array too long to be built at once: it yields responses that each
hold a part of the array. No part is empty, except the only one of an empty array.
"""
_MARK: Final = "__rpc_stub__"


class BaseService:
    """The base of the generated `Service`."""

    rpc_service_package: ClassVar[str]
    """The package of the classes that its methods get and return."""
    rpc_service_commands: ClassVar[Mapping[str, Command]]
    """The commands that it has methods for, by name."""

    def rpc_serve(self, path: str | Path) -> None:
        """Answer calls of the commands at the Unix socket `path`, as lightningd does, until SIGINT or SIGTERM.

        Only the user who runs the program can connect. Methods run one at a time, in the order of the calls;
        asynchronous ones run beside each other. Any exception but RpcError is logged, and its caller gets an internal
        error.

        Raises:
            OSError: if nothing can listen there, or another process does.
        """
        import asyncio  # 0085: slow

        from .dispatch import Dispatcher
        from .serve import log_hidden, serve

        commands, package = self.rpc_service_commands, self.rpc_service_package
        dispatcher = Dispatcher(self, commands, hidden=log_hidden, package=package)
        asyncio.run(serve(dispatcher, Path(path).expanduser()))


def stub(method: Method) -> Method:
    """Mark a method that is not implemented yet."""
    setattr(method, _MARK, True)
    return method


def is_filled(owner: object, name: str) -> bool:
    """Return whether `owner`, a class or an object of it, has a method `name` that is not a stub."""
    method = getattr(owner, name, None)
    return method is not None and not is_stub(method)


def is_stub(method: object) -> bool:
    """Return whether a method is a stub."""
    return hasattr(method, _MARK)
