"""A payer: tells the backend once, waits until it knows, and takes over what another one has left."""

from __future__ import annotations

import asyncio

import pytest

from lnoffers.bolt12 import Invoice
from lnoffers.service import Node
from lnoffers.service.payment_states import PaymentState
from lnoffers.service.payments import payer as module
from lnoffers.service.payments.backend import BackendError, Failed, Outcome, Uncertain
from lnoffers.service.payments.limits import DAY, LimitError, Limits
from lnoffers.service.payments.manual import Manual
from lnoffers.service.payments.payer import Payer
from lnoffers.service.status import Status, StatusChange
from lnoffers.service.store import invoicerequests, payments
from lnoffers.service.store.payments import ClaimError, StoredPayment
from tests.bolt12 import samples
from tests.bolt12.samples import NOW
from tests.payments.asking import LOST, NO_ROUTE, SINGLE, asked_for, pay, pay_until, resume, status, stored
from tests.payments.scripted import Scripted, paid, pay_with, payer, ready
from tests.service.invoicing import preimage
from tests.service.paying import invoice_for, request_of


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have payers look and ask at short intervals."""
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.001)


def test_an_invoice_is_paid_and_the_request_used(node: Node) -> None:
    invoice, backend = asked_for(node), Scripted([paid(preimage(1))])
    [payment] = pay(node, backend, invoice)
    assert (payment.state, payment.preimage, payment.sent_msat) == ("paid", preimage(1), 21_003)
    assert stored(node, invoice) == payment
    assert status(node, invoice) == Status.SINGLE_USE | Status.USED
    assert backend.told == [invoice.invoice_payment_hash]


def test_a_definite_failure_leaves_the_request_usable(node: Node) -> None:
    first, second = asked_for(node), asked_for(node, number=2)
    backend = Scripted([NO_ROUTE, paid(preimage(2))])
    failed, payment = pay(node, backend, first, second)
    assert (failed.state, failed.reason) == ("failed", "no route")
    assert payment.state == "paid"


@pytest.mark.parametrize("answer", [LOST, BackendError("no connection"), ZeroDivisionError()], ids=type)
def test_whatever_is_no_definite_failure_keeps_the_claim_until_the_backend_knows(
    node: Node, answer: Uncertain | Exception
) -> None:
    first, second = asked_for(node), asked_for(node, number=2)
    unknown = pay_until(node, Scripted([answer]), first, PaymentState.UNKNOWN)
    assert unknown.reason
    assert status(node, first) == SINGLE | Status.CLAIMED
    with pytest.raises(ClaimError, match="already in progress"):
        pay(node, Scripted(), second)
    backend = Scripted([], [LOST, BackendError("still not"), LOST, paid(preimage(1))])
    assert resume(node, backend, first, PaymentState.PAID).preimage == preimage(1)
    assert backend.told == []
    assert len(backend.asked) == 4


def test_an_answer_that_was_lost_is_found_by_the_same_payer(node: Node) -> None:
    invoice, backend = asked_for(node), Scripted([LOST], [LOST, paid(preimage(1))])
    [payment] = pay(node, backend, invoice)
    assert payment.state == "paid"
    assert len(backend.told) == 1


def test_an_invoice_whose_backend_was_never_told_is_paid_by_the_next_payer(node: Node) -> None:
    invoice = asked_for(node)
    pay_until(node, Scripted(), invoice, PaymentState.PAYING)
    backend = Scripted([paid(preimage(1))], [Failed("the node has never seen it")])
    assert resume(node, backend, invoice, PaymentState.PAID).state == "paid"
    assert (len(backend.asked), len(backend.told)) == (1, 1)


@pytest.mark.parametrize("why", ["expired", "request expired", "disabled"])
def test_the_next_payer_does_not_begin_again_with_what_may_not_be_paid_any_more(node: Node, why: str) -> None:
    invoice = asked_for(node, offer_absolute_expiry=NOW + 10)
    pay_until(node, Scripted(), invoice, PaymentState.PAYING)
    if why == "expired":
        node.inject(None, invoice.expires_at + 1)
    elif why == "request expired":
        node.inject(None, NOW + 11)
    else:
        with node.store.transaction() as connection:
            invoicerequests.change(connection, invoice.invreq_id, StatusChange.DISABLED)
    backend = Scripted([], [Failed("the node has never seen it")])
    assert resume(node, backend, invoice, PaymentState.FAILED).reason == "the node has never seen it"
    assert backend.told == []


def test_a_failure_after_an_uncertain_answer_is_not_begun_again(node: Node) -> None:
    invoice, backend = asked_for(node), Scripted([LOST], [NO_ROUTE])
    [payment] = pay(node, backend, invoice)
    assert (payment.state, len(backend.told)) == ("failed", 1)


def test_a_claim_of_a_living_payer_is_left_to_it(node: Node) -> None:
    invoice = asked_for(node)
    first, second = Scripted(), Scripted()

    async def use(first_payer: Payer) -> None:
        task = asyncio.create_task(pay_with(first_payer, invoice))
        while not first.told:
            await asyncio.sleep(0.001)
        with payer(node, second) as other:
            working = asyncio.create_task(other.work())
            await asyncio.sleep(0.1)
            working.cancel()
        task.cancel()

    ready(node, first, use)
    assert second.asked == []
    assert stored(node, invoice).state == "paying"


def test_a_payment_that_another_backend_has_begun_waits_for_it(node: Node, caplog: pytest.LogCaptureFixture) -> None:
    invoice = asked_for(node)
    pay_until(node, Scripted(), invoice, PaymentState.PAYING)
    other = Scripted([], [NO_ROUTE])
    other.identity = "another"

    async def use(_: Payer) -> None:
        await asyncio.sleep(0.1)

    ready(node, other, use)
    assert stored(node, invoice).state == "paying"
    assert other.asked == []
    assert caplog.text.count("waits for its backend, scripted") == 1


def test_a_payer_that_lost_its_claim_stops(node: Node, caplog: pytest.LogCaptureFixture) -> None:
    invoice, answer = asked_for(node), asyncio.Event()

    class Slow(Scripted):
        async def pay(self, invoice: Invoice, /) -> Failed:
            self.told.append(invoice.invoice_payment_hash or b"")
            await answer.wait()
            return NO_ROUTE

    backend = Slow()

    async def use(payer: Payer) -> StoredPayment:
        task = asyncio.create_task(pay_with(payer, invoice))
        while not backend.told:
            await asyncio.sleep(0.001)
        begun = stored(node, invoice)
        with node.store.transaction() as connection:
            payments.take_over(connection, begun, "another")
        answer.set()
        return await task

    ready(node, backend, use)
    assert "Another server has taken over the payment" in caplog.text
    assert stored(node, invoice).state == "unknown"
    assert status(node, invoice) == SINGLE | Status.CLAIMED


def test_a_payment_goes_on_whenever_its_caller_gives_up(node: Node) -> None:
    """Also before the claim is stored."""
    many = Status.created(single_use=False)
    invoices = [asked_for(node, many, number) for number in range(1, 9)]

    async def use(payer: Payer) -> None:
        for steps, invoice in enumerate(invoices):
            task = asyncio.create_task(pay_with(payer, invoice))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
        while len(backend.told) < len(invoices) - 1 or payer._tasks:  # the first was cancelled before it was called
            await asyncio.sleep(0.001)

    backend = Scripted([NO_ROUTE] * len(invoices))
    ready(node, backend, use)
    with node.store.transaction(writes=False) as connection:
        assert not payments.open_payments(connection)


def test_a_limit_for_one_payment_is_kept(node: Node) -> None:
    with pytest.raises(LimitError, match="21000msat are more than one payment may have"):
        pay(node, Scripted(), asked_for(node), limits=Limits(payment_msat=20_999))
    assert status(node, asked_for(node)) == SINGLE


def test_a_limit_for_a_day_counts_what_was_paid_in_it_and_what_may_still_be(node: Node) -> None:
    many = Status.created(single_use=False)
    first, second, third = (asked_for(node, many, number) for number in (1, 2, 3))
    limits = Limits(daily_msat=50_000)
    pay(node, Scripted([paid(preimage(1))]), first, limits=limits)
    pay_until(node, Scripted([LOST]), second, PaymentState.UNKNOWN)
    with pytest.raises(LimitError, match="of which 42008msat are used"):
        pay(node, Scripted(), third, limits=limits)
    node.inject(None, NOW + DAY + 1)
    assert pay(node, Scripted([NO_ROUTE], [LOST] * 1000), third, limits=limits)[0].state == "failed"


def test_a_request_for_many_uses_has_a_limited_number_of_payments_at_a_time(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise whoever has such a request could fill the disk, where nobody pays or the payee keeps payments."""
    monkeypatch.setattr(module, "MAX_OPEN", 2)
    first, second, third = (asked_for(node, Status.created(single_use=False), number) for number in (1, 2, 3))
    pay(node, Manual(), first, second)
    with pytest.raises(ClaimError, match="2 invoices for this invoice_request wait or are being paid"):
        pay(node, Manual(), third)
    node.inject(None, first.expires_at + 1)
    resume(node, Manual(), second, PaymentState.FAILED)
    assert pay(node, Manual(), third)[0].state == "claimed"


def test_a_claim_that_nobody_was_told_of_ends_with_its_invoice(node: Node) -> None:
    """Whichever backend the server has by then."""
    invoice = asked_for(node)
    pay(node, Manual(), invoice)
    node.inject(None, invoice.expires_at + 1)
    assert resume(node, Scripted(), invoice, PaymentState.FAILED).reason == "nobody has paid it in time"
    assert status(node, invoice) == SINGLE


@pytest.mark.parametrize("text", ["lni1", "lni1!"])
def test_a_claim_with_a_damaged_invoice_is_kept_and_does_not_stop_the_others(
    node: Node, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    many = Status.created(single_use=False)
    first, second = asked_for(node, many), asked_for(node, many, 2)
    for invoice in (first, second):
        pay_until(node, Scripted([LOST]), invoice, PaymentState.UNKNOWN)
    with node.store.transaction() as connection:
        damage = "UPDATE payments SET bolt12 = ? WHERE payment_hash = ?"
        connection.execute(damage, (text, first.invoice_payment_hash))
    assert resume(node, Scripted([], [paid(preimage(2))]), second, PaymentState.PAID)
    assert stored(node, first).state == "unknown"
    assert caplog.text.count("its invoice is damaged") == 1


def test_a_claim_that_is_not_counted_fails_for_certain_and_only_the_log_says_why(
    node: Node, caplog: pytest.LogCaptureFixture
) -> None:
    """The payee gets the reason of a failure, and the error may name a file."""

    class Broken:
        async def read(self) -> int | None:
            return None

        async def write(self, count: int) -> None:
            if count:
                raise BackendError("cannot write /home/alice/count: the disk is full")

    invoice, backend = asked_for(node), Scripted(witness=Broken())
    [payment] = pay(node, backend, invoice)
    assert payment.state == "failed"
    assert payment.reason == "the payer cannot record its payments now"
    assert "cannot write /home/alice/count: the disk is full" in caplog.text
    assert backend.told == []


def test_claims_that_begin_together_are_counted_once_and_before_the_backend_is_told(node: Node) -> None:
    invoices = [asked_for(node, Status.ACTIVE, number) for number in (1, 2, 3)]
    happened: list[object] = []

    class Noting:
        async def read(self) -> int | None:
            return 0

        async def write(self, count: int) -> None:
            happened.append(count)

    class Told(Scripted):
        async def pay(self, invoice: Invoice, /) -> Outcome:
            happened.append("told")
            return await super().pay(invoice)

    async def use(payer: Payer) -> None:
        with node.store.transaction() as connection:
            claimed = [payer.claim(connection, invoice) for invoice in invoices]
        paying = [payer.submit(*each) for each in zip(claimed, invoices, strict=True)]
        assert [ending.payment.state for ending in await asyncio.gather(*paying)] == ["paid"] * 3

    ready(node, Told([paid(preimage(number)) for number in (1, 2, 3)], witness=Noting()), use)
    assert happened == [3, "told", "told", "told"]


def test_a_sum_that_no_column_holds_is_refused(node: Node) -> None:
    fetched = invoice_for(request_of(node, samples.offer(offer_amount=2**63)))
    with pytest.raises(ClaimError, match="invoice amount is too large"):
        pay(node, Scripted(), fetched)
