"""A peer over TCP: the sockets and timeouts for a connection of `lnoffers.net`."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final, Self

from lnoffers.bolt12.curve import KeyPair
from lnoffers.fetching.dialing import PeerGoneError, Proxy, UnresolvedError, dial, error_text
from lnoffers.net.address import Address
from lnoffers.net.connection import Authenticated, Closed, Event, PeerConnection, Ready
from lnoffers.net.crypto import NodeKey
from lnoffers.net.errors import ChannelMessageError, RemoteProtocolError
from lnoffers.net.messages import NO_PONG, OPENING, CustomMessage, Init, OnionMessage, PeerError, Ping
from lnoffers.net.states import has_ended

__all__ = ["MAX_TEXT", "MESSAGE_COST", "MistakenIdentityError", "Peer", "PeerGoneError", "UnresolvedError", "connected"]

_READ: Final = 1_024
"""Bytes that are read and handled before other tasks run: 28 of the smallest messages."""
MESSAGE_COST: Final = 1_000
"""The bytes that a message counts as beside its own, because each takes time, however small."""
MAX_TEXT: Final = 300
"""Characters of a peer's warnings and errors that are kept; longer ones are cut."""
_CLOSING: Final = 1.0
"""The most seconds to wait until the last bytes are sent."""


class MistakenIdentityError(PeerGoneError):
    """The peer takes this node for one that has channels with it, so do not connect to it again."""


async def _no_limit(_: int) -> None:
    pass


class Peer:
    """A connection on which messages can be sent. Use `connected`, `open` or `accept` to open one.

    `limit` is awaited with the number of bytes of each read, and of each pong that the peer asks for. Each message
    counts as `MESSAGE_COST` bytes more. It may sleep to slow the peer down.
    """

    def __init__(
        self,
        connection: PeerConnection,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        limit: Callable[[int], Awaitable[None]],
        remote: tuple[str, int],
    ) -> None:
        self._connection = connection
        self._reader = reader
        self._writer = writer
        self._limit = limit
        self.remote: Final = remote
        """The host and the TCP port at the other end: an IP address, or through a proxy what the proxy was given."""
        self.init = Init(b"")
        """The peer's first message, with its features and chains."""

    @classmethod
    async def open(
        cls,
        address: Address,
        node: NodeKey,
        init: Init,
        limit: Callable[[int], Awaitable[None]] = _no_limit,
        proxy: Proxy | None = None,
    ) -> Self:
        """Connect, complete the handshake and exchange `init`.

        Raises:
            UnresolvedError: if the host name cannot be resolved.
            PeerGoneError: if it fails for another reason.
        """
        connection = PeerConnection.initiate(node, KeyPair(secrets.token_bytes(32)), address.node_id, init)
        reader, writer = await dial(address.host, address.port, proxy)
        remote = _remote(writer) if proxy is None else (address.host, address.port)
        return await cls(connection, reader, writer, limit, remote)._when_ready()

    @classmethod
    async def accept(  # noqa: PLR0913, PLR0917 - one parameter per choice
        cls,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        node: NodeKey,
        init: Init,
        limit: Callable[[int], Awaitable[None]] = _no_limit,
        refuse: Callable[[bytes], str] = lambda _: "",
    ) -> Self:
        """Complete the handshake with a node that has connected, and exchange `init`.

        `refuse` returns why a node with this id gets no `init`, "" if it gets one.

        Raises:
            PeerGoneError: if that fails, or the node is refused.
        """
        connection = PeerConnection.respond(node, KeyPair(secrets.token_bytes(32)), init)
        return await cls(connection, reader, writer, limit, _remote(writer))._when_ready(refuse)

    @property
    def node_id(self) -> bytes:
        """The peer's node id: a compressed point, 33 bytes."""
        assert self._connection.peer_id is not None  # the handshake of every peer is complete
        return self._connection.peer_id

    async def next_event(self) -> Event:
        """Wait for the next event, and answer pings.

        Raises:
            PeerGoneError: if the connection ends, or the peer breaks a rule or sends an error.
        """
        try:
            await self._flush()  # first, so that pongs cannot accumulate
            while (event := self._connection.next_event()) is None:
                await self._flush()
                data = await self._reader.read(_READ)
                self._connection.receive_data(data)
                await self._limit(len(data) + MESSAGE_COST * self._connection.take_message_count())
        except RemoteProtocolError as error:
            with suppress(OSError):  # a timeout among them
                async with asyncio.timeout(_CLOSING):
                    await self._flush()
            mistaken = isinstance(error, ChannelMessageError) and error.type not in OPENING
            raise (MistakenIdentityError if mistaken else PeerGoneError)(error.message) from error
        except OSError as error:
            raise PeerGoneError(error_text(error)) from error
        match event:
            case Closed():
                raise PeerGoneError("the peer closed the connection")
            case PeerError():
                raise PeerGoneError(f"the peer said: {event.text[:MAX_TEXT]}")
            case Ping() if event.num_pong_bytes < NO_PONG:
                await self._limit(event.num_pong_bytes)  # a short ping may ask for a long pong
        return event

    async def send(self, message: OnionMessage | Ping | CustomMessage) -> None:
        """Send a message.

        Raises:
            PeerGoneError: if the connection has ended.
        """
        if has_ended(self._connection.state):
            raise PeerGoneError("the connection has ended")
        self._connection.send(message)
        try:
            await self._flush()
        except OSError as error:
            raise PeerGoneError(error_text(error)) from error

    async def close(self) -> None:
        """End the connection."""
        self._connection.close()
        self._writer.close()
        try:
            async with asyncio.timeout(_CLOSING):
                await self._writer.wait_closed()
        except OSError:  # a timeout among them
            self.abort()

    def abort(self) -> None:
        """Close the socket at once."""
        self._writer.transport.abort()

    async def _when_ready(self, refuse: Callable[[bytes], str] = lambda _: "") -> Self:
        """Return this peer once messages can be sent; close the connection if that fails."""
        try:
            self.init = await self._exchange_init(refuse)
        except BaseException:
            await self.close()
            raise
        return self

    async def _exchange_init(self, refuse: Callable[[bytes], str]) -> Init:
        while not isinstance(event := await self.next_event(), Ready):
            if isinstance(event, Authenticated) and (reason := refuse(event.node_id)):
                raise PeerGoneError(reason)
        return event.init

    async def _flush(self) -> None:
        data = self._connection.data_to_send()
        if data:
            self._writer.write(data)
            await self._writer.drain()


def _remote(writer: asyncio.StreamWriter) -> tuple[str, int]:
    """Return the IP address and the TCP port at the other end of a connection; empty if that has ended already."""
    host, port, *_ = writer.get_extra_info("peername") or ("", 0)
    return host, port


@asynccontextmanager
async def connected(
    address: Address, node: NodeKey, init: Init, seconds: float, proxy: Proxy | None = None
) -> AsyncIterator[Peer]:
    """Return a context manager that opens a connection to a peer and closes it at the end of the block.

    Raises:
        PeerGoneError: if it cannot be reached, does not own its node id, or takes longer than `seconds`.
    """
    try:
        async with asyncio.timeout(seconds):
            peer = await Peer.open(address, node, init, proxy=proxy)
    except TimeoutError:
        raise PeerGoneError(f"it did not answer within {round(seconds, 1):g} seconds") from None
    try:
        yield peer
    finally:
        await peer.close()
