"""Take the invoices that arrive as onion messages for this node's requests, and let them be paid.

An invoice is checked, and its request claimed, in the thread that uses the store. If it is refused, or its payment has
failed for certain, the sender gets an invoice_error along its reply path. A sender that gives no reply path is refused
without a word. The payment itself is the only answer to an invoice that is paid.

All senders share one pace, and their addresses take turns, as for requests (`lnoffers.service.answering.answers`). An
invoice that finds no room is not even parsed. Its sender gets a reason, too, but at a limited rate, so that nobody can
keep the server busy with these.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from clnrpc.runtime.errors import RpcError
from lnoffers.bolt12 import InvoiceError
from lnoffers.service.payment_states import PaymentState
from lnoffers.service.payments.checking import Checker, RefusedError, refusal
from lnoffers.service.payments.manual import NOT_PAID
from lnoffers.service.peers.pace import Pace
from lnoffers.service.peers.replies import UnsendableError, check_reply_path
from lnoffers.service.peers.scheduling import FairScheduler
from lnoffers.service.tasks import ended_in_bug, start

if TYPE_CHECKING:
    from lnoffers.bolt12 import BlindedPath, Invoice
    from lnoffers.net.onion_messages import ReceivedMessage
    from lnoffers.service.node import Node
    from lnoffers.service.payments.payer import Ending, Payer
    from lnoffers.service.peers import Link, Peers
    from lnoffers.service.peers.replies import Replies
    from lnoffers.service.peers.scheduling import Work

INVOICES_A_SECOND: Final = 20
"""The rate at which invoices of all senders are checked; further ones wait or are dropped."""
INVOICE_BURST: Final = 40
"""Invoices that are checked at once after a pause."""
MAX_CHECKED: Final = 64
"""Invoices that are being checked at a time, as while another process holds the store."""

REASONS_A_SECOND: Final = 20
"""The rate at which senders whose invoices find no room get a reason; further ones are dropped without a word."""
REASON_BURST: Final = 20
"""Such reasons at once after a pause."""
TOO_MANY: Final = "too many invoices wait; send it again in some seconds"


class Inbox:
    """The invoices that are being checked or paid. Use it within one event loop.

    Args:
        node: its store is used only in the thread for it.
        payer: claims and pays.
        peers: the connections to other nodes.
        replies: sends the errors.
    """

    def __init__(self, node: Node, payer: Payer, peers: Peers, replies: Replies) -> None:
        self._checker = Checker(node, payer)
        self._payer = payer
        self._peers = peers
        self._replies = replies
        self._changes = node.changes
        self._scheduler = FairScheduler(Pace(INVOICES_A_SECOND, INVOICE_BURST), MAX_CHECKED, peers.log)
        self._reasons = Pace(REASONS_A_SECOND, REASON_BURST)
        self._refusing: set[asyncio.Task[None]] = set()

    def receive(self, link: Link | None, received: ReceivedMessage) -> None:
        """Check the invoice in a message in its turn, and pay it. It arrived on `link`, or this node has sent it."""
        if not self._scheduler.add(link, partial(self._prepare, link, received)):
            self._turn_away(link, received)

    def close(self) -> None:
        """Give up what is being checked. Claims stay, and the payer goes on with them."""
        self._scheduler.close()
        for task in self._refusing:
            task.cancel()

    def _turn_away(self, link: Link | None, received: ReceivedMessage) -> None:
        """Drop an invoice that finds no room, and tell its sender if the budget for that allows it."""
        self._drop(link, "too many invoices wait")
        path = received.payload.reply_path
        if path is not None and self._reasons.try_spend(1):
            task = start(self._send_error(link, path, TOO_MANY), self._refusing)
            task.add_done_callback(partial(ended_in_bug, "The answer to an invoice ended in a bug"))

    async def _prepare(self, link: Link | None, received: ReceivedMessage) -> Work:
        """Return what checks the invoice in a message. It is read only then, in the thread that uses the store."""
        return partial(self._check, link, received)

    async def _check(self, link: Link | None, received: ReceivedMessage) -> None:
        claim = partial(self._checker.claim, received.payload.invoice or b"", received.path_id)
        try:
            claimed = await self._changes.run(claim)
        except RpcError as error:  # nothing is stored, or nobody knows whether it is
            self._drop(link, f"the invoice is not checked: {error.message}")
            return
        if isinstance(claimed, RefusedError):
            await self._refuse(link, received, claimed)
            return
        paying = self._payer.submit(*claimed)
        paying.add_done_callback(partial(self._report, link, received, claimed.invoice))

    def _report(
        self, link: Link | None, received: ReceivedMessage, invoice: Invoice, paying: asyncio.Task[Ending]
    ) -> None:
        """Tell the payee if its invoice is not paid after all."""
        if paying.cancelled() or paying.exception() is not None:  # the payer has reported it
            return
        payment = paying.result().payment
        if payment.state is PaymentState.FAILED:
            refused = refusal(invoice, f"pay attempt failed: {payment.reason}")
        elif payment.state is PaymentState.CLAIMED:
            refused = refusal(invoice, NOT_PAID)
        else:
            return
        task = start(self._refuse(link, received, refused), self._refusing)
        task.add_done_callback(partial(ended_in_bug, "The report on a payment ended in a bug"))

    async def _refuse(self, link: Link | None, received: ReceivedMessage, error: RefusedError) -> None:
        self._drop(link, f"the invoice is refused: {error.reason}")
        if received.payload.reply_path is not None:
            await self._send_error(link, received.payload.reply_path, str(error))

    async def _send_error(self, link: Link | None, path: BlindedPath, error: str) -> None:
        try:
            check_reply_path(path)
            await self._replies.send(link, path, InvoiceError.build(error=error))
        except UnsendableError as reason:
            self._drop(link, f"the answer to an invoice is not sent: {reason}")

    def _drop(self, link: Link | None, reason: str) -> None:
        self._peers.log.debug("A message from %s: %s", link or "this node", reason)
