"""A connection for one fetch: opened with a new key, and closed when the answer has arrived."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from lnoffers.bolt12 import KeyPair
from lnoffers.fetching.asking import UnreachableError, check_takes_onion_messages, reason_in
from lnoffers.fetching.dialing import Proxy, connect_seconds
from lnoffers.fetching.failures import Reason
from lnoffers.fetching.peer import MAX_TEXT, Peer, PeerGoneError, connected
from lnoffers.fetching.question import Answered, Question
from lnoffers.fetching.routes import Route
from lnoffers.net import features
from lnoffers.net.address import Address
from lnoffers.net.connection import Event
from lnoffers.net.errors import RemoteProtocolError
from lnoffers.net.messages import Init, OnionMessage, PeerWarning
from lnoffers.net.onion_messages import ReceivedMessage, open_message

PACE: Final = 1 / 3
"""Seconds between two messages to a node. Core Lightning drops messages beyond four per second."""
MAX_ONIONS: Final = 100
"""The maximum of onion messages from one node that are decrypted, to limit the work; further ones are ignored."""
MAX_WARNINGS: Final = 5
"""The maximum of warnings that are kept from one node."""


@dataclass(frozen=True, slots=True)
class AtAddress:
    """A node that is asked over a connection of its own, perhaps through a proxy.

    `chain` is the hash of the chain, 32 bytes.
    """

    address: Address
    chain: bytes
    proxy: Proxy | None = None

    @property
    def node_id(self) -> bytes:
        """The node's id."""
        return self.address.node_id

    def __str__(self) -> str:
        return str(self.address)

    @asynccontextmanager
    async def connected(self, seconds: float) -> AsyncIterator[_Exchange]:
        """Connect with a new key.

        Raises:
            UnreachableError: if the node cannot be reached, drops onion messages, or ends the connection.
        """
        node, init = KeyPair(secrets.token_bytes(32)), Init(features.OFFERED, (self.chain,))
        try:
            limit = min(connect_seconds(self.proxy), seconds)
            async with connected(self.address, node, init, limit, self.proxy) as peer:
                check_takes_onion_messages(peer.init.features)
                yield _Exchange(peer, node)
        except PeerGoneError as error:
            raise UnreachableError(Reason.CANNOT_CONNECT, str(error)) from error


class _Exchange:
    """The messages exchanged with one node."""

    def __init__(self, peer: Peer, node: KeyPair) -> None:
        self._peer = peer
        self._node = node
        self._has_asked = False
        self._decrypted = 0
        self._warnings: dict[str, None] = {}
        """The node's warnings in order, without duplicates."""

    def why_no_answer(self) -> tuple[Reason, str]:
        """Return why no answer has arrived, as far as the node's warnings show, and the warnings."""
        return reason_in(self._warnings)

    async def ask(self, question: Question, route: Route, sent: Callable[[], None]) -> Answered:
        """Send the question along a route, call `sent`, and wait for an answer.

        Raises:
            FetchError: if the answer cannot be read.
            PeerGoneError: if the connection ends.
        """
        if self._has_asked:
            await asyncio.sleep(PACE)
        self._has_asked = True
        message, _ = question.message(route, self._peer.node_id, self._node.public_key)
        await self._peer.send(message)
        sent()
        while True:
            received = self._received(await self._peer.next_event())
            if received is not None and (answered := question.read(received)) is not None:
                return answered

    def _received(self, event: Event) -> ReceivedMessage | None:
        """Return the message for this node if the event is one, otherwise None; collect warnings."""
        if isinstance(event, PeerWarning) and len(self._warnings) < MAX_WARNINGS:
            self._warnings[event.text[:MAX_TEXT]] = None
        if not isinstance(event, OnionMessage) or self._decrypted == MAX_ONIONS:
            return None
        self._decrypted += 1
        try:
            opened = open_message(self._node, event)
        except RemoteProtocolError:
            return None
        return opened if isinstance(opened, ReceivedMessage) else None
