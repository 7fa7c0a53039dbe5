"""Handle the messages of strangers at a limited rate, such that addresses take turns (decision 0086).

A message that arrives faster than the rate waits. One of each address is handled before the second one of any, so
nobody can delay those of others for long, however many they send.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Final, Generic, TypeAlias, TypeVar

from lnoffers.service.peers.address_paces import network
from lnoffers.service.peers.bounded_log import BoundedLog
from lnoffers.service.peers.link import Link
from lnoffers.service.peers.pace import Pace
from lnoffers.service.tasks import ended_in_bug, start

WAIT_OF_ADDRESS: Final = 4
"""Messages from one address that wait; further ones are dropped."""
MAX_ADDRESSES: Final = 128
"""Addresses whose messages wait. 64 nodes may have connected; the others have ended their connections meanwhile."""

T = TypeVar("T")
Work: TypeAlias = Callable[[], Coroutine[None, None, None]]
Prepare: TypeAlias = Callable[[], Coroutine[None, None, Work | None]]


class FairQueue(Generic[T]):
    """A queue with room for `sources` sources at a time, and for `items` items of each. Sources take turns."""

    def __init__(self, sources: int, items: int) -> None:
        self._max_sources = sources
        self._max_items = items
        self._items: dict[str, deque[T]] = {}
        """What waits, by source, in the order of their turns; a source for which nothing waits has no entry."""

    def __bool__(self) -> bool:
        return bool(self._items)

    def add(self, source: str, item: T) -> bool:
        """Add an item; return False if there is no room."""
        items = self._items.get(source)
        if items is None:
            if len(self._items) >= self._max_sources:
                return False
            items = self._items[source] = deque()
        if len(items) >= self._max_items:
            return False
        items.append(item)
        return True

    def pop(self) -> T:
        """Remove and return the first item of the source whose turn it is. The queue must not be empty."""
        source = next(iter(self._items))
        items = self._items.pop(source)
        item = items.popleft()
        if items:
            self._items[source] = items  # behind all others
        return item


class FairScheduler:
    """Starts what handles messages, in tasks. Use it within one event loop.

    Args:
        pace: how many are started in a second.
        max_tasks: how many are handled at a time.
        log: the log of messages that are dropped at their turn.
    """

    def __init__(self, pace: Pace, max_tasks: int, log: BoundedLog) -> None:
        self._pace = pace
        self._max_tasks = max_tasks
        self._log = log
        self._waiting = FairQueue[tuple[Link | None, Prepare]](MAX_ADDRESSES, WAIT_OF_ADDRESS)
        self._starter: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, link: Link | None, prepare: Prepare) -> bool:
        """Call `prepare` in its turn, and run what it returns, to handle a message that has arrived on a connection.

        Args:
            link: the connection; None if this node has sent the message. If it ends before its turn, the message is
                dropped, because its sender has gone, or will ask again.
            prepare: reads the message, and returns what handles it; None if it is junk, which takes nothing of the
                pace. Until then it holds the message unread, because reading one may take 30 times its memory. If that
                takes long, it should let other connections come first, however much junk waits.

        Returns:
            False if too many wait already.
        """
        if not self._waiting.add(_source(link), (link, prepare)):
            return False
        if self._starter is None or self._starter.done():
            self._starter = asyncio.get_running_loop().create_task(self._start_waiting())
            self._starter.add_done_callback(partial(ended_in_bug, "Messages are not handled because of a bug"))
        return True

    def close(self) -> None:
        """Give up what waits and what is being handled."""
        for task in filter(None, (self._starter, *self._tasks)):
            task.cancel()

    async def _start_waiting(self) -> None:
        """Start what waits, until nothing does."""
        while self._waiting:
            link, prepare = self._waiting.pop()
            if link is not None and link.why_ended:
                self._log.debug("Dropped a message from %s: its connection has ended before its turn", link)
                continue
            work = await prepare()
            if work is None:
                continue
            await self._pace.spend(1)
            while len(self._tasks) >= self._max_tasks:
                await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            task = start(work(), self._tasks)
            task.add_done_callback(partial(ended_in_bug, "The handling of a message ended in a bug"))


def _source(link: Link | None) -> str:
    """Return whose turn a message takes.

    That is the address from which a peer has connected, or the peer if this node has connected to it.
    """
    if link is None:
        return ""
    return network(link.remote[0]) if link.address is None else link.node_id.hex()
