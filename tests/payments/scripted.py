"""A payment backend that does as it is told, and a payer with it on a node of its own."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from clnrpc.runtime.errors import GENERIC, RpcError
from lnoffers.bolt12 import Invoice
from lnoffers.service import Node
from lnoffers.service.errors import StoreError
from lnoffers.service.payments.backend import Backend, Outcome, Paid, Witness
from lnoffers.service.payments.limits import LimitError, Limits
from lnoffers.service.payments.owners import Owner
from lnoffers.service.payments.payer import Payer
from lnoffers.service.store.payments import ClaimError, StoredPayment

T = TypeVar("T")
Answer = Outcome | Exception


class Scripted(Backend):
    """Answers what it is told, in order; without anything told, it waits for ever, as a slow node does.

    Attributes:
        told: the payment hashes that it was told to pay.
        asked: those that it was asked about.
    """

    identity = "scripted"

    def __init__(
        self,
        paying: list[Answer] | None = None,
        finding: list[Answer] | None = None,
        known: list[tuple[Invoice, Outcome]] | None = None,
        witness: Witness | None = None,
    ) -> None:
        self.told: list[bytes] = []
        self.asked: list[bytes] = []
        self._paying = deque(paying or ())
        self._finding = deque(finding or ())
        self._known = known or []
        self._witness = witness

    async def pay(self, invoice: Invoice, /) -> Outcome:
        self.told.append(invoice.invoice_payment_hash or b"")
        return await _next(self._paying)

    async def find(self, invoice: Invoice, /) -> Outcome:
        self.asked.append(invoice.invoice_payment_hash or b"")
        return await _next(self._finding)

    def fee_limit(self, amount_msat: int) -> int:
        return 5 if amount_msat else 0

    async def payments(self) -> AsyncIterator[tuple[Invoice, Outcome]]:
        for each in self._known:
            yield each

    def witness(self) -> Witness | None:
        return self._witness


async def _next(answers: deque[Answer]) -> Outcome:
    if not answers:
        await asyncio.Event().wait()
    answer = answers.popleft()
    if isinstance(answer, Exception):
        raise answer
    return answer


async def run_now(function: Callable[[], T]) -> T:
    """Run a function that uses the store, as a server's thread does."""
    await asyncio.sleep(0)
    try:
        return function()
    except StoreError as error:
        raise RpcError(GENERIC, str(error)) from error


@contextmanager
def payer(node: Node, backend: Backend, limits: Limits | None = None) -> Iterator[Payer]:
    """Yield a payer of this process on the node's store. When the block ends it is gone as if it was killed."""
    node.changes.run = run_now
    store = node.options.store_file
    owner = Owner.enter(store.with_name(f"{store.name}.payers"))
    try:
        yield Payer(node, backend, owner, limits or Limits())
    finally:
        owner.leave()


async def pay_with(payer: Payer, invoice: Invoice) -> StoredPayment:
    """Claim and pay an invoice as xpay does, so that it goes on if this is cancelled; raise what refuses the claim."""
    refused: list[ClaimError | LimitError] = []

    def claim() -> StoredPayment:
        try:
            with payer._node.store.transaction() as connection:
                return payer.claim(connection, invoice)
        except (ClaimError, LimitError) as refusal:
            refused.append(refusal)
            raise RpcError(GENERIC, str(refusal)) from refusal

    try:
        return (await asyncio.shield(payer.begin(claim, invoice))).payment
    except RpcError:
        for refusal in refused:
            raise refusal from None
        raise


def ready(node: Node, backend: Backend, use: Callable[[Payer], Awaitable[T]], limits: Limits | None = None) -> T:
    """Run a payer until `use` returns; it has compared the store with the backend before."""

    async def main() -> T:
        with payer(node, backend, limits) as made:
            await made.start()
            working = asyncio.create_task(made.work())
            while made.halted:
                assert not working.done() or working.result() is None
                await asyncio.sleep(0.001)
            try:
                return await use(made)
            finally:
                working.cancel()
                for task in made._tasks:
                    task.cancel()

    return asyncio.run(main())


def paid(secret: bytes) -> Paid:
    """Return the outcome of a payment with this preimage."""
    return Paid(secret, 21_003)
