"""The nodes at which requests and invoices of this node enter the network: peers, and this node itself.

A peer is asked over the connection to it, which is opened if there is none and an address is known. If the connection
ends while an answer is awaited, it is opened again and the question repeated: the peer may have been restarted.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, TypeAlias

from lnoffers.bolt12 import InvoiceRequest, Offer
from lnoffers.fetching.asking import (
    BlockedRouteError,
    UnreachableError,
    check_takes_onion_messages,
    failure,
    plan_any,
    reason_in,
)
from lnoffers.fetching.dialing import PROXY_SECONDS
from lnoffers.fetching.failures import Attempt, Reason, furthest
from lnoffers.fetching.question import Answered, Question
from lnoffers.fetching.routes import Route, first_nodes
from lnoffers.net.address import Address
from lnoffers.net.errors import RemoteProtocolError
from lnoffers.net.features import ONION_MESSAGES, offers
from lnoffers.net.messages import OnionMessage
from lnoffers.net.offer_messages import Target, ask
from lnoffers.service.errors import PeerUnavailableError
from lnoffers.service.peers.link import Link
from lnoffers.service.peers.peers import Peers
from lnoffers.service.peers.pending import AwaitedAnswer

MAX_FORWARDERS: Final = 4
"""How many peers are asked to forward a request, beside those of `--via`."""
MAX_REPEATS: Final = 2
"""How many times a question is repeated on a route because the connection has ended."""
RECONNECT_SECONDS: Final = 10.0
"""The time limit for opening a connection again that has ended."""
_PAUSE: Final = 0.5
"""Seconds between two attempts to open it."""


@dataclass(frozen=True, slots=True, eq=False)
class PeerEntry:
    """A peer, and its address if it is known. `answer` is the answer to the question that is asked there."""

    peers: Peers
    node_id: bytes
    address: Address | None
    answer: AwaitedAnswer

    def __str__(self) -> str:
        return self.node_id.hex() if self.address is None else str(self.address)

    @asynccontextmanager
    async def connected(self, seconds: float) -> AsyncIterator[_ConnectedPeer]:
        """Find or open the connection.

        Raises:
            UnreachableError: if the peer cannot be reached, or drops onion messages.
        """
        try:
            async with asyncio.timeout(seconds):
                link = await self._link()
        except TimeoutError:
            raise UnreachableError(Reason.CANNOT_CONNECT, f"no answer within {round(seconds, 1):g} seconds") from None
        except PeerUnavailableError as error:
            raise UnreachableError(Reason.CANNOT_CONNECT, str(error)) from error
        check_takes_onion_messages(link.features)
        yield _ConnectedPeer(self, link)

    async def again(self) -> Link:
        """Return a new connection after one has ended; the peer may open it, too.

        Raises:
            PeerUnavailableError: if there is none within `RECONNECT_SECONDS`.
        """
        clock = asyncio.get_running_loop().time
        deadline = clock() + RECONNECT_SECONDS
        while True:
            await asyncio.sleep(_PAUSE)
            try:
                return await self._link()
            except PeerUnavailableError:
                if clock() > deadline or self.peers.halted:
                    raise

    async def _link(self) -> Link:
        link = self.peers.link(self.node_id)
        if link is not None:
            return link
        if self.address is None:
            raise PeerUnavailableError("it is not connected, and no address is known")
        return await self.peers.connect(self.address)


class _ConnectedPeer:
    """The connection to a peer while it is asked."""

    def __init__(self, entry: PeerEntry, link: Link) -> None:
        self._entry = entry
        self._link = link
        self._asked = 0.0
        """When the last question was asked, by the clock of the event loop."""
        self._waits_behind: int | None = None
        """How many messages waited before the last question when its time was up; None if it was sent."""

    async def ask(self, question: Question, route: Route, sent: Callable[[], None]) -> Answered:
        """Send the question along a route, call `sent`, and wait for an answer.

        If the connection ends meanwhile, the question is repeated.

        Raises:
            FetchError: if the answer cannot be read.
            UnreachableError: if the connection ends too often, or cannot be opened again.
        """
        entry, peers = self._entry, self._entry.peers
        self._asked = asyncio.get_running_loop().time()
        for repeats in range(MAX_REPEATS + 1):
            if entry.answer.done():  # it came late, to a question that another node has passed on
                break
            message, path_id = question.message(route, entry.node_id, peers.node_id)
            peers.pending.expect(path_id, entry.answer)
            await self._send_in_turn(message)
            sent()
            await self._link.until(entry.answer)
            if not entry.answer.done() and repeats < MAX_REPEATS:
                try:
                    self._link = await entry.again()
                except PeerUnavailableError as error:
                    raise UnreachableError(Reason.CANNOT_CONNECT, f"{self._link.why_ended}; {error}") from error
        if not entry.answer.done():
            raise UnreachableError(Reason.CANNOT_CONNECT, self._link.why_ended)
        return _read(question, entry.answer)

    async def _send_in_turn(self, message: OnionMessage) -> None:
        """Wait until a message has been sent, or the connection has ended; take it back if this is cancelled.

        Raises:
            UnreachableError: if too many messages wait to be sent.
        """
        sent, self._waits_behind = self.send(message), None
        try:
            await self._link.until(sent)
        finally:
            if not sent.done():
                self._waits_behind = self._link.withdraw(sent)

    def send(self, message: OnionMessage) -> asyncio.Future[None]:
        """Queue a message, and return what is done when it has been sent.

        Raises:
            UnreachableError: if too many messages wait to be sent.
        """
        sent = self._link.send(message)
        if sent is None:
            raise UnreachableError(Reason.THROTTLED, "too many messages wait to be sent to it")
        return sent

    def why_no_answer(self) -> tuple[Reason, str]:
        """Return why no answer has arrived: the connection has ended, the question was not sent, or what the peer's
        warnings say.
        """
        if self._link.why_ended:
            return Reason.CANNOT_CONNECT, self._link.why_ended
        if self._waits_behind is not None:
            return Reason.THROTTLED, f"the request was not sent: {self._waits_behind} others wait before it"
        return reason_in(dict.fromkeys(text for when, text in self._link.last_warnings if when > self._asked))


@dataclass(frozen=True, slots=True, eq=False)
class OwnEntry:
    """This node, as the first node of a path of the target."""

    peers: Peers
    answer: AwaitedAnswer

    @property
    def node_id(self) -> bytes:
        """This node's id."""
        return self.peers.node_id

    def __str__(self) -> str:
        return "this node"

    @asynccontextmanager
    async def connected(self, seconds: float) -> AsyncIterator[OwnEntry]:  # noqa: ARG002 - it takes no time
        """Return this node."""
        yield self

    async def ask(self, question: Question, route: Route, sent: Callable[[], None]) -> Answered:
        """Send the question along a route, which begins here, call `sent`, and wait for an answer.

        Raises:
            FetchError: if the answer cannot be read.
            BlockedRouteError: if the next node is not connected.
        """
        message, path_id = question.message(route, self.node_id, self.node_id)
        self.peers.pending.expect(path_id, self.answer)
        self.send(message)
        sent()
        await asyncio.wait([self.answer])
        return _read(question, self.answer)

    def send(self, message: OnionMessage) -> None:
        """Send a message.

        Raises:
            BlockedRouteError: if the next node is not connected.
        """
        try:
            if self.peers.inject(message):
                return
        except RemoteProtocolError as error:
            raise BlockedRouteError(Reason.CANNOT_CONNECT, str(error)) from error
        raise BlockedRouteError(Reason.CANNOT_CONNECT, "the next node of the path is not connected")

    def why_no_answer(self) -> tuple[Reason, str]:
        """Return that nothing came."""
        return Reason.NO_ANSWER, ""


Entries: TypeAlias = Sequence[PeerEntry | OwnEntry]


def entries(
    peers: Peers, target: Target, kept: Sequence[Address], via: Sequence[Address], answer: AwaitedAnswer
) -> Entries:
    """Return the nodes at which messages to a target can enter the network, best first.

    Only nodes to which this one has connected are asked to forward. Anybody can connect to this one, and might drop its
    messages, and would learn whom it pays.

    Args:
        peers: the peers of this node.
        target: the offer or the request.
        kept: the nodes to which this one stays connected.
        via: the nodes to ask first to forward a message.
        answer: the answer to the question that is asked there.
    """
    firsts = first_nodes(target)
    chosen = {address.node_id: address for address in (*kept, *via)}
    addresses = {**peers.addresses, **chosen}
    connected = [link.node_id for link in peers.links]
    direct = [node for node in firsts if isinstance(node, bytes) and (node in addresses or node in connected)]
    nodes = dict.fromkeys([*(address.node_id for address in via), *direct])
    may_forward = [link for link in peers.links if link.address is not None or link.node_id in chosen]
    forwarding = [link.node_id for link in may_forward if offers(link.features, ONION_MESSAGES)]
    forwarding.sort(key=lambda node: node not in chosen)
    others = [node for node in forwarding if node not in nodes][:MAX_FORWARDERS]
    own = [OwnEntry(peers, answer)] if peers.node_id in firsts else []
    asked = [node for node in (*nodes, *others) if node != peers.node_id]
    return [*own, *(PeerEntry(peers, node, addresses.get(node), answer) for node in asked)]


async def send_along_all(offer: Offer, request: InvoiceRequest, ways: Entries) -> None:
    """Send a request that gets no reply along each route: nothing shows which of them lead to the issuer.

    Raises:
        FetchError: if the first node of no route takes it.
        LocalProtocolError: if the request is too long for an onion message.
    """
    messages = {
        entry: [(route, ask(secrets.token_bytes(32), route.path, request, None)) for route in routes]
        for entry, routes in plan_any(offer, ways).items()
    }
    failures = await asyncio.gather(*(_send_at(entry, along) for entry, along in messages.items()))
    failed = [attempt for at_one in failures for attempt in at_one]
    if len(failed) == sum(map(len, messages.values())):
        raise furthest(failed)


async def _send_at(entry: PeerEntry | OwnEntry, messages: Sequence[tuple[Route, OnionMessage]]) -> Sequence[Attempt]:
    """Send messages at one entry; return those that failed."""
    failed = list[Attempt]()
    try:
        async with entry.connected(PROXY_SECONDS) as connection:
            for route, message in messages:
                try:
                    connection.send(message)
                except UnreachableError as error:
                    failed.append(failure(entry, route, error))
    except UnreachableError as error:
        return [failure(entry, route, error) for route, _ in messages]
    return failed


def _read(question: Question, answer: AwaitedAnswer) -> Answered:
    found = question.read(answer.result())
    assert found is not None  # only messages along its reply paths become the answer
    return found
