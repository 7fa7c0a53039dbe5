"""A payer whose store was restored from a backup learns what was paid since, before it pays anything."""

from __future__ import annotations

import asyncio
import logging

import pytest

from lnoffers.service import Node
from lnoffers.service.payment_states import PaymentState
from lnoffers.service.payments import payer as module
from lnoffers.service.payments.backend import BackendError, Outcome
from lnoffers.service.payments.manual import COMPARE, Manual
from lnoffers.service.payments.witness import FileWitness
from lnoffers.service.status import Status
from lnoffers.service.store import payments
from lnoffers.service.store.payments import ClaimError
from lnoffers.service.store.schema import PAYMENTS
from tests.bolt12 import samples
from tests.bolt12.samples import NOW
from tests.payments.asking import LOST, NO_ROUTE, SINGLE, asked_for, pay, pay_until, resume, status, stored
from tests.payments.scripted import Scripted, paid, pay_with, payer
from tests.service.invoicing import preimage
from tests.service.paying import invoice_for, request_of


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have payers look and ask at short intervals."""
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.001)


def forget(node: Node) -> None:
    """Bring the store back to what it was before the first payment, as a backup does."""
    with node.store.transaction() as connection:
        connection.execute("DELETE FROM payments")
        connection.execute("UPDATE invoicerequests SET status = ?", (SINGLE.value,))
        connection.execute("UPDATE counters SET last = 0 WHERE name = 'fence'")


def test_a_restored_store_gets_back_what_was_paid_before_anything_is_paid(
    node: Node, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    first, second = asked_for(node), asked_for(node, number=2)
    pay(node, Scripted([paid(preimage(1))]), first)
    forget(node)
    with pytest.raises(ClaimError, match="Single-use invoice_request already paid with"):
        pay(node, Scripted([], known=[(first, paid(preimage(1)))]), second)
    assert "restored from a backup" in caplog.text
    assert status(node, first) == Status.SINGLE_USE | Status.USED
    assert stored(node, first).preimage == preimage(1)
    caplog.clear()
    with pytest.raises(ClaimError):
        pay(node, Scripted(), second)
    assert "restored" not in caplog.text, "once it is compared, it is not again"


def test_a_restored_store_gets_back_the_claim_of_what_is_still_being_paid(node: Node) -> None:
    first = asked_for(node)
    pay_until(node, Scripted(), first, PaymentState.PAYING)
    forget(node)
    backend = Scripted([], [LOST, paid(preimage(1))], known=[(first, LOST)])
    assert resume(node, backend, first, PaymentState.PAID).preimage == preimage(1)
    assert backend.told == []


def test_nothing_is_paid_while_a_restored_store_cannot_be_compared(node: Node) -> None:
    first, second = asked_for(node), asked_for(node, number=2)
    pay(node, Scripted([NO_ROUTE]), first)
    forget(node)

    class Silent(Scripted):
        async def payments(self):  # type: ignore[no-untyped-def,override]
            raise BackendError("the node does not answer")
            yield

    async def main() -> None:
        with payer(node, Silent()) as made:
            await made.start()
            working = asyncio.create_task(made.work())
            await asyncio.sleep(0.05)
            with pytest.raises(ClaimError, match="payments have not begun"):
                await pay_with(made, second)
            working.cancel()

    asyncio.run(main())


def test_a_lost_counter_means_that_the_store_may_be_restored(node: Node, caplog: pytest.LogCaptureFixture) -> None:
    first = asked_for(node)
    pay(node, Scripted([paid(preimage(1))]), first)
    node.options.store_file.with_name(f"{node.options.store_file.name}.fence").unlink()
    resume(node, Scripted(known=[(first, paid(preimage(1)))]), first, PaymentState.PAID)
    assert "restored from a backup" in caplog.text


def test_without_a_backend_nothing_is_claimed_until_the_operator_has_compared_a_restored_store(
    node: Node, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = asked_for(node), asked_for(node, number=2)
    assert pay(node, Manual(), first)[0].state == "claimed"
    forget(node)

    async def main() -> None:
        with payer(node, Manual()) as made:
            await made.start()
            working = asyncio.create_task(made.work())
            await asyncio.sleep(0.05)
            with pytest.raises(ClaimError, match="payments have not begun"):
                await pay_with(made, second)
            with node.store.transaction() as connection:
                payments.raise_fence(connection, 1)  # as paybyhand does
            while made.halted:
                await asyncio.sleep(0.001)
            assert (await pay_with(made, second)).state == "claimed"
            working.cancel()

    asyncio.run(main())
    assert caplog.text.count(COMPARE) == 1


def test_a_restored_store_gets_back_payments_of_invoices_for_offers(node: Node) -> None:
    fetched = invoice_for(request_of(node, samples.offer()))
    node.inject(None, NOW)
    pay(node, Scripted([paid(preimage(1))]), fetched)
    forget(node)
    foreign = invoice_for(samples.request_for(samples.offer()), 3)
    known = [(fetched, paid(preimage(1))), (foreign, paid(preimage(3)))]
    resume(node, Scripted(known=known), fetched, PaymentState.PAID)
    with node.store.transaction(writes=False) as connection:
        assert payments.by_payment_hash(connection, foreign.invoice_payment_hash or b"") is None


@pytest.mark.parametrize("rival", [paid(preimage(2)), LOST], ids=["paid", "pending"])
def test_a_backup_with_an_open_claim_does_not_pay_it_beside_its_rival(node: Node, rival: Outcome) -> None:
    first, second = asked_for(node), asked_for(node, number=2)
    pay_until(node, Scripted(), first, PaymentState.PAYING)
    with node.store.transaction(writes=False) as connection:
        backup = connection.execute("SELECT * FROM payments").fetchall()
    failed = Scripted([], [NO_ROUTE])
    node.inject(None, first.expires_at + 1)  # so that it is not begun again
    resume(node, failed, first, PaymentState.FAILED)
    node.inject(None, NOW)
    pay_until(node, Scripted(), second, PaymentState.PAYING)
    forget(node)
    with node.store.transaction() as connection:
        connection.execute(PAYMENTS.insert(), backup[0])
        connection.execute("UPDATE invoicerequests SET status = ?", ((SINGLE | Status.CLAIMED).value,))
        connection.execute("UPDATE counters SET last = 1 WHERE name = 'fence'")
    backend = Scripted([], [LOST] * 3 + [paid(preimage(2))], known=[(second, rival)])
    resume(node, backend, second, PaymentState.PAID)
    assert stored(node, first).state == "failed"
    assert status(node, first) == Status.SINGLE_USE | Status.USED
    assert backend.told == []


def test_two_payments_for_one_request_are_both_recorded_and_the_request_is_used(node: Node) -> None:
    """They must not be, but if somebody else has paid one, nothing more is."""
    first, second = asked_for(node), asked_for(node, number=2)
    pay(node, Scripted([paid(preimage(1))]), first)
    forget(node)
    known = [(second, LOST), (first, paid(preimage(1)))]
    backend = Scripted([], [NO_ROUTE], known=known)
    assert resume(node, backend, second, PaymentState.FAILED)
    assert stored(node, first).state == "paid"
    assert status(node, first) == Status.SINGLE_USE | Status.USED
    assert backend.told == []


def test_a_counter_of_another_backend_tells_of_a_restore_too(node: Node, caplog: pytest.LogCaptureFixture) -> None:
    class Counted:
        def __init__(self) -> None:
            self.count: int | None = None

        async def read(self) -> int | None:
            return self.count

        async def write(self, count: int) -> None:
            self.count = max(self.count or 0, count)

    first, mine, others = asked_for(node), Counted(), Counted()
    pay(node, Scripted([NO_ROUTE], witness=mine), first)
    with node.store.transaction(writes=False) as connection:
        fence = payments.last_fence(connection)
    pay(node, Scripted([paid(preimage(1))], witness=others), first)
    assert others.count is not None
    assert mine.count == fence < others.count
    forget(node)
    with node.store.transaction() as connection:
        payments.raise_fence(connection, fence)
    resume(node, Scripted(witness=mine, known=[(first, paid(preimage(1)))]), first, PaymentState.PAID)
    assert "restored from a backup" in caplog.text


def test_the_file_of_the_counter_is_right_whoever_writes_it_at_once(node: Node) -> None:
    file = FileWitness(node.options)

    async def main() -> None:
        for start in range(0, 200, 8):
            await asyncio.gather(*(file.write(start + number) for number in range(8)))
            assert await file.read() == start + 7

    asyncio.run(main())
    node.options.store_file.with_name("lnoffers.sqlite3.fence").write_text("x")
    with pytest.raises(BackendError, match="damaged"):
        file.current()
