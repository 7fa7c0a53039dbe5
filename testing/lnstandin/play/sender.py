"""The payments of this node to others.

A payment leaves only after the ledger has it. Then a task repeats it, over whatever connection there is to the payee,
until the payee has the money or refuses it. So only the payee can make a payment fail that may have left. Before the
ledger has it, it fails if the payee cannot be reached, or does not say that it plays. A failure is reported only once
it is on disk: otherwise, the payment would go on after a crash.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from lnoffers.bolt12 import Bolt12Error, Invoice
from lnoffers.net.features import offers
from lnoffers.service.errors import PeerUnavailableError
from lnoffers.service.payments.backend import BackendError, Failed, FailureCode, Outcome, Paid, Uncertain
from lnoffers.service.tasks import done_within, ended_in_bug, growing_pauses
from lnstandin.play.channels import NoRoute
from lnstandin.play.ledger import Sent, State
from lnstandin.play.messages import FEATURE, MAX_NUMBER, Pay, Result, UnusableError
from lnstandin.play.target import Target, UnreachableError

if TYPE_CHECKING:
    from lnoffers.net.messages import CustomMessage
    from lnoffers.service.peers import Link, Peers
    from lnstandin.play.ledger import Ledger
    from lnstandin.play.wire import Wire

FIRST_PAUSE: Final = 0.25
"""Seconds until a payment that gets no answer is sent again; the pause grows with each time."""
LONGEST_PAUSE: Final = 5.0
PATIENCE: Final = 30.0
"""How long a caller waits for the payee, in seconds. It can ask again."""

LABEL: Final[ContextVar[str | None]] = ContextVar("label", default=None)
"""The payer's name for what is paid in this context, where the service's own code, which has no labels, pays."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Failure:
    """What a test wants the next payment to fail with."""

    code: int
    reason: str
    leaves: bool
    """Whether the payment is stored as one that has been tried."""


class Sender:
    """The payments that are under way. Use it within one event loop; `now` returns Unix seconds."""

    def __init__(self, peers: Peers, ledger: Ledger, wire: Wire, now: Callable[[], int]) -> None:
        self.failures: Final[deque[Failure]] = deque()
        """What the next payments fail with, in order."""
        self._peers = peers
        self._ledger = ledger
        self._wire = wire
        self._now = now
        self._awaited: dict[bytes, _Awaited] = {}
        """The results that are waited for, by payment hash."""
        self._following: dict[bytes, asyncio.Task[Sent]] = {}
        """What repeats each payment until there is a result, by payment hash."""

    async def resume(self) -> None:
        """Go on with the payments that were under way when this node ended.

        Raises:
            BackendError: if the ledger cannot be used.
        """
        for sent in await self._ledger.all_sent():
            if sent.state is State.PENDING:
                self.follow(sent, Target.read(sent.invoice))

    async def close(self) -> None:
        """Stop; the ledger has what is under way."""
        tasks = [*self._following.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def pay(self, invoice: Invoice) -> Outcome:
        """Pay an invoice, unless it is paid already; an earlier attempt that may have left is repeated.

        Raises:
            BackendError: if the ledger cannot be used, before anything has left.
        """
        amount = invoice.invoice_amount
        assert amount is not None  # the caller has verified the invoice
        try:
            target = Target.of_bolt12(invoice)
        except UnreachableError as error:
            return Failed(str(error), FailureCode.NO_ROUTE)
        sent = await self.begin(target, amount, LABEL.get())
        if isinstance(sent, NoRoute):
            return Failed(sent.reason, sent.code)
        if isinstance(sent, Failure):
            return Failed(sent.reason, _code(sent.code))
        return await self._complete(sent, target)

    async def find(self, invoice: Invoice) -> Outcome:
        """Return what has become of the payment of an invoice; repeat it if nobody knows.

        Raises:
            BackendError: if the ledger cannot be used.
        """
        assert invoice.invoice_payment_hash is not None  # it was verified before it was paid
        sent = await self._ledger.sent(invoice.invoice_payment_hash)
        return Failed("it was never sent") if sent is None else await self._complete(sent, Target.of_bolt12(invoice))

    async def begin(self, target: Target, amount_msat: int, label: str | None = None) -> Sent | NoRoute | Failure:
        """Write that a payment is about to leave, and return it, or the earlier one of the same invoice.

        Raises:
            BackendError: if the ledger cannot be used.
        """
        if target.payee == self._peers.node_id:
            return NoRoute("play money does not go in circles: the payee is this node")
        if amount_msat > MAX_NUMBER:
            return NoRoute(f"{amount_msat}msat are more than there is")
        link = self._peers.link(target.payee)
        is_ready = link is not None and _plays(link)
        if not is_ready and await self._unfailed(target.payment_hash) is None:
            try:
                link = await self._linked(target.payee)
            except PeerUnavailableError as error:
                return NoRoute(f"the payee cannot be reached: {error}")
            if not _plays(link):
                return NoRoute("the payee does not play: it would have to run with --backend play")
        failure = self.failures.popleft() if self.failures else None
        if failure is not None and not failure.leaves:
            return await self._unfailed(target.payment_hash) or failure
        new = Sent(
            target.payment_hash,
            target.invoice,
            target.payee,
            amount_msat,
            label=label,
            created_at=self._now(),
        )
        if failure is None:
            return await self._ledger.begin(new)
        failed = _ended(new, State.FAILED, new.created_at, reason=failure.reason, code=failure.code)
        sent = await self._ledger.begin(failed)
        return failure if isinstance(sent, Sent) and sent.state is State.FAILED else sent

    def follow(self, sent: Sent, target: Target) -> asyncio.Task[Sent]:
        """Repeat a payment that has begun until there is a result; the task ends with it.

        `target` has its payment hash, and usually is what is being paid.
        """
        if (task := self._following.get(sent.payment_hash)) is None:
            task = asyncio.get_running_loop().create_task(self._follow(sent, target))
            self._following[sent.payment_hash] = task
            task.add_done_callback(lambda _: self._following.pop(sent.payment_hash))
            task.add_done_callback(partial(ended_in_bug, "A payment of this node ended in a bug"))
        return task

    def hurry(self) -> None:
        """Repeat all payments now."""
        for awaited in self._awaited.values():
            awaited.wake()

    def receive(self, link: Link, data: bytes) -> None:
        """Take a result; others than those that are awaited are ignored."""
        try:
            result = Result.read(data)
        except (Bolt12Error, UnusableError) as error:
            logger.debug("Ignored a result from %s: %s", link, error)
            return
        if awaited := self._awaited.get(result.payment_hash):
            awaited.take(link.node_id, result)

    async def _complete(self, sent: Sent, target: Target) -> Outcome:
        """Return the outcome of a payment that may have left; wait for it until patience ends."""
        if sent.state is State.PENDING:
            task = self.follow(sent, target)
            if not await done_within(task, PATIENCE):
                return Uncertain("the payee does not answer")
            sent = task.result()
        if sent.preimage is not None:
            return Paid(sent.preimage, sent.amount_msat)
        return Failed(sent.reason or "the payee has refused it", _code(sent.code))

    async def _follow(self, sent: Sent, target: Target) -> Sent:
        while True:
            result = await self._result(sent, target)
            if result.preimage is not None:
                done = _ended(sent, State.PAID, self._now(), preimage=result.preimage)
                self._ledger.end(done)
                return done
            done = _ended(sent, State.FAILED, self._now(), reason=result.reason)
            try:
                await self._ledger.fail(done)
            except BackendError as error:
                logger.warning("A payment has failed, but stays pending: %s", error)
                await asyncio.sleep(LONGEST_PAUSE)
            else:
                return done

    async def _result(self, sent: Sent, target: Target) -> Result:
        message = _message(sent, target)
        self._awaited[sent.payment_hash] = awaited = _Awaited(sent)
        pauses = growing_pauses(FIRST_PAUSE, LONGEST_PAUSE)
        try:
            while awaited.result is None:
                woken = awaited.next_wake()
                try:
                    await self._wire.send(await self._linked(sent.payee), message)
                except PeerUnavailableError as error:
                    logger.debug("A payment waits for %s: %s", sent.payee.hex(), error)
                await done_within(woken, next(pauses))
        finally:
            del self._awaited[sent.payment_hash]
        return awaited.result

    async def _unfailed(self, payment_hash: bytes) -> Sent | None:
        """Return the last attempt at a payment; None if it has failed, or there is none."""
        sent = await self._ledger.sent(payment_hash)
        return None if sent is None or sent.state is State.FAILED else sent

    async def _linked(self, payee: bytes) -> Link:
        """Return the connection to the payee; without one, connect to it where it was last reached.

        Raises:
            PeerUnavailableError: if that is not possible.
        """
        if (link := self._peers.link(payee)) is not None:
            return link
        address = self._peers.addresses.get(payee)
        if address is None:
            raise PeerUnavailableError("it is not connected, and no address is known")
        return await self._peers.connect(address)


class _Awaited:
    """The result of a payment that has left, once it has come."""

    def __init__(self, sent: Sent) -> None:
        self.result: Result | None = None
        self._sent = sent
        self._woken: asyncio.Future[None] | None = None

    def next_wake(self) -> asyncio.Future[None]:
        """Return what is done when there is a result, or the payment is to be repeated at once."""
        self._woken = asyncio.get_running_loop().create_future()
        return self._woken

    def wake(self) -> None:
        """Repeat the payment, unless it has a result."""
        if self._woken is not None and not self._woken.done():
            self._woken.set_result(None)

    def take(self, sender: bytes, result: Result) -> None:
        """Take a result if the payee has sent it, and it is for this attempt."""
        if sender != self._sent.payee or result.attempt != self._sent.attempt:
            return
        if result.preimage is None or sha256(result.preimage).digest() == self._sent.payment_hash:
            self.result = result
            self.wake()


def _plays(link: Link) -> bool:
    return offers(link.features, FEATURE - 1)


def _ended(sent: Sent, state: State, at: int, **outcome: Any) -> Sent:
    return replace(sent, state=state, completed_at=at, **outcome)


def _code(code: int | None) -> FailureCode:
    """Return the code of a failure: what a test wants, else that the payee has refused the payment."""
    if code is None:
        return FailureCode.REFUSED
    return FailureCode(code) if code in {*FailureCode} else FailureCode.OTHER


def _message(sent: Sent, target: Target) -> CustomMessage:
    """Return the message with a payment; `target` has its payment hash."""
    if target.invoice != sent.invoice:  # another invoice had the same payment hash before
        target = Target.read(sent.invoice)
    end = (target.path_key, target.recipient_data, target.payment_secret)
    return Pay(sent.payment_hash, sent.attempt, sent.amount_msat, *end).message()
