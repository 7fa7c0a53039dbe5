"""Answer the invoice_requests that arrive as onion messages. This runs in the event loop.

A request goes to the issuer, on the thread that uses the store. Its answer returns when the invoice is on disk, and is
then sent along the request's reply path. The sender of a request is unknown. So one that cannot be answered is dropped,
and the log has the reason at the level *debug*.

If the payment backend has to prepare each payment to this node, the issuer is asked twice: first which payment it
needs, and then, with the place where that will arrive, for the invoice.

All peers share one pace, because each answer costs a write to the disk. What can be dropped for what it is takes none
of that. When requests arrive faster, addresses take turns, so that nobody can keep out other payers.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Final

from clnrpc.runtime.errors import RpcError
from lnoffers.bolt12 import Bolt12Error, Invoice, InvoiceError, InvoiceRequest
from lnoffers.net.onion_messages import Payload, ReceivedMessage
from lnoffers.service.answering import ldk
from lnoffers.service.answering.issuer import INTERNAL_ERROR, Answer, Prepared
from lnoffers.service.errors import ServiceError
from lnoffers.service.payments.backend import BackendError, Incoming
from lnoffers.service.peers.pace import Pace
from lnoffers.service.peers.replies import UnsendableError, check_reply_path
from lnoffers.service.peers.scheduling import FairScheduler

if TYPE_CHECKING:
    from lnoffers.service.answering.issuer import Issuer
    from lnoffers.service.changes import Changes
    from lnoffers.service.payments.backend import Backend
    from lnoffers.service.peers import Link, Peers
    from lnoffers.service.peers.replies import Replies
    from lnoffers.service.peers.scheduling import Work

ANSWERS_A_SECOND: Final = 20
"""The rate at which requests of all peers are answered; further ones wait."""
ANSWER_BURST: Final = 40
"""Requests that are answered at once after a pause."""
MAX_ANSWERS: Final = 64
"""Requests that are being answered at a time, as while another process holds the store."""
REMOVAL_SECONDS: Final = 10.0
"""The interval at which expired answers are looked for."""
REMOVED_AT_ONCE: Final = 100
"""Expired answers that are removed in one transaction."""

_SELF: Final = "this node"

logger = logging.getLogger(__name__)


class _DroppedError(ServiceError):
    """The message cannot be answered, for this reason."""


class Answers:
    """The requests that are being answered. Use it within one event loop.

    Args:
        issuer: decides what to answer; used only through `changes`.
        backend: prepares payments to this node, if it collects them.
        peers: the connections to other nodes.
        replies: sends the answers.
        changes: runs the functions that use the store.
    """

    def __init__(self, issuer: Issuer, backend: Backend, peers: Peers, replies: Replies, changes: Changes) -> None:
        self._issuer = issuer
        self._backend = backend
        self._peers = peers
        self._replies = replies
        self._changes = changes
        self._scheduler = FairScheduler(Pace(ANSWERS_A_SECOND, ANSWER_BURST), MAX_ANSWERS, peers.log)

    def receive(self, link: Link | None, received: ReceivedMessage) -> None:
        """Answer a message for this node in its turn, if it is a request.

        `link` is the connection on which it arrived; None if this node has sent it.
        """
        if not self._scheduler.add(link, partial(self._prepare, link, received)):
            self._log_dropped(link, "too many requests wait")

    async def remove_expired(self) -> None:
        """Remove answers that expired unpaid some time ago, for as long as this runs."""
        while True:
            await asyncio.sleep(REMOVAL_SECONDS)  # first, since a server that starts has other things to do
            try:
                while await self._changes.run(partial(self._issuer.remove_expired, REMOVED_AT_ONCE)):
                    pass
            except RpcError as error:
                logger.debug("Expired invoices are not removed: %s", error.message)

    def close(self) -> None:
        """Give up what is being answered. A payer that asks again gets the same invoice."""
        self._scheduler.close()

    async def _prepare(self, link: Link | None, received: ReceivedMessage) -> Work | None:
        """Return what answers the request in a message; None if there is none to answer."""
        await asyncio.sleep(0)  # other connections come first: it takes long to read some requests
        try:
            return partial(self._answer, link, self._request(received.payload), received)
        except _DroppedError as reason:
            self._log_dropped(link, str(reason))
            return None

    def _log_dropped(self, link: Link | None, reason: str) -> None:
        self._peers.log.debug("Dropped a message from %s: %s", link or _SELF, reason)

    def _request(self, payload: Payload) -> InvoiceRequest:
        """Return the request in a payload, if it may be for an offer of this node and can be answered.

        Raises:
            _DroppedError: if not.
        """
        if payload.invoice_request is None:
            raise _DroppedError("it is no invoice_request, and nothing waits for it")
        path = payload.reply_path
        try:
            check_reply_path(path)
            request = InvoiceRequest.received(payload.invoice_request)
        except Bolt12Error as error:
            raise _DroppedError(f"the request cannot be parsed: {error.message}") from error
        except UnsendableError as error:
            raise _DroppedError(str(error)) from error
        if path is None and request.invreq_recurrence_cancel is None:  # which gets no answer
            raise _DroppedError("the request has no reply path")
        if request.offer_issuer_id != self._peers.node_id:
            raise _DroppedError("the request is not for an offer of this node")
        return request

    async def _answer(self, link: Link | None, request: InvoiceRequest, received: ReceivedMessage) -> None:
        try:
            answer = await self._decide(request, received.path_id)
        except RpcError as error:  # nothing is stored, or nobody knows whether it is
            self._peers.log.debug("A request from %s is not answered: %s", link or _SELF, error.message)
            return
        path = received.payload.reply_path
        if answer is None or path is None:
            return
        try:
            for_ldk = isinstance(answer, InvoiceError) and ldk.has_sent(request, path)
            await self._replies.send(link, path, answer, for_ldk=for_ldk)
        except UnsendableError as reason:
            self._peers.log.debug("The answer to a request from %s is dropped: %s", link or _SELF, reason)

    async def _decide(self, request: InvoiceRequest, path_id: bytes | None) -> Answer | None:
        """Return the answer to a request; None for one that gets none."""
        answer = await self._changes.run(partial(self._issuer.answer, request, path_id))
        if not isinstance(answer, Incoming):
            return answer
        try:
            destination = await self._backend.receive(answer)
        except BackendError as error:
            logger.warning("An invoice_request could not be answered: %s", error)
            return InvoiceError.build(error=INTERNAL_ERROR)
        decided: Answer | Incoming | None = None
        try:
            decided = await self._changes.run(
                partial(self._issuer.answer, request, path_id, Prepared(answer, destination))
            )
        finally:
            if not isinstance(decided, Invoice) or decided.invoice_payment_hash != answer.payment_hash:
                await self._backend.forget(answer.payment_hash)
        assert not isinstance(decided, Incoming)  # it is prepared
        return decided
