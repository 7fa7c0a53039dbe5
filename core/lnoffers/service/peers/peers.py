"""All connections of a node to its peers, and the handling of the messages that peers send.

There is one connection for each node id: a new one replaces an older one, because the peer may have lost that. An onion
message for another node is forwarded if that node is connected, and dropped otherwise. An onion message for this node
answers a question of `pending`, or else goes to `receive`.

If a peer sends a message about a channel, it has mistaken this node for another one with the same secret. Any answer
might close that node's channels. If this node had connected to the peer, all connections are closed then, and none is
opened again. If the peer had connected itself, it may be a stranger that lies, so only the peer is shut out (decision
0063).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, TypeAlias

from lnoffers.fetching.dialing import Proxy, connect_seconds
from lnoffers.fetching.peer import (
    MAX_TEXT,
    MistakenIdentityError,
    Peer,
    PeerGoneError,
    UnresolvedError,
)
from lnoffers.net import features
from lnoffers.net.address import Address, place_text
from lnoffers.net.connection import Event
from lnoffers.net.crypto import NodeKey
from lnoffers.net.errors import RemoteProtocolError
from lnoffers.net.messages import CustomMessage, Init, OnionMessage, PeerWarning, Ping
from lnoffers.net.onion_messages import Forward, ReceivedMessage, open_message
from lnoffers.service.errors import PeerUnavailableError, UnknownHostError
from lnoffers.service.peers.address_paces import network
from lnoffers.service.peers.bounded_log import BoundedLog
from lnoffers.service.peers.link import ONIONS_A_SECOND, READ_BURST, READ_BYTES, Link
from lnoffers.service.peers.pace import Pace
from lnoffers.service.peers.pending import Pending

HANDSHAKE_SECONDS: Final = 5.0
"""The time limit for handshake and `init` of an incoming connection."""
MAX_PEERS: Final = 64
"""The maximum of incoming connections."""
MAX_OF_ADDRESS: Final = 16
"""The maximum of incoming connections from one address, as `address_paces` counts addresses."""
MAX_SHUT_OUT: Final = 1_024
"""How many nodes that are shut out are remembered, the latest."""
MAX_ADDRESSES: Final = 1_000
"""How many addresses are held, the latest; as many as the store keeps."""
MAX_WARNINGS: Final = 3
"""How many warnings are logged for each connection."""
CROSSING_SECONDS: Final = 2.0
"""Two connections between the same nodes have crossed if they were opened within this time, one from each side."""

CustomHandler: TypeAlias = Callable[[Link, bytes], None]
"""Is called with a connection and the payload of a message that has arrived on it. It must not raise."""

logger = logging.getLogger(__name__)


class Peers:
    """The peers of one node. Use it within one event loop.

    Args:
        node: the node's key.
        chain: the hash of its chain, 32 bytes.
        receive: called with each onion message for this node that answers no question of its own, and the connection on
            which it arrived; None if this node has sent it.
        proxy: the proxy through which the node connects to others.
        remember: called with each address at which this node has reached another one.
    """

    def __init__(
        self,
        node: NodeKey,
        chain: bytes,
        receive: Callable[[Link | None, ReceivedMessage], None],
        proxy: Proxy | None = None,
        remember: Callable[[Address], None] = lambda _: None,
    ) -> None:
        self._node = node
        self._proxy = proxy
        self._remember = remember
        self._init = Init(features.OFFERED, (chain,))
        self._receive = receive
        self.addresses: Final[dict[bytes, Address]] = {}
        """The address at which each node was last reached, by node id, the latest last."""
        self.pending: Final = Pending()
        """The answers that are awaited."""
        self._custom: dict[int, CustomHandler] = {}
        self._links: dict[bytes, Link] = {}
        self._turn = asyncio.Lock()
        self._attempts: dict[bytes, asyncio.Task[Link]] = {}
        self.listening: list[tuple[str, int]] = []
        """The hosts and TCP ports at which other nodes can connect."""
        self.log: Final = BoundedLog(logger)
        """The log of what incoming connections and their messages cause."""
        self.halted = ""
        """Why the node has closed all connections for good; empty if it has not."""
        self._shut_out: dict[bytes, str] = {}
        """The nodes that are no longer connected to, by node id, the latest last, each with the reason."""

    @property
    def node_id(self) -> bytes:
        """This node's id: a compressed point, 33 bytes."""
        return self._node.public_key

    def handle_custom(self, type_: int, handle: CustomHandler) -> None:
        """Call `handle` with each message of an application's type; without a handler they are ignored.

        A peer's messages are read no faster than `READ_BYTES` allows; what they cause, `handle` must limit.

        Raises:
            LocalProtocolError: if `CustomMessage` cannot have the type.
        """
        self._custom[CustomMessage(type_, b"").type] = handle

    def offer(self, bit: int) -> None:
        """Set the feature bit of an application in the `init` of all connections from now on.

        Raises:
            LocalProtocolError: if it is not a bit that `features.with_custom` allows.
        """
        self._init = replace(self._init, features=features.with_custom(self._init.features, bit))

    async def ping(self, node_id: bytes, *, length: int, pong_length: int) -> int | None:
        """Send a ping of `length` bytes, and return the pong's length; None if `pong_length` requests no pong.

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
        """Close all connections, and wait until they are closed."""
        links = self.links
        for attempt in self._attempts.values():
            attempt.cancel()
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
        """Return the connection to a node; open one if there is none.

        Raises:
            PeerUnavailableError: if the node cannot be reached.
        """
        if refusal := self._unavailable(address.node_id):
            raise PeerUnavailableError(refusal)
        if address.node_id == self._node.public_key:
            raise PeerUnavailableError("this is the node's own id")
        if link := self._links.get(address.node_id):
            return link
        attempt = self._attempts.get(address.node_id)
        if attempt is None:
            attempt = self._attempts[address.node_id] = asyncio.create_task(self._open(address))
            attempt.add_done_callback(partial(self._forget_attempt, address.node_id))
        return await asyncio.shield(attempt)  # others may wait for it, too

    async def _open(self, address: Address) -> Link:
        place, seconds = place_text(address.host, address.port), connect_seconds(self._proxy)
        limit = Pace(READ_BYTES, READ_BURST).spend
        try:
            async with asyncio.timeout(seconds):
                peer = await Peer.open(address, self._node, self._init, limit, self._proxy)
        except TimeoutError:
            raise PeerUnavailableError(f"{place}: no answer within {seconds:g} seconds") from None
        except UnresolvedError as error:
            raise UnknownHostError(f"Host {place} not valid: {error}") from error
        except PeerGoneError as error:
            if isinstance(error, MistakenIdentityError):
                self._halt(str(error))
            raise PeerUnavailableError(f"{place}: {error}") from error
        if refusal := self._unavailable(address.node_id):  # since this connection was begun
            peer.abort()
            raise PeerUnavailableError(refusal)
        self._reached(address)
        return self._add(peer, address)

    def _reached(self, address: Address) -> None:
        """Remember an address in memory and in the store."""
        self.addresses.pop(address.node_id, None)
        self.addresses[address.node_id] = address
        if len(self.addresses) > MAX_ADDRESSES:
            del self.addresses[next(iter(self.addresses))]
        self._remember(address)

    def _forget_attempt(self, node_id: bytes, attempt: asyncio.Task[Link]) -> None:
        del self._attempts[node_id]
        if not attempt.cancelled():
            attempt.exception()  # whoever waited for it has it

    async def disconnect(self, node_id: bytes) -> bool:
        """Close the connection to a node; return whether there was one."""
        link = self._links.get(node_id)
        if link is None:
            return False
        link.close()
        await link.closed()
        return True

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, place: str) -> None:
        """Accept an incoming connection from `place`; drop it if its handshake fails or takes too long."""
        try:
            async with asyncio.timeout(HANDSHAKE_SECONDS):
                limit = Pace(READ_BYTES, READ_BURST).spend
                peer = await Peer.accept(reader, writer, self._node, self._init, limit, self._unavailable)
        except TimeoutError:
            self.log.debug("Dropped %s: the handshake took more than %g seconds", place, HANDSHAKE_SECONDS)
        except PeerGoneError as error:
            self.log.debug("Dropped %s: %s", place, error)
        else:
            refusal = self._refusal(peer.node_id, peer.remote[0])
            if refusal:
                self.log.debug("Refused %s (%s): %s", peer.node_id.hex(), place, refusal)
                await peer.close()
            else:
                self._add(peer, None)

    def _unavailable(self, node_id: bytes) -> str:
        """Return why there is no connection to a node any more; "" if there may be one."""
        return self.halted or self._shut_out.get(node_id, "")

    def _refusal(self, node_id: bytes, host: str) -> str:
        """Return why an incoming connection of a node from an IP address is refused; "" if it is not."""
        if node_id == self._node.public_key:
            return "it has this node's own id"
        if unavailable := self._unavailable(node_id):  # since the handshake
            return unavailable
        if not host:
            return "it has closed the connection"
        others = [link for link in self._links.values() if link.address is None and link.node_id != node_id]
        if len(others) >= MAX_PEERS:
            return f"{MAX_PEERS} nodes have connected"
        neighbours = sum(network(link.remote[0]) == network(host) for link in others)
        return f"{MAX_OF_ADDRESS} nodes have connected from its address" if neighbours >= MAX_OF_ADDRESS else ""

    def _add(self, peer: Peer, address: Address | None) -> Link:
        """Return the connection to this peer from now on: a new one, unless two have crossed and the other stays."""
        older = self._links.get(peer.node_id)
        if older is not None and self._other_stays(older, outgoing=address is not None):
            peer.abort()
            return older
        link = Link(peer, address, custom=self._custom, turn=self._turn)
        self._links.pop(link.node_id, None)
        self._links[link.node_id] = link
        link.start(self._handle, self._ended)
        if older is not None:
            older.close()
        self._log(link, "connected")
        return link

    def _other_stays(self, older: Link, *, outgoing: bool) -> bool:
        """Return whether the older connection stays: if both nodes have connected at the same moment, that of the node
        with the smaller id stays, so that both choose the same one."""
        crossed = (older.address is not None) != outgoing
        if not crossed or asyncio.get_running_loop().time() > older.opened + CROSSING_SECONDS:
            return False
        return outgoing != (self._node.public_key < older.node_id)

    def _log(self, link: Link, event: str) -> None:
        """Log what happens on a connection; anybody can open one as often as they like, and must not fill the log."""
        if link.address is None:
            self.log.debug("%s: %s", link, event)
        else:
            logger.info("%s: %s", link, event)

    def _ended(self, link: Link, reason: PeerGoneError) -> None:
        if self._links.get(link.node_id) is link:
            del self._links[link.node_id]
        self._log(link, f"the connection has ended ({reason})")
        if isinstance(reason, MistakenIdentityError):
            if link.address is None:
                self._shut_out_node(link, str(reason))
            else:
                self._halt(str(reason))

    def _halt(self, reason: str) -> None:
        """Close all connections for good."""
        if not self.halted:
            self.halted = reason
            logger.error("All connections to peers are closed: %s", reason)
            for link in self.links:
                link.close()

    def _shut_out_node(self, link: Link, reason: str) -> None:
        """Never connect to a node again. Only the first one is logged as a warning, because strangers can have many."""
        warn = self.log.debug if self._shut_out else logger.warning
        warn("%s is shut out: %s", link, reason)
        self._shut_out[link.node_id] = reason
        if len(self._shut_out) > MAX_SHUT_OUT:
            del self._shut_out[next(iter(self._shut_out))]
        if (newer := self._links.get(link.node_id)) is not None:
            newer.close()

    def _handle(self, link: Link, event: Event) -> None:
        match event:
            case OnionMessage():
                self._onion_message(link, event)
            case CustomMessage():
                self._custom[event.type](link, event.data)
            case PeerWarning():
                text = event.text[:MAX_TEXT]
                link.last_warnings.append((asyncio.get_running_loop().time(), text))
                if link.warnings < MAX_WARNINGS:
                    link.warnings += 1
                    self._log(link, f"it warns: {text}")

    def _onion_message(self, link: Link, message: OnionMessage) -> None:
        was_throttled, link.throttled = link.throttled, not link.onions.try_spend(1)
        if link.throttled:
            if not was_throttled:
                self._drop(link, f"it sends more than {ONIONS_A_SECOND} per second")
            return
        try:
            opened = open_message(self._node, message)
        except RemoteProtocolError as error:
            self._drop(link, str(error))
            return
        if isinstance(opened, ReceivedMessage):
            self._deliver(link, opened)
        elif (next_link := self._next_link(opened)) is None:
            self._drop(link, "its next node is not connected")
        elif not next_link.forward(opened.message):
            self._drop(link, "too many messages wait to be sent to its next node")

    def _drop(self, link: Link, reason: str) -> None:
        self.log.debug("Dropped a message from %s: %s", link, reason)

    def inject(self, message: OnionMessage) -> bool:
        """Handle a message that this node has made, and whose path begins here; return False if it cannot be sent on.

        Raises:
            RemoteProtocolError: if the path was not made for this node.
        """
        opened = open_message(self._node, message)
        if isinstance(opened, ReceivedMessage):
            self._deliver(None, opened)
            return True
        next_link = self._next_link(opened)
        return next_link is not None and next_link.send(opened.message) is not None

    def _deliver(self, link: Link | None, message: ReceivedMessage) -> None:
        if not self.pending.take(message):
            self._receive(link, message)

    def _next_link(self, forward: Forward) -> Link | None:
        """Return the connection to the next node; None if it is not connected, or named by a channel."""
        return self._links.get(forward.next_node) if isinstance(forward.next_node, bytes) else None
