"""Being connected: the TCP ports that other nodes connect to, and the peers that this node stays connected to.

Connections are accepted one at a time, at a limited rate; further ones wait in the system's queue. One that may not
begin a handshake (`admission`) is closed before anything is allocated for it.
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from errno import EMFILE, ENFILE, ENOBUFS, ENOMEM
from functools import partial
from typing import Final

from lnoffers.fetching.dialing import error_text
from lnoffers.net.address import Address, place_text
from lnoffers.service.errors import ListenError, PeerUnavailableError
from lnoffers.service.peers.admission import Admission
from lnoffers.service.peers.pace import Pace
from lnoffers.service.peers.peers import Peers
from lnoffers.service.tasks import ended_in_bug, growing_pauses, start

ACCEPTED_A_SECOND: Final = 500
ACCEPT_BURST: Final = 100
"""Connections that are accepted at once after a pause."""
QUEUED: Final = 128
"""Connections that wait in the system's queue until they are accepted."""
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 300.0
"""Seconds between two attempts to connect to a peer: from the first to this, twice as long each time."""
LASTING_SECONDS: Final = 60.0
"""After a connection that has lasted so long, the pauses begin anew."""
EXHAUSTED: Final = {EMFILE, ENFILE, ENOBUFS, ENOMEM}
"""Errors after which a later attempt to accept a connection may succeed."""
_BUFFER: Final = 1 << 14
"""Bytes that a connection may have unread; asyncio reads up to twice as many."""

logger = logging.getLogger(__name__)


@asynccontextmanager
async def listening(peers: Peers, addresses: Sequence[tuple[str, int]]) -> AsyncIterator[None]:
    """Accept connections at each address (host and TCP port) while the block runs.

    Raises:
        ListenError: if an address cannot be used.
    """
    entrance = _Entrance(peers)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(entrance.close)
        stack.callback(peers.listening.clear)
        for host, port in addresses:
            async for listener in _listeners(host, port):
                place = listener.getsockname()[:2]
                peers.listening.append(place)
                entrance.open(listener)
                logger.info("Other nodes can connect to %s", place_text(*place))
        yield


class _Entrance:
    """The sockets that listen, and the handshakes with those who have connected."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers
        self._admission = Admission()
        self._pace = Pace(ACCEPTED_A_SECOND, ACCEPT_BURST)
        self._listening: set[asyncio.Task[None]] = set()
        self._shaking: set[asyncio.Task[None]] = set()

    def open(self, listener: socket.socket) -> None:
        """Accept connections from now on."""
        task = start(self._accept(listener), self._listening)
        task.add_done_callback(lambda _: listener.close())  # also if it was cancelled before it began
        task.add_done_callback(partial(ended_in_bug, "No more connections are accepted because of a bug"))

    async def close(self) -> None:
        """Accept no more, end the handshakes that are under way, and wait until their sockets are closed."""
        for tasks in (self._listening, self._shaking):
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._pace.spend(1)
            await asyncio.sleep(0)  # other connections come first, however many are queued
            try:
                wire, (host, port, *_) = await loop.sock_accept(listener)
            except OSError as error:
                if error.errno in EXHAUSTED:
                    loop.call_exception_handler({"message": "No connection can be accepted", "exception": error})
                    await asyncio.sleep(FIRST_PAUSE)
                continue
            refusal = self._peers.halted or self._admission.enter(host)
            if refusal:
                self._peers.log.debug("Refused a connection from %s: %s", host, refusal)
                wire.close()
            else:
                self._shake_hands(wire, host, port)

    def _shake_hands(self, wire: socket.socket, host: str, port: int) -> None:
        task = start(self._shake(wire, host, port), self._shaking)
        task.add_done_callback(partial(self._shaken, wire, host))

    async def _shake(self, wire: socket.socket, host: str, port: int) -> None:
        reader, writer = await asyncio.open_connection(sock=wire, limit=_BUFFER)
        await self._peers.accept(reader, writer, place_text(host, port))

    def _shaken(self, wire: socket.socket, host: str, task: asyncio.Task[None]) -> None:
        """End a handshake; one that was cancelled may have done nothing yet, not even for its socket."""
        self._admission.leave(host)
        if task.cancelled():
            wire.close()
        ended_in_bug("A handshake ended in a bug", task)


async def _listeners(host: str, port: int) -> AsyncIterator[socket.socket]:
    """Yield a socket for each IP address of a host, bound and listening.

    Raises:
        ListenError: if one cannot be used.
    """
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        for family, place in dict.fromkeys((family, place) for family, _, _, _, place in found):
            listener = socket.create_server(place, family=family, backlog=QUEUED)
            listener.setblocking(False)
            yield listener
    except (OSError, UnicodeError) as error:
        why = error_text(error) if isinstance(error, OSError) else "not a host name"
        raise ListenError(f"cannot listen at {place_text(host, port)}: {why}") from error


async def stay_connected(
    peers: Peers, address: Address, *, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """Keep a peer connected for as long as this runs, with growing pauses between connections that fail or end early.

    `sleep` waits for so many seconds.
    """
    clock, level = asyncio.get_running_loop().time, logging.INFO
    pauses = growing_pauses(FIRST_PAUSE, LONGEST_PAUSE)
    while not peers.halted:
        try:
            link = await peers.connect(address)
        except PeerUnavailableError as error:
            logger.log(level, "Cannot connect to peer %s", error)
            level = logging.DEBUG
        else:
            await link.closed()
            if clock() - link.opened >= LASTING_SECONDS:
                pauses, level = growing_pauses(FIRST_PAUSE, LONGEST_PAUSE), logging.INFO
        await sleep(next(pauses) * random.uniform(0.5, 1.0))  # noqa: S311 # so that nodes do not all come at once
