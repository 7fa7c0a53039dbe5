"""Ask one node: send the request along each route that begins there, and recognise the answer."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lnoffers.bolt12 import InvoiceRequest, KeyPair
from lnoffers.bolt12.chains import BITCOIN
from lnoffers.fetching.failures import Attempt, FetchError, Reason
from lnoffers.fetching.peer import Peer, PeerGoneError, connected
from lnoffers.fetching.routes import Route
from lnoffers.net import features
from lnoffers.net.address import Address
from lnoffers.net.blinding import PATH_KEY_BYTES, message_path
from lnoffers.net.connection import Event
from lnoffers.net.errors import RemoteProtocolError
from lnoffers.net.messages import Init, OnionMessage, PeerWarning
from lnoffers.net.offer_messages import InvoiceReply, ask, read_reply
from lnoffers.net.onion_messages import ReceivedMessage, open_message

CONNECT_SECONDS: Final = 10.0
"""How long connecting to a node may take, including handshake and `init`."""
PACE: Final = 1 / 3
"""Seconds between two messages to a node. Core Lightning drops messages beyond four a second."""
MAX_ONIONS: Final = 100
"""The most onions of one node that are decrypted, as this takes time. One of them is the answer."""

MAX_WARNINGS: Final = 5
MAX_TEXT: Final = 300
"""The most warnings of a node that are kept, and the most characters of each."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, and the route of the request that it answers."""

    answer: InvoiceReply
    route: Route


async def ask_at(
    address: Address, routes: Sequence[Route], request: InvoiceRequest, seconds: float
) -> Answered | list[Attempt]:
    """Ask along each route in turn, dividing the time, and return the answer, or the failures if none arrives.

    Raises:
        FetchError: if an answer cannot be parsed.
    """
    clock, failed = asyncio.get_running_loop().time, list[Attempt]()
    node, deadline = KeyPair(secrets.token_bytes(32)), clock() + seconds
    init = Init(features.OFFERED, (request.invreq_chain or BITCOIN,))

    def fail(reason: Reason, detail: str = "") -> list[Attempt]:
        """Return the failures, with one for each route not yet tried."""
        return failed + [Attempt(route.towards, str(address), reason, detail) for route in routes[len(failed) :]]

    try:
        async with connected(address, node, init, min(CONNECT_SECONDS, seconds)) as peer:
            reason = _unwilling(peer.init)
            if reason is not None:
                return fail(reason)
            talk = _Talk(peer, address.node_id, node)
            for route in routes:
                found = await talk.ask(request, route, (deadline - clock()) / (len(routes) - len(failed)))
                if found is not None:
                    return found
                failed.append(Attempt(route.towards, str(address), talk.silence(), "; ".join(talk.warnings)))
    except PeerGoneError as error:
        return fail(Reason.CANNOT_CONNECT, str(error))
    return failed


def _unwilling(init: Init) -> Reason | None:
    """Return why the node would drop our onion messages, or None if it accepts them."""
    if features.offers(init.features, features.ONION_MESSAGES):
        return None
    only_channels = features.offers(init.features, features.ONION_MESSAGES_ONLY_CHANNELS)
    return Reason.CHANNEL_PEERS_ONLY if only_channels else Reason.NO_ONION_MESSAGES


class _Talk:
    """The exchange with one node: the secrets by which answers are recognised, and the node's warnings."""

    def __init__(self, peer: Peer, peer_id: bytes, node: KeyPair) -> None:
        self._peer = peer
        self._peer_id = peer_id
        self._node = node
        self._asked: dict[bytes, Route] = {}
        self._onions = 0
        self.warnings: dict[str, None] = {}
        """Its warnings, each once, in order."""

    async def ask(self, request: InvoiceRequest, route: Route, seconds: float) -> Answered | None:
        """Ask along one route. Return the answer to this or an earlier request, or None if none arrives in time.

        Raises:
            FetchError: if it cannot be read.
            PeerGoneError: if the connection ends.
        """
        if self._asked:
            await asyncio.sleep(PACE)
        path_id, path_key = secrets.token_bytes(32), secrets.token_bytes(PATH_KEY_BYTES)
        reply_path = message_path(path_key, [self._peer_id, self._node.public_key], path_id)
        self._asked[path_id] = route
        try:
            async with asyncio.timeout(seconds):
                await self._peer.send(ask(secrets.token_bytes(32), route.path, request, reply_path))
                while True:
                    found = self._read(await self._peer.next_event())
                    if found is not None:
                        return found
        except TimeoutError:
            return None

    def silence(self) -> Reason:
        """Return why no answer came, judging by the node's warnings."""
        throttled = any("ratelimit" in text.lower() or "rate limit" in text.lower() for text in self.warnings)
        return Reason.THROTTLED if throttled else Reason.NO_ANSWER

    def _read(self, event: Event) -> Answered | None:
        """Return the answer if the event is one. Messages that do not answer a request are ignored."""
        if isinstance(event, PeerWarning) and len(self.warnings) < MAX_WARNINGS:
            self.warnings[event.text[:MAX_TEXT]] = None
        if not isinstance(event, OnionMessage) or self._onions == MAX_ONIONS:
            return None
        self._onions += 1
        try:
            opened = open_message(self._node, event)
        except RemoteProtocolError:
            return None
        route = self._asked.get(opened.path_id or b"") if isinstance(opened, ReceivedMessage) else None
        if route is None or not isinstance(opened, ReceivedMessage):
            return None
        try:
            answer = read_reply(opened)
        except RemoteProtocolError as error:
            raise FetchError(Reason.BAD_ANSWER, error.message) from error
        return None if answer is None else Answered(answer, route)
