"""The payments of this node to others.

A payment leaves only after the ledger has it. Then it is repeated, over whatever connection there is to the payee,
until the payee has the money or refuses it. So only the payee can make a payment fail that may have left.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from lnoffers.bolt12 import Bolt12Error, Invoice
from lnoffers.service.errors import PeerUnavailableError
from lnoffers.service.payments.backend import BackendError, Failed, Outcome, Paid, Uncertain
from lnstandin.play.ledger import Sent, State
from lnstandin.play.messages import IncompleteError, Pay, Result

if TYPE_CHECKING:
    from lnoffers.net.messages import CustomMessage
    from lnoffers.service.peers import Link, Peers
    from lnstandin.play.ledger import Ledger
    from lnstandin.play.wire import Wire

FIRST_PAUSE: Final = 0.25
"""Seconds until a payment that gets no answer is sent again; the pause grows with each time."""
LONGEST_PAUSE: Final = 5.0
PATIENCE: Final = 30.0
"""How long a caller waits for the payee. The payment goes on, and can be asked about."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Awaited:
    """A payment that has left."""

    sent: Sent
    result: asyncio.Future[Result]


class Sender:
    """The payments that are under way. Use it within one event loop."""

    def __init__(self, peers: Peers, ledger: Ledger, wire: Wire) -> None:
        self._peers = peers
        self._ledger = ledger
        self._wire = wire
        self._paying: dict[bytes, asyncio.Task[Outcome]] = {}
        self._awaited: dict[bytes, _Awaited] = {}

    async def pay(self, invoice: Invoice) -> Outcome:
        """Pay an invoice, or wait for an earlier payment of its payment hash.

        Raises:
            BackendError: if the ledger cannot be used, before anything has left.
        """
        payment_hash = invoice.invoice_payment_hash
        assert payment_hash is not None  # the caller has verified the invoice
        return await self._wait(payment_hash, self._pay(invoice, payment_hash))

    async def find(self, payment_hash: bytes) -> Outcome:
        """Return what has become of a payment; go on with it if nobody knows.

        Raises:
            BackendError: if the ledger cannot be used.
        """
        return await self._wait(payment_hash, self._find(payment_hash))

    def receive(self, link: Link, data: bytes) -> None:
        """Take a result; others than those that are awaited are ignored."""
        try:
            result = Result.read(data)
        except (Bolt12Error, IncompleteError) as error:
            logger.debug("Ignored a result from %s: %s", link, error)
            return
        awaited = self._awaited.get(result.payment_hash)
        if awaited is None or awaited.sent.payee != link.node_id or awaited.sent.attempt != result.attempt:
            return
        if result.preimage is not None and sha256(result.preimage).digest() != result.payment_hash:
            logger.debug("Ignored a result from %s: the preimage is wrong", link)
        elif not awaited.result.done():
            awaited.result.set_result(result)

    async def close(self) -> None:
        """Repeat nothing any more. The ledger has what is under way."""
        tasks = [*self._paying.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _wait(self, payment_hash: bytes, work: Coroutine[None, None, Outcome]) -> Outcome:
        """Wait for what `work` returns, or for what is under way already for this payment."""
        task = self._paying.get(payment_hash)
        if task is None:
            task = self._paying[payment_hash] = asyncio.create_task(work)
            task.add_done_callback(partial(self._ended, payment_hash))
        else:
            work.close()
        try:
            async with asyncio.timeout(PATIENCE):
                return await asyncio.shield(task)
        except TimeoutError:
            return Uncertain("the payee does not answer; does it run with --backend play?")

    def _ended(self, payment_hash: bytes, task: asyncio.Task[Outcome]) -> None:
        del self._paying[payment_hash]
        if not task.cancelled():
            task.exception()  # whoever waited for it has it

    async def _find(self, payment_hash: bytes) -> Outcome:
        sent = await self._ledger.sent(payment_hash)
        if sent is None:
            return Failed("it was never sent")
        return await self._complete(sent)

    async def _pay(self, invoice: Invoice, payment_hash: bytes) -> Outcome:
        path = invoice.invoice_paths[0] if invoice.invoice_paths else None
        payee = None if path is None else path.first_node_id
        if path is None or not isinstance(payee, bytes) or len(path.hops) != 1:
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
        assert invoice.invoice_amount is not None
        sent = await self._ledger.begin(Sent(payment_hash, invoice.to_bytes(), payee, invoice.invoice_amount))
        return await self._complete(sent)

    async def _complete(self, sent: Sent) -> Outcome:
        """Return the outcome of a payment that may have left; send it until there is one."""
        return _outcome(sent) if sent.state is not State.PENDING else await self._repeat(sent, _message(sent))

    async def _repeat(self, sent: Sent, message: CustomMessage) -> Outcome:
        awaited, pause = _Awaited(sent, asyncio.get_running_loop().create_future()), FIRST_PAUSE
        self._awaited[sent.payment_hash] = awaited
        try:
            while not awaited.result.done():
                try:
                    link = self._peers.link(sent.payee) or await self._connect(sent.payee)
                    await self._wire.send(link, message)
                except PeerUnavailableError as error:
                    logger.debug("A payment waits for %s: %s", sent.payee.hex(), error)
                await asyncio.wait([awaited.result], timeout=pause)
                pause = min(2 * pause, LONGEST_PAUSE)
        finally:
            del self._awaited[sent.payment_hash]
        result = awaited.result.result()
        state = State.PAID if result.preimage is not None else State.FAILED
        done = replace(sent, state=state, preimage=result.preimage, reason=result.reason)
        try:
            await self._ledger.end(done)
        except BackendError as error:
            logger.warning("The outcome of a payment is not in the ledger, and will be asked for again: %s", error)
        return _outcome(done)

    async def _connect(self, payee: bytes) -> Link:
        """Connect to the payee, where it was last reached.

        Raises:
            PeerUnavailableError: if that is not possible.
        """
        address = self._peers.addresses.get(payee)
        if address is None:
            raise PeerUnavailableError("it is not connected, and no address is known")
        return await self._peers.connect(address)


def _message(sent: Sent) -> CustomMessage:
    paths = Invoice.from_bytes(sent.invoice).invoice_paths
    assert paths  # by `_pay`
    data = paths[0].hops[0].encrypted_recipient_data
    return Pay(sent.payment_hash, sent.attempt, sent.amount_msat, paths[0].first_path_key, data).message()


def _outcome(sent: Sent) -> Outcome:
    """Return the outcome of a payment that has one."""
    if sent.preimage is not None:
        return Paid(sent.preimage, sent.amount_msat)
    return Failed(sent.reason or "the payee has refused it")
