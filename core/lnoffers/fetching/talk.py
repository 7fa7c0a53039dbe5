"""Request an invoice through one node: send the request along each route that starts there, and read the answer."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lnoffers.bolt12 import InvoiceRequest, KeyPair
from lnoffers.bolt12.chains import BITCOIN
from lnoffers.fetching.failures import Attempt, FetchError, Reason
from lnoffers.fetching.peer import CONNECT_SECONDS, MAX_TEXT, Peer, PeerGoneError, connected
from lnoffers.fetching.routes import Route
from lnoffers.net import features
from lnoffers.net.address import Address
from lnoffers.net.blinding import PATH_KEY_BYTES, message_path
from lnoffers.net.connection import Event
from lnoffers.net.errors import RemoteProtocolError
from lnoffers.net.messages import Init, OnionMessage, PeerWarning
from lnoffers.net.offer_messages import InvoiceReply, ask, read_reply
from lnoffers.net.onion_messages import ReceivedMessage, open_message

PACE: Final = 1 / 3
"""Seconds between two messages to a node. Core Lightning drops messages beyond four per second."""
MAX_ONIONS: Final = 100
"""The maximum of onion messages from one node that are decrypted, to limit the work; further ones are ignored."""

MAX_WARNINGS: Final = 5
"""The maximum of warnings that are kept from one node."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, with the route on which its request was sent."""

    answer: InvoiceReply
    route: Route


async def ask_at(
    address: Address, routes: Sequence[Route], request: InvoiceRequest, seconds: float
) -> Answered | list[Attempt]:
    """Send the request along one route after the other; return the first answer, or all failures if none arrives.

    Each route gets an equal share of the time that is left.

    Raises:
        FetchError: if an answer cannot be parsed.
    """
    clock, failed = asyncio.get_running_loop().time, list[Attempt]()
    node, deadline = KeyPair(secrets.token_bytes(32)), clock() + seconds
    init = Init(features.OFFERED, (request.invreq_chain or BITCOIN,))

    def fail(reason: Reason, detail: str = "") -> list[Attempt]:
        """Return the failures, with one more for each route that has not failed yet."""
        return failed + [Attempt(route.towards, str(address), reason, detail) for route in routes[len(failed) :]]

    try:
        async with connected(address, node, init, min(CONNECT_SECONDS, seconds)) as peer:
            reason = _refusal(peer.init)
            if reason is not None:
                return fail(reason)
            exchange = _Exchange(peer, address.node_id, node)
            for route in routes:
                found = await exchange.ask(request, route, (deadline - clock()) / (len(routes) - len(failed)))
                if found is not None:
                    return found
                reason = exchange.why_no_answer()
                failed.append(Attempt(route.towards, str(address), reason, "; ".join(exchange.warnings)))
    except PeerGoneError as error:
        return fail(Reason.CANNOT_CONNECT, str(error))
    return failed


def _refusal(init: Init) -> Reason | None:
    """Return why the node would drop our onion messages; None if it accepts them."""
    if features.offers(init.features, features.ONION_MESSAGES):
        return None
    only_channels = features.offers(init.features, features.ONION_MESSAGES_ONLY_CHANNELS)
    return Reason.CHANNEL_PEERS_ONLY if only_channels else Reason.NO_ONION_MESSAGES


class _Exchange:
    """The messages exchanged with one node: the requests sent, by path id, and the node's warnings."""

    def __init__(self, peer: Peer, peer_id: bytes, node: KeyPair) -> None:
        self._peer = peer
        self._peer_id = peer_id
        self._node = node
        self._routes: dict[bytes, Route] = {}
        """The routes that were tried, by the secret path id that an answer must contain."""
        self._decrypted = 0
        self.warnings: dict[str, None] = {}
        """The node's warnings in order, without duplicates."""

    async def ask(self, request: InvoiceRequest, route: Route, seconds: float) -> Answered | None:
        """Send the request along one route; return the answer to it or to an earlier request, None if none arrives.

        Raises:
            FetchError: if the answer cannot be parsed.
            PeerGoneError: if the connection ends.
        """
        if self._routes:
            await asyncio.sleep(PACE)
        path_id, path_key = secrets.token_bytes(32), secrets.token_bytes(PATH_KEY_BYTES)
        reply_path = message_path(path_key, [self._peer_id, self._node.public_key], path_id)
        self._routes[path_id] = route
        try:
            async with asyncio.timeout(seconds):
                await self._peer.send(ask(secrets.token_bytes(32), route.path, request, reply_path))
                while True:
                    found = self._read(await self._peer.next_event())
                    if found is not None:
                        return found
        except TimeoutError:
            return None

    def why_no_answer(self) -> Reason:
        """Return why no answer arrived, as far as the node's warnings show."""
        throttled = any("ratelimit" in text.lower() or "rate limit" in text.lower() for text in self.warnings)
        return Reason.THROTTLED if throttled else Reason.NO_ANSWER

    def _read(self, event: Event) -> Answered | None:
        """Return the answer if the event contains one, otherwise None; collect warnings."""
        if isinstance(event, PeerWarning) and len(self.warnings) < MAX_WARNINGS:
            self.warnings[event.text[:MAX_TEXT]] = None
        if not isinstance(event, OnionMessage) or self._decrypted == MAX_ONIONS:
            return None
        self._decrypted += 1
        try:
            opened = open_message(self._node, event)
        except RemoteProtocolError:
            return None
        route = self._routes.get(opened.path_id or b"") if isinstance(opened, ReceivedMessage) else None
        if route is None or not isinstance(opened, ReceivedMessage):
            return None
        try:
            answer = read_reply(opened)
        except RemoteProtocolError as error:
            raise FetchError(Reason.BAD_ANSWER, error.message) from error
        return None if answer is None else Answered(answer, route)
