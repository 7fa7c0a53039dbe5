"""Nodes in a thread of this process: the fastest way, for tests in which no node dies."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, Final

from lnstandin.network.handles import Host, NetworkError, Settings, Waiting
from lnstandin.network.node import RunningNode, running

SECONDS: Final = 60.0
"""How long anything may take on a busy machine."""


class Loop:
    """A thread with an event loop, in which nodes run."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lnstandin-network", daemon=True)
        self._thread.start()

    def begin(self, work: Coroutine[Any, Any, Any]) -> Waiting:
        """Run a coroutine in the loop; its result can be waited for."""
        return partial(asyncio.run_coroutine_threadsafe(work, self._loop).result, SECONDS)

    def close(self) -> None:
        """End the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class ThreadHost(Host):
    """Runs a node in a loop that it shares with others."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self._stack = AsyncExitStack()
        self._node: RunningNode | None = None

    def start(self, settings: Settings) -> Waiting:
        return self._loop.begin(self._start(settings))

    async def _start(self, settings: Settings) -> None:
        self._node = await self._stack.enter_async_context(running(settings))

    def stop(self) -> None:
        self._loop.begin(self._stack.aclose())()
        self._node = None

    def kill(self) -> None:
        raise NetworkError("only a node in a process of its own can be killed: use Network(…, processes=True)")

    def interrupt(self) -> None:
        """Do nothing: a node in a thread starts in no time."""

    def call(self, method: str, arguments: Mapping[str, Any]) -> Waiting:
        assert self._node is not None  # it runs
        return self._loop.begin(self._node.control(method, arguments))
