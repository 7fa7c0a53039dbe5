"""All connections of a node to other nodes: who is connected, and what happens with what they send.

A node id has one connection at a time; a newer one replaces the older one, which the peer may have lost. Onion messages
for others are forwarded to peers that are connected, and the others dropped. What is for this node goes to `receive`.

A peer that sends a message about a channel takes this node for another one with the same secret. What is said to it may
cost that node its channels, so all connections end then, and none is made again (decision 0063).
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Sequence
from typing import Final

from lnoffers.fetching import Address
from lnoffers.fetching.peer import MistakenIdentityError, Peer, PeerGoneError
from lnoffers.net import features
from lnoffers.net.connection import Event
from lnoffers.net.crypto import NodeKey
from lnoffers.net.errors import RemoteProtocolError
from lnoffers.net.messages import Init, OnionMessage, PeerWarning, Ping
from lnoffers.net.onion_messages import Forward, ReceivedMessage, open_message
from lnoffers.service.errors import PeerUnavailableError, UnknownHostError
from lnoffers.service.peers.link import READ_BURST, READ_BYTES, Link
from lnoffers.service.peers.pace import Pace

CONNECT_SECONDS: Final = 10.0
"""How long a connection to a peer may take until messages can be sent on it."""
HANDSHAKE_SECONDS: Final = 5.0
"""How long a node that has connected may take for its handshake and its `init`."""
MAX_PEERS: Final = 64
"""Peers that have connected to this node."""
ONIONS_A_SECOND: Final = 4
"""Onion messages of one peer that are opened. The others are dropped."""
ONION_BURST: Final = 8
MAX_TEXT: Final = 300
"""Characters of a peer's warning that are logged."""

logger = logging.getLogger(__name__)


class Peers:
    """The peers of one node. Use it within one event loop.

    Args:
        node: the node's key.
        chain: the hash of its chain, 32 bytes.
        receive: called with each onion message for this node, and the connection that it came by.
    """

    def __init__(self, node: NodeKey, chain: bytes, receive: Callable[[Link, ReceivedMessage], None]) -> None:
        self._node = node
        self._init = Init(features.OFFERED, (chain,))
        self._receive = receive
        self._links: dict[bytes, Link] = {}
        self._onions: dict[Link, Pace] = {}
        self.listening: list[tuple[str, int]] = []
        """The hosts and TCP ports at which other nodes can connect."""
        self.halted = ""
        """Why no connection is made or taken any more; empty as long as they are."""

    async def ping(self, node_id: bytes, *, length: int, pong_length: int) -> int | None:
        """Send a ping of `length` bytes, and return the pong's length; None if none is asked for (`pong_length`).

        Raises:
            PeerUnavailableError: if the peer is not connected, or does not answer.
        """
        link = self._links.get(node_id)
        if link is None:
            raise PeerUnavailableError("Peer not connected")
        try:
            return await link.ping(Ping(pong_length, length))
        except PeerGoneError as error:
            raise PeerUnavailableError(f"The peer does not answer: {error}") from error

    async def close(self) -> None:
        """End all connections, and wait until they have ended."""
        links = self.links
        for link in links:
            link.close()
        for link in links:
            await link.closed()

    @property
    def links(self) -> Sequence[Link]:
        """The open connections, oldest first."""
        return [*self._links.values()]

    def link(self, node_id: bytes) -> Link | None:
        """Return the connection to a node; None if there is none."""
        return self._links.get(node_id)

    async def connect(self, address: Address) -> Link:
        """Return the connection to a node, made now if there is none.

        Raises:
            PeerUnavailableError: if it cannot be made.
        """
        if self.halted:
            raise PeerUnavailableError(self.halted)
        if address.node_id == self._node.public_key:
            raise PeerUnavailableError("this is the node's own id")
        if link := self._links.get(address.node_id):
            return link
        await _check_host(address)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                peer = await Peer.open(address, self._node, self._init, Pace(READ_BYTES, READ_BURST).spend)
        except TimeoutError:
            why = f"no answer within {CONNECT_SECONDS:g} seconds"
            raise PeerUnavailableError(f"{address.host}:{address.port}: {why}") from None
        except PeerGoneError as error:
            self._consider(error)
            raise PeerUnavailableError(f"{address.host}:{address.port}: {error}") from error
        return self._add(peer, address)

    async def disconnect(self, node_id: bytes) -> bool:
        """End the connection to a node; return whether there was one."""
        link = self._links.get(node_id)
        if link is None:
            return False
        link.close()
        await link.closed()
        return True

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take a connection that another node has made; drop it if its handshake fails or takes too long."""
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                pace = Pace(READ_BYTES, READ_BURST).spend
                peer = await Peer.accept(reader, writer, self._node, self._init, pace)
        except TimeoutError:
            logger.debug("Dropped a connection: the handshake took more than %g seconds", HANDSHAKE_SECONDS)
        except PeerGoneError as error:
            logger.debug("Dropped a connection: %s", error)
            self._consider(error)
        else:
            incoming = sum(link.address is None for link in self._links.values())
            if self.halted or incoming >= MAX_PEERS or peer.node_id == self._node.public_key:
                logger.info("Refused a connection of %s", peer.node_id.hex())
                await peer.close()
            else:
                self._add(peer, None)

    def _add(self, peer: Peer, address: Address | None) -> Link:
        link = Link(peer, address)
        older = self._links.pop(link.node_id, None)
        self._links[link.node_id] = link
        self._onions[link] = Pace(ONIONS_A_SECOND, ONION_BURST)
        link.start(self._event, self._ended)
        if older is not None:
            older.close()
        logger.info("Connected %s %s", "with" if address is None else "to", link)
        return link

    def _ended(self, link: Link, reason: PeerGoneError) -> None:
        if self._links.get(link.node_id) is link:
            del self._links[link.node_id]
        del self._onions[link]
        logger.info("The connection with %s has ended: %s", link, reason)
        self._consider(reason)

    def _consider(self, reason: PeerGoneError) -> None:
        """End all connections for good if a peer takes this node for another one."""
        if isinstance(reason, MistakenIdentityError) and not self.halted:
            self.halted = str(reason)
            logger.error("All connections to peers are closed: %s", reason)
            for link in self.links:
                link.close()

    def _event(self, link: Link, event: Event) -> None:
        match event:
            case OnionMessage():
                self._onion_message(link, event)
            case PeerWarning():
                logger.info("%s warns: %s", link, event.text[:MAX_TEXT])

    def _onion_message(self, link: Link, message: OnionMessage) -> None:
        if not self._onions[link].try_spend(1):
            return
        try:
            opened = open_message(self._node, message)
        except RemoteProtocolError as error:
            logger.debug("Dropped a message that came by %s: %s", link, error)
            return
        if isinstance(opened, ReceivedMessage):
            self._receive(link, opened)
        elif (following := self._following(opened)) is None or not following.send(opened.message):
            logger.debug("Dropped a message that came by %s: its next node is not connected, or too slow", link)

    def _following(self, forward: Forward) -> Link | None:
        """Return the connection to the next node. Channels are unknown here, so it must be named by its id."""
        return self._links.get(forward.next_node) if isinstance(forward.next_node, bytes) else None


async def _check_host(address: Address) -> None:
    """Raise UnknownHostError if the address has a host name that cannot be resolved."""
    try:
        await asyncio.get_running_loop().getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise UnknownHostError(f"Host {address.host}:{address.port} not valid: {error.strerror}") from error
