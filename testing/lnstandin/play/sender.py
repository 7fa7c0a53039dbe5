"""The payments of this node to others.

A payment leaves only after the ledger has it. Then it is repeated, over whatever connection there is to the payee,
until the payee has the money or refuses it. So only the payee can make a payment fail that may have left.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from lnoffers.bolt12 import Bolt12Error, Invoice
from lnoffers.service.errors import PeerUnavailableError
from lnoffers.service.payments.backend import Failed, Outcome, Paid, Uncertain
from lnoffers.service.tasks import ended_in_bug, start
from lnstandin.play.ledger import Sent, State
from lnstandin.play.messages import Pay, Result, UnusableError

if TYPE_CHECKING:
    from lnoffers.bolt12 import BlindedPath
    from lnoffers.net.messages import CustomMessage
    from lnoffers.service.peers import Link, Peers
    from lnstandin.play.ledger import Ledger
    from lnstandin.play.wire import Wire

FIRST_PAUSE: Final = 0.25
"""Seconds until a payment that gets no answer is sent again; the pause grows with each time."""
LONGEST_PAUSE: Final = 5.0
PATIENCE: Final = 30.0
"""How long a caller waits for the payee, in seconds. It can ask again."""

logger = logging.getLogger(__name__)


class Sender:
    """The payments that are under way. Use it within one event loop."""

    def __init__(self, peers: Peers, ledger: Ledger, wire: Wire) -> None:
        self._peers = peers
        self._ledger = ledger
        self._wire = wire
        self._awaited: dict[bytes, set[_Awaited]] = {}
        """The results that are waited for, by payment hash."""
        self._resumed: set[asyncio.Task[None]] = set()

    async def resume(self) -> None:
        """Go on with the payments that were under way when this node ended.

        Raises:
            BackendError: if the ledger cannot be used.
        """
        for sent in await self._ledger.all_sent():
            if sent.state is State.PENDING:
                task = start(self._resume(sent), self._resumed)
                task.add_done_callback(partial(ended_in_bug, "A payment of this node ended in a bug"))

    async def close(self) -> None:
        """Stop; the ledger has what is under way."""
        tasks = [*self._resumed]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def pay(self, invoice: Invoice) -> Outcome:
        """Pay an invoice, unless it is paid already; an earlier attempt that may have left is repeated.

        Raises:
            BackendError: if the ledger cannot be used, before anything has left.
        """
        payment_hash, amount = invoice.invoice_payment_hash, invoice.invoice_amount
        assert payment_hash is not None  # the caller has verified the invoice
        assert amount is not None
        path = _path(invoice)
        payee = None if path is None else path.first_node_id
        if not isinstance(payee, bytes):
            return Failed("play money goes straight to the payee, and the invoice's first path is longer")
        if payee == self._peers.node_id:
            return Failed("play money does not go in circles: the payee is this node")
        if self._peers.link(payee) is None:
            earlier = await self._ledger.sent(payment_hash)
            if earlier is None or earlier.state is State.FAILED:
                try:
                    await self._connect(payee)
                except PeerUnavailableError as error:
                    return Failed(f"the payee cannot be reached: {error}")
        sent = await self._ledger.begin(Sent(payment_hash, invoice.to_bytes(), payee, amount))
        return await self._complete(sent, invoice)

    async def find(self, invoice: Invoice) -> Outcome:
        """Return what has become of the payment of an invoice; repeat it if nobody knows.

        Raises:
            BackendError: if the ledger cannot be used.
        """
        assert invoice.invoice_payment_hash is not None  # it was verified before it was paid
        sent = await self._ledger.sent(invoice.invoice_payment_hash)
        return Failed("it was never sent") if sent is None else await self._complete(sent, invoice)

    def receive(self, link: Link, data: bytes) -> None:
        """Take a result; others than those that are awaited are ignored."""
        try:
            result = Result.read(data)
        except (Bolt12Error, UnusableError) as error:
            logger.debug("Ignored a result from %s: %s", link, error)
            return
        for awaited in self._awaited.get(result.payment_hash, ()):
            awaited.take(link.node_id, result)

    async def _resume(self, sent: Sent) -> None:
        invoice = Invoice.from_bytes(sent.invoice)
        while isinstance(await self._complete(sent, invoice), Uncertain):
            pass

    async def _complete(self, sent: Sent, invoice: Invoice) -> Outcome:
        """Return the outcome of a payment that may have left; send it until there is one, or patience ends."""
        if sent.state is not State.PENDING:
            return _outcome(sent)
        result = await self._result(sent, invoice)
        if result is None:
            return Uncertain("the payee does not answer; does it run with --backend play?")
        state = State.PAID if result.preimage is not None else State.FAILED
        done = replace(sent, state=state, preimage=result.preimage, reason=result.reason)
        self._ledger.end(done)
        return _outcome(done)

    async def _result(self, sent: Sent, invoice: Invoice) -> Result | None:
        message, awaited = _message(sent, invoice), _Awaited(sent)
        clock = asyncio.get_running_loop().time
        pause, end = FIRST_PAUSE, clock() + PATIENCE
        others = self._awaited.setdefault(sent.payment_hash, set())
        others.add(awaited)
        try:
            while not awaited.result.done() and clock() < end:
                try:
                    link = self._peers.link(sent.payee) or await self._connect(sent.payee)
                    await self._wire.send(link, message)
                except PeerUnavailableError as error:
                    logger.debug("A payment waits for %s: %s", sent.payee.hex(), error)
                await asyncio.wait([awaited.result], timeout=pause)
                pause = min(2 * pause, LONGEST_PAUSE)
        finally:
            others.discard(awaited)
            if not others:
                self._awaited.pop(sent.payment_hash, None)
        return awaited.result.result() if awaited.result.done() else None

    async def _connect(self, payee: bytes) -> Link:
        """Connect to the payee, where it was last reached.

        Raises:
            PeerUnavailableError: if that is not possible.
        """
        address = self._peers.addresses.get(payee)
        if address is None:
            raise PeerUnavailableError("it is not connected, and no address is known")
        return await self._peers.connect(address)


class _Awaited:
    """The result of a payment that has left, once it has come."""

    def __init__(self, sent: Sent) -> None:
        self.result: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._sent = sent

    def take(self, sender: bytes, result: Result) -> None:
        """Take a result if the payee has sent it, and it is for this attempt."""
        if self.result.done() or sender != self._sent.payee or result.attempt != self._sent.attempt:
            return
        if result.preimage is None or sha256(result.preimage).digest() == self._sent.payment_hash:
            self.result.set_result(result)


def _path(invoice: Invoice) -> BlindedPath | None:
    """Return the first path of an invoice, if its first node is also the last one."""
    path = invoice.invoice_paths[0] if invoice.invoice_paths else None
    return path if path is not None and len(path.hops) == 1 else None


def _message(sent: Sent, invoice: Invoice) -> CustomMessage:
    """Return the message with a payment; `invoice` has its payment hash, and usually is the one that is being paid."""
    is_same = sent.invoice == invoice.to_bytes()
    path = _path(invoice if is_same else Invoice.from_bytes(sent.invoice))
    assert path is not None  # by `pay`
    data = path.hops[0].encrypted_recipient_data
    return Pay(sent.payment_hash, sent.attempt, sent.amount_msat, path.first_path_key, data).message()


def _outcome(sent: Sent) -> Outcome:
    """Return the outcome of a payment that has one."""
    if sent.preimage is not None:
        return Paid(sent.preimage, sent.amount_msat)
    return Failed(sent.reason or "the payee has refused it")
