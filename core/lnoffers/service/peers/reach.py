"""Being connected: the TCP ports that other nodes connect to, and the peers that this node stays connected to."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from lnoffers.net.address import Address, place_text
from lnoffers.service.errors import ListenError, PeerUnavailableError
from lnoffers.service.peers.peers import Peers

MAX_HANDSHAKES: Final = 64
"""Connections whose handshake is not over. Beyond that, new ones are closed at once."""
FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 300.0
"""Seconds between two attempts to connect to a peer: from the first to this, twice as long each time."""
_BUFFER: Final = 1 << 14
"""Bytes that a connection may have unread; asyncio reads up to twice as many."""

logger = logging.getLogger(__name__)


@asynccontextmanager
async def listening(peers: Peers, addresses: Sequence[tuple[str, int]]) -> AsyncIterator[None]:
    """Take connections at each address (host and TCP port) while the block runs.

    Raises:
        ListenError: if an address cannot be used.
    """
    shaking: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if peers.halted or len(shaking) >= MAX_HANDSHAKES:
            writer.transport.abort()
            return
        task = asyncio.current_task()
        assert task is not None
        shaking.add(task)
        try:
            await peers.accept(reader, writer)
        finally:
            shaking.discard(task)

    async with AsyncExitStack() as stack:
        stack.push_async_callback(_cancel, shaking)
        stack.callback(peers.listening.clear)
        for host, port in addresses:
            try:
                server = await asyncio.start_server(accept, host, port, limit=_BUFFER)
            except (OSError, UnicodeError) as error:
                why = (error.strerror if isinstance(error, OSError) else None) or str(error)
                raise ListenError(f"cannot listen at {place_text(host, port)}: {why}") from error
            stack.callback(server.close)
            for socket in server.sockets:
                place = socket.getsockname()[:2]
                peers.listening.append(place)
                logger.info("Other nodes can connect to %s", place_text(*place))
        yield


async def _cancel(tasks: set[asyncio.Task[None]]) -> None:
    """Cancel handshakes that are not complete, and wait until their sockets are closed."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def stay_connected(peers: Peers, address: Address) -> None:
    """Keep a peer connected for as long as this runs, with growing pauses between attempts that fail."""
    pause = FIRST_PAUSE
    while not peers.halted:
        try:
            link = await peers.connect(address)
        except PeerUnavailableError as error:
            logger.log(logging.INFO if pause == FIRST_PAUSE else logging.DEBUG, "Cannot connect to peer %s", error)
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 # so that nodes do not all come at once
            pause = min(2 * pause, LONGEST_PAUSE)
        else:
            pause = FIRST_PAUSE
            await link.closed()
            await asyncio.sleep(FIRST_PAUSE * random.uniform(0.5, 1.0))  # noqa: S311 # as above
