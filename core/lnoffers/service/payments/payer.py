"""Pay invoices with a backend, by the table of `payment_states`, in the event loop.

Each payment has a task, which takes one step after the other. A step is a transaction of its own, in the thread that
uses the store. The backend is told only after the claim is on disk, and after the witness has counted it. So whatever
ends this process, the next one finds the claim, takes it over, and asks the backend until it knows.

If the backend turns out never to have been told, or to have failed, the new owner tells it once more: the process may
have ended right before.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from clnrpc.runtime.errors import RpcError
from lnoffers.bolt12 import Bolt12Error, Invoice
from lnoffers.service.errors import ServiceError, StoreError
from lnoffers.service.escaping import escape
from lnoffers.service.payment_states import PaymentEvent, PaymentState
from lnoffers.service.payments.backend import BackendError, Failed, FailureCode, Outcome, Paid, Uncertain
from lnoffers.service.payments.comparing import Known, bring_in, is_ours
from lnoffers.service.payments.witness import BothWitnesses, FileWitness, is_restored
from lnoffers.service.status import Status
from lnoffers.service.store import invoicerequests, payments
from lnoffers.service.store.invoices import MAX_NUMBER
from lnoffers.service.store.payments import ClaimError, NewPayment, StoredPayment
from lnoffers.service.tasks import ended_in_bug, growing_pauses

if TYPE_CHECKING:
    from lnoffers.service.node import Node
    from lnoffers.service.payments.backend import Backend, Witness
    from lnoffers.service.payments.limits import Limits
    from lnoffers.service.payments.owners import Owner
    from lnoffers.service.store import Connection

T = TypeVar("T")

FIRST_PAUSE: Final = 0.05
"""Seconds until an uncertain backend is asked again; the pause grows with each time."""
LONGEST_PAUSE: Final = 30.0
MAX_OPEN: Final = 100
"""How many invoices for one request may wait or be paid at a time, so that a payee cannot fill the disk with them."""
LOOK_SECONDS: Final = 5.0
"""The interval at which claims without an owner are looked for, and those that nobody has paid by hand in time."""

NOT_LOOKED: Final = "payments have not begun: the backend is being asked what was paid before"
NOT_COUNTED: Final = "the payer cannot record its payments now"
"""For the payee, who must not see the names of files."""
RESTORED: Final = (
    "The store was restored from a backup, or its counter of payments is lost (the store has %d, and the counter %s). "
    "What was paid since is compared before anything is paid"
)

logger = logging.getLogger(__name__)


class _ClaimLostError(ServiceError):
    """Another server has taken over the claim."""


@dataclass(frozen=True, slots=True)
class Ending:
    """A payment as it is stored when this server does nothing more for it."""

    payment: StoredPayment
    code: FailureCode = FailureCode.OTHER
    """The kind of failure, if the payment has failed; it is not stored."""


class Payer:
    """The payments of one server. Use it within one event loop.

    Args:
        node: its store is used only in the thread for it.
        backend: moves the money.
        owner: this server among those that use the store.
        limits: what may be paid.
    """

    def __init__(self, node: Node, backend: Backend, owner: Owner, limits: Limits) -> None:
        self.backend: Final = backend
        self.halted = NOT_LOOKED
        """Why nothing is paid now; empty if something may be."""
        self._node = node
        self._owner = owner
        self._limits = limits
        self._file = FileWitness(node.options)
        self._witness: Witness = self._file
        self._claimed = 0
        """The highest fence of the claims on disk, which is counted once for all that begin together."""
        self._tasks: set[asyncio.Task[Ending]] = set()
        self._warned: set[str] = set()

    async def start(self) -> None:
        """Start the backend, and the counter outside of the store.

        Raises:
            BackendError: if they cannot be used.
            StoreError: if the store fails.
        """
        await self.backend.start()
        own = self.backend.witness()
        if own is not None:
            self._witness = BothWitnesses(own, self._file)
        try:
            last = await self._last_fence()
        except RpcError as error:
            raise StoreError(error.message) from error
        if last == 0 and await self._witness.read() is None:
            await self._witness.write(0)  # so that a crash before the first payment is counted is not like a restore

    def claim(self, connection: Connection, invoice: Invoice) -> StoredPayment:
        """Claim the request of a verified invoice for it, within the caller's transaction.

        Raises:
            ClaimError: if it cannot be claimed, or nothing is paid now.
            LimitError: if it is too much.
        """
        if self.halted:
            raise ClaimError(self.halted)
        new = self._new(invoice)
        if new.limit_msat > MAX_NUMBER:
            raise ClaimError("invoice amount is too large")
        if self.backend.pays:
            self._limits.check(connection, new)
        payment = payments.claim(connection, new, PaymentState.PAYING if self.backend.pays else PaymentState.CLAIMED)
        if not payment.single_use and (count := payments.count_open(connection, new.invreq_id)) > MAX_OPEN:
            raise ClaimError(f"{count - 1} invoices for this invoice_request wait or are being paid")
        return payment

    def submit(self, payment: StoredPayment, invoice: Invoice) -> asyncio.Task[Ending]:
        """Begin to pay what was claimed."""
        self._claimed = max(self._claimed, payment.fence)
        return self._start(self._pay(payment, invoice))

    def begin(self, claim: Callable[[], StoredPayment], invoice: Invoice) -> asyncio.Task[Ending]:
        """Claim an invoice with a function that uses the store, and pay it, whether or not anybody waits for the task.

        The task may end with the RpcError that `claim` raises.
        """

        async def claim_and_pay() -> Ending:
            return await self._pay(await self._node.changes.run(claim), invoice)

        return self._start(claim_and_pay())

    def _start(self, work: Coroutine[None, None, Ending]) -> asyncio.Task[Ending]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Ending]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or not isinstance(task.exception(), RpcError):
            ended_in_bug("A payment ended in a bug", task)

    async def work(self) -> None:
        """Compare the store with what the backend knows, and look after claims, for as long as this runs."""
        await self._settled(self._compare)
        while True:
            await self._settled(self._look)
            await asyncio.sleep(LOOK_SECONDS)

    async def close(self) -> None:
        """Stop; the next server takes over what is being paid."""
        self.halted = "the server is stopping"
        tasks = [*self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.backend.close()
        self._owner.leave()

    def _new(self, invoice: Invoice) -> NewPayment:
        assert invoice.invoice_payment_hash is not None  # it is verified
        assert invoice.invoice_amount is not None
        return NewPayment(
            payment_hash=invoice.invoice_payment_hash,
            invreq_id=invoice.invreq_id,
            offer_id=invoice.offer_id,
            bolt12=invoice.encode(),
            amount_msat=invoice.invoice_amount,
            limit_msat=invoice.invoice_amount + self.backend.fee_limit(invoice.invoice_amount),
            expires_at=min(invoice.expires_at, MAX_NUMBER),
            backend=self.backend.identity,
            owner=self._owner.name,
            created_at=self._node.clock.now(),
        )

    # ---- one payment

    async def _pay(self, payment: StoredPayment, invoice: Invoice) -> Ending:
        try:
            if not self.backend.pays:
                await self._witness.write(payment.fence)
                return Ending(payment)
            return await self._pay_until_known(payment, invoice)
        except _ClaimLostError:
            logger.warning("Another server has taken over the payment %s", payment.payment_hash.hex())
        except BackendError as error:
            logger.warning("The payment %s is not counted: %s", payment.payment_hash.hex(), error)
        return Ending(payment)

    async def _pay_until_known(self, payment: StoredPayment, invoice: Invoice) -> Ending:
        pauses = growing_pauses(FIRST_PAUSE, LONGEST_PAUSE)
        if payment.state is PaymentState.PAYING:
            outcome = await self._tell(payment, invoice)
        else:
            outcome = await self._ask(self.backend.find, invoice)
        while True:
            if isinstance(outcome, Failed) and payment.state is PaymentState.UNKNOWN and payment.reason is None:
                again = await self._again(payment, invoice)
                if again is not None:
                    payment, outcome = again, await self._tell(again, invoice)
            if not isinstance(outcome, Uncertain):
                return await self._complete(payment, outcome)
            if payment.state is PaymentState.PAYING:
                logger.warning("The payment %s is uncertain: %s", payment.payment_hash.hex(), outcome.reason)
                payment = await self._step(payment, PaymentEvent.LOST, reason=outcome.reason)
            await asyncio.sleep(next(pauses))
            outcome = await self._ask(self.backend.find, invoice)

    async def _tell(self, payment: StoredPayment, invoice: Invoice) -> Outcome:
        """Let the backend pay, after the witness has counted the claim."""
        try:
            await self._witness.write(max(self._claimed, payment.fence))
        except BackendError as error:
            logger.warning(
                "The payment %s is not made, because it cannot be counted: %s", payment.payment_hash.hex(), error
            )
            return Failed(NOT_COUNTED)
        return await self._ask(self.backend.pay, invoice)

    async def _ask(self, method: Callable[[Invoice], Awaitable[Outcome]], invoice: Invoice) -> Outcome:
        try:
            return await method(invoice)
        except BackendError as error:
            return Uncertain(str(error))
        except Exception:  # a backend may be anybody's: whatever it does wrong, the claim is kept
            logger.exception("The payment backend failed")
            return Uncertain("the backend ended in a bug")

    async def _complete(self, payment: StoredPayment, outcome: Paid | Failed) -> Ending:
        at = self._node.clock.now()
        if isinstance(outcome, Failed):  # as often as strangers like: no line at the usual level
            logger.debug("The payment %s has failed: %s", payment.payment_hash.hex(), escape(outcome.reason))
            failed = await self._step(payment, PaymentEvent.FAILED, completed_at=at, reason=outcome.reason)
            return Ending(failed, outcome.code)
        logger.info("Paid %d msat (%s)", payment.amount_msat, payment.payment_hash.hex())
        preimage, sent = outcome.preimage, outcome.sent_msat
        return Ending(await self._step(payment, PaymentEvent.PAID, completed_at=at, preimage=preimage, sent_msat=sent))

    async def _again(self, payment: StoredPayment, invoice: Invoice) -> StoredPayment | None:
        """Return the payment as one that the backend is about to be told of again; None if it may not be paid now."""
        return await self._patiently(partial(self._begin_again, payment, invoice))

    def _begin_again(self, payment: StoredPayment, invoice: Invoice) -> StoredPayment | None:
        now = self._node.clock.now()
        with self._node.store.transaction() as connection:
            status = invoicerequests.status_of(connection, payment.invreq_id)
            if status is not None:
                is_claim_lost = Status.SINGLE_USE in status and not payment.single_use
                if Status.ACTIVE not in status or is_claim_lost or now > (invoice.offer_absolute_expiry or now):
                    return None
            if payment.expires_at < now:
                return None
            return payments.step(connection, payment, PaymentEvent.AGAIN)

    async def _step(self, payment: StoredPayment, event: PaymentEvent, **changes: int | bytes | str) -> StoredPayment:
        """Take a step, however long the store cannot be written.

        Raises:
            _ClaimLostError: if another server has the claim.
        """

        def step() -> StoredPayment | None:
            with self._node.store.transaction() as connection:
                return payments.step(connection, payment, event, **changes)

        changed = await self._patiently(step)
        self._node.changes.tell()
        if changed is None:
            raise _ClaimLostError
        return changed

    async def _patiently(self, function: Callable[[], T]) -> T:
        """Run a function that uses the store, again and again until the store does not fail."""
        pauses = growing_pauses(FIRST_PAUSE, LONGEST_PAUSE)
        while True:
            try:
                return await self._node.changes.run(function)
            except RpcError as error:
                logger.warning("A payment waits for the store: %s", error.message)
                await asyncio.sleep(next(pauses))

    # ---- all payments

    async def _settled(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do something until neither the backend nor the store fails."""
        pauses = growing_pauses(FIRST_PAUSE, LONGEST_PAUSE)
        while True:
            try:
                return await work()
            except RpcError as error:
                why = error.message
            except ServiceError as error:
                why = str(error)
            self._warn_once(f"Payments wait: {why}")
            await asyncio.sleep(next(pauses))

    async def _compare(self) -> None:
        """If the store was restored from a backup, bring in what was paid since; then let payments begin."""
        count, last = await self._witness.read(), await self._last_fence()
        if is_restored(last, count):
            self._warn_once(RESTORED % (last, "none" if count is None else count))
            known = [Known(self._new(invoice), outcome) async for invoice, outcome in self._known()]
            followed = await self._node.changes.run(partial(self._bring_in, known, count or 0))
            await self._witness.write(await self._last_fence())
            for payment in followed:
                self.submit(payment, Invoice.parse(payment.bolt12))
        self.halted = ""

    async def _last_fence(self) -> int:
        return await self._node.changes.run(partial(self._read, payments.last_fence))

    async def _known(self) -> AsyncIterator[tuple[Invoice, Paid | Uncertain]]:
        """Return what the backend knows of this node's requests."""
        async for invoice, outcome in self.backend.payments():
            if not isinstance(outcome, Failed) and await self._node.changes.run(partial(self._is_ours, invoice)):
                yield invoice, outcome

    def _bring_in(self, known: Sequence[Known], count: int) -> Sequence[StoredPayment]:
        at = self._node.clock.now()
        with self._node.store.transaction() as connection:
            payments.raise_fence(connection, count)
            return bring_in(connection, known, self.backend.identity, self._owner.has_ended, at)

    def _is_ours(self, invoice: Invoice) -> bool:
        with self._node.store.transaction(writes=False) as connection:
            return is_ours(connection, self._node.keys, invoice)

    def _read(self, query: Callable[[Connection], T]) -> T:
        with self._node.store.transaction(writes=False) as connection:
            return query(connection)

    async def _look(self) -> None:
        """Take over claims whose owner has ended, and end those that nobody has paid by hand in time."""
        for payment in await self._node.changes.run(partial(self._read, payments.open_payments)):
            if payment.state is PaymentState.CLAIMED and payment.expires_at < self._node.clock.now():
                await self._end_late(payment)
            elif not self._owner.has_ended(payment.owner):
                pass
            elif payment.backend != self.backend.identity:
                self._warn_once(f"The payment {payment.payment_hash.hex()} waits for its backend, {payment.backend}")
            else:
                await self._go_on(payment)

    async def _go_on(self, payment: StoredPayment) -> None:
        """Take over a claim whose owner has ended, and go on with it."""
        try:
            invoice = Invoice.parse(payment.bolt12)
        except Bolt12Error:
            invoice = None
        if invoice is None or invoice.invoice_payment_hash != payment.payment_hash:
            self._warn_once(f"The payment {payment.payment_hash.hex()} waits: its invoice is damaged in the store")
            return
        taken = await self._node.changes.run(partial(self._take_over, payment))
        if taken is not None and self.backend.pays:
            self.submit(taken, invoice)

    def _warn_once(self, what: str) -> None:
        """Log why a payment, or all of them, cannot go on."""
        if what not in self._warned:
            self._warned.add(what)
            logger.warning("%s", what)

    def _take_over(self, payment: StoredPayment) -> StoredPayment | None:
        with self._node.store.transaction() as connection:
            return payments.take_over(connection, payment, self._owner.name)

    async def _end_late(self, payment: StoredPayment) -> None:
        """End a claim that nobody has been told to pay, and whose invoice has expired."""
        why = "nobody has paid it in time"
        with suppress(_ClaimLostError):  # somebody has begun to pay it
            await self._step(payment, PaymentEvent.FAILED, completed_at=self._node.clock.now(), reason=why)
