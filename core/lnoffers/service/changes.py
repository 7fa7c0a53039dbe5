"""Wait for the store to change: waiting commands query it again whenever it may have changed.

A change by this process wakes them at once. A change by another process changes the store's version, which is compared
once a second while a command waits.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from clnrpc.runtime.errors import RpcError
from lnoffers.service.errors import StoreError

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")

LOOK_SECONDS: Final = 1.0
"""How long a change by another process, or an expiry, may go unnoticed."""


class Runner(Protocol):
    """Runs functions that use the store, in the thread that may use it."""

    def __call__(self, function: Callable[[], T], /) -> Awaitable[T]:
        """Run the function and return its result."""


async def _at_once(function: Callable[[], T]) -> T:
    return function()


class Changes:
    """The changes of one store, for the commands that wait in one event loop.

    `version` returns another value once another process has changed the store. `run` runs a function that uses the
    store; a server that has a thread for calls replaces it.
    """

    def __init__(self, version: Callable[[], object]) -> None:
        self.run: Runner = _at_once
        self._version = version
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: set[asyncio.Event] = set()
        self._watcher: asyncio.Task[None] | None = None

    def tell(self) -> None:
        """Make all waiting commands query the store again after the next commit. Any thread may call this."""
        if self._waiting and self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake)

    async def until(self, look: Callable[[], T | None], pause: Callable[[], float]) -> T:
        """Call `look` until it does not return None, and return its result.

        It is called through `run`: now, after each change, and at the latest `pause()` seconds after the last call.
        """
        import asyncio  # noqa: PLC0415 # 0085: slow

        changed = asyncio.Event()
        self._waiting.add(changed)
        if self._watcher is None:
            self._loop = asyncio.get_running_loop()
            self._watcher = self._loop.create_task(self._watch())
        try:
            while True:
                changed.clear()  # before the query, so that no change is missed
                if (found := await self.run(look)) is not None:
                    return found
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause()):
                        await changed.wait()
        finally:
            self._waiting.discard(changed)
            if not self._waiting:
                self._watcher.cancel()
                self._watcher = None

    def _wake(self) -> None:
        for changed in self._waiting:
            changed.set()

    async def _watch(self) -> None:
        """Wake all waiting commands when another process has changed the store."""
        import asyncio  # noqa: PLC0415 # 0085: slow

        seen: object = None
        while True:
            try:
                version = await self.run(self._version)
            except (RpcError, StoreError):
                version = object()  # the commands query the store now and get the error
            if version != seen:
                seen = version
                self._wake()
            await asyncio.sleep(LOOK_SECONDS)
