"""Waiting for the store to change: whoever waits looks into the store again when it may have.

What this process changes is told at once. What other processes change shows in the store's version, which is compared
each second while anybody waits.
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
"""How long a change by another process, or by the time alone, may stay unnoticed."""


class Runner(Protocol):
    """Runs what uses the store, where it may be used."""

    def __call__(self, function: Callable[[], T], /) -> Awaitable[T]:
        """The function's result."""


async def _at_once(function: Callable[[], T]) -> T:
    return function()


class Changes:
    """The changes of one store, for those who wait in one event loop. `version` is another one once others changed it.

    `run` is how the waiting use the store from the event loop. A server that has a thread for that replaces it.
    """

    def __init__(self, version: Callable[[], object]) -> None:
        self.run: Runner = _at_once
        self._version = version
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting: set[asyncio.Event] = set()
        self._watcher: asyncio.Task[None] | None = None

    def tell(self) -> None:
        """Something is changing: all that wait look again when it is committed. Any thread may call this."""
        if self._waiting and self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake)

    async def until(self, look: Callable[[], T | None], pause: Callable[[], float]) -> T:
        """Call `look` again and again until it returns something, and return that.

        It is called through `run`: now, after each change, and `pause()` seconds later at the latest.
        """
        import asyncio  # noqa: PLC0415 # most calls never wait, and it takes longer to load than they take

        changed = asyncio.Event()
        self._waiting.add(changed)
        if self._watcher is None:
            self._loop = asyncio.get_running_loop()
            self._watcher = self._loop.create_task(self._watch())
        try:
            while True:
                changed.clear()  # before the look, so that no change falls between
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
        """Wake all that wait when another process has changed the store."""
        import asyncio  # noqa: PLC0415 # as above

        seen: object = None
        while True:
            try:
                version = await self.run(self._version)
            except (RpcError, StoreError):
                version = object()  # who looks now learns of it
            if version != seen:
                seen = version
                self._wake()
            await asyncio.sleep(LOOK_SECONDS)
