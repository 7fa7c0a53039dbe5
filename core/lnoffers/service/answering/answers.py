"""Answer the invoice_requests that arrive as onion messages. This runs in the event loop.

A request goes to the issuer, on the thread that uses the store. Its answer returns when the invoice is on disk, and is
then sent along the request's reply path. The sender of a request is unknown. So one that cannot be answered is dropped,
and the log has the reason at the level *debug*.

The reply path names its first node. The answer goes to it directly if it is connected. If it is this node itself, as
when the payer is connected to it, its part of the path is opened here. Otherwise the node that brought the request is
asked to forward the answer, since it, too, has the request from somewhere.

All peers share one pace, because each answer costs a write to the disk. What can be dropped for what it is takes none
of that, and connections from one address get half of it together. So junk does not keep out other payers.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from clnrpc.runtime.errors import RpcError
from lnoffers.bolt12 import BlindedPath, Bolt12Error, InvoiceError, InvoiceRequest
from lnoffers.net.blinding import PATH_KEY_BYTES, prepend
from lnoffers.net.errors import WireError
from lnoffers.net.offer_messages import reply
from lnoffers.net.onion_messages import Payload, ReceivedMessage
from lnoffers.service.answering import ldk
from lnoffers.service.errors import ServiceError
from lnoffers.service.peers.address_paces import AddressPaces
from lnoffers.service.peers.pace import Pace
from lnoffers.service.tasks import ended_in_bug, start

if TYPE_CHECKING:
    from lnoffers.net.messages import OnionMessage
    from lnoffers.service.answering.issuer import Issuer
    from lnoffers.service.changes import Runner
    from lnoffers.service.peers import Link, Peers

ANSWERS_A_SECOND: Final = 20
"""The rate at which requests of all peers are answered; further ones are dropped."""
ANSWER_BURST: Final = 40
"""Requests that are answered at once after a pause."""
OF_ADDRESS_A_SECOND: Final = 10
"""The rate at which requests over the connections from one address are answered."""
ADDRESS_BURST: Final = 20
"""Requests over the connections from one address that are answered at once after a pause."""
MAX_ANSWERS: Final = 64
"""Requests that are being answered at a time, as while another process holds the store."""
REMOVAL_SECONDS: Final = 10.0
"""The interval at which expired answers are looked for."""
REMOVED_AT_ONCE: Final = 100
"""Expired answers that are removed in one transaction."""

_SESSION_KEY_BYTES: Final = 32
_SELF: Final = "this node"

logger = logging.getLogger(__name__)


class _DroppedError(ServiceError):
    """The message cannot be answered, for this reason."""


class Answers:
    """The requests that are being answered. Use it within one event loop.

    Args:
        issuer: decides what to answer; used only through `run`.
        peers: the connections to other nodes.
        run: runs a function that uses the store.
    """

    def __init__(self, issuer: Issuer, peers: Peers, run: Runner) -> None:
        self._issuer = issuer
        self._peers = peers
        self._run = run
        self._pace = Pace(ANSWERS_A_SECOND, ANSWER_BURST)
        self._paces = AddressPaces(OF_ADDRESS_A_SECOND, ADDRESS_BURST)
        self._tasks: set[asyncio.Task[None]] = set()
        self._sending = asyncio.Lock()
        """Held while an answer is made, which takes up to 3 ms for the longest reply path."""

    def receive(self, link: Link | None, received: ReceivedMessage) -> None:
        """Answer a message for this node, if it is a request.

        `link` is the connection on which it arrived; None if this node has sent it.
        """
        try:
            request = self._request(received.payload)
            self._spend(link)
        except _DroppedError as reason:
            self._peers.log.debug("Dropped a message from %s: %s", link or _SELF, reason)
            return
        task = start(self._answer(link, request, received), self._tasks)
        task.add_done_callback(partial(ended_in_bug, "An answer to a request ended in a bug"))

    async def remove_expired(self) -> None:
        """Remove answers that expired unpaid some time ago, for as long as this runs."""
        while True:
            await asyncio.sleep(REMOVAL_SECONDS)  # first, since a server that starts has other things to do
            try:
                while await self._run(partial(self._issuer.remove_expired, REMOVED_AT_ONCE)):
                    pass
            except RpcError as error:
                logger.debug("Expired invoices are not removed: %s", error.message)

    def close(self) -> None:
        """Give up what is being answered. A payer that asks again gets the same invoice."""
        for task in self._tasks:
            task.cancel()

    def _request(self, payload: Payload) -> InvoiceRequest:
        """Return the request in a payload, if it may be for an offer of this node and can be answered.

        Raises:
            _DroppedError: if not.
        """
        if payload.invoice_request is None:
            what = "an invoice" if payload.invoice is not None else "no invoice_request"
            raise _DroppedError(f"it is {what}, and nothing waits for it")
        path = payload.reply_path
        if path is not None and not isinstance(path.first_node_id, bytes):
            raise _DroppedError("its reply path begins at the end of a channel, and the node there is not known")
        try:
            request = InvoiceRequest.received(payload.invoice_request)
        except Bolt12Error as error:
            raise _DroppedError(f"the request cannot be parsed: {error.message}") from error
        if path is None and request.invreq_recurrence_cancel is None:  # which gets no answer
            raise _DroppedError("the request has no reply path")
        if request.offer_issuer_id != self._peers.node_id:
            raise _DroppedError("the request is not for an offer of this node")
        return request

    def _spend(self, link: Link | None) -> None:
        """Take a request from the paces of the address from which a peer has connected, and of all peers.

        Raises:
            _DroppedError: if there are too many.
        """
        if link is not None and link.address is None and not self._paces.of(link.remote[0]).try_spend(1):
            raise _DroppedError(f"its address sends more than {OF_ADDRESS_A_SECOND} requests per second")
        if len(self._tasks) >= MAX_ANSWERS or not self._pace.try_spend(1):
            raise _DroppedError("there are too many requests")

    async def _answer(self, link: Link | None, request: InvoiceRequest, received: ReceivedMessage) -> None:
        try:
            answer = await self._run(partial(self._issuer.answer, request.to_bytes(), received.path_id))
        except RpcError as error:  # nothing is stored, or nobody knows whether it is
            self._peers.log.debug("A request from %s is not answered: %s", link or _SELF, error.message)
            return
        path = received.payload.reply_path
        if answer is None or path is None:
            return
        try:
            async with self._sending:
                await asyncio.sleep(0)  # other connections come first, however many answers are ready
                for_ldk = isinstance(answer, InvoiceError) and ldk.has_sent(request, path)
                self._send(link, path, partial(reply, message=answer, for_ldk=for_ldk))
        except (_DroppedError, WireError) as reason:
            self._peers.log.debug("The answer to a request from %s is dropped: %s", link or _SELF, reason)

    def _send(self, link: Link | None, path: BlindedPath, along: Callable[[bytes, BlindedPath], OnionMessage]) -> None:
        """Send an answer along a reply path; `along` makes the message from a session key and a path.

        `link` brought the request. It may have ended since, and the node may be connected again.

        Raises:
            _DroppedError: if the path does not lead anywhere.
            WireError: if the answer does not fit into a message, or the path is not valid.
        """
        first, session_key = path.first_node_id, secrets.token_bytes(_SESSION_KEY_BYTES)
        assert isinstance(first, bytes)  # by `_request`
        if first == self._peers.node_id:
            if not self._peers.inject(along(session_key, path)):
                raise _DroppedError("the second node of its reply path is not connected, or reads too slowly")
            return
        to = self._peers.link(first) or (link and self._peers.link(link.node_id))
        if to is None:
            raise _DroppedError("neither the first node of its reply path nor the node that brought it is connected")
        if to.node_id != first:
            path = prepend(secrets.token_bytes(PATH_KEY_BYTES), [to.node_id], path)
        if not to.send(along(session_key, path)):
            raise _DroppedError(f"{to} reads too slowly, or its connection has ended")
