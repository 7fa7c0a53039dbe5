"""Payments between two nodes: paid once whatever happens, and failed only if the payee says so or nothing has left."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from lnoffers.bolt12 import Invoice
from lnoffers.service.clock import FixedClock
from lnoffers.service.payments.backend import BackendError, Failed, FailureCode, Outcome, Paid, Uncertain
from lnstandin.play import sender
from lnstandin.play.ledger import Sent
from lnstandin.play.sender import Failure
from lnstandin.play.target import Target
from tests.play.players import PRICE, Player, payer_and_payee, playing

_BROKEN = "BEFORE UPDATE ON sent BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
PAYMENTS = 30
FOREVER = 1_000_000


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeat lost messages without a pause that a test would have to wait for."""
    monkeypatch.setattr(sender, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(sender, "LONGEST_PAUSE", 0.05)


def assert_paid(outcome: Outcome, invoice: Invoice) -> None:
    assert isinstance(outcome, Paid), outcome
    assert sha256(outcome.preimage).digest() == invoice.invoice_payment_hash
    assert outcome.sent_msat == invoice.invoice_amount


def assert_balanced(payer: Player, payee: Player, count: int) -> None:
    """Assert that the ledgers of both sides have the same payments."""
    sent = {row["payment_hash"]: row["amount_msat"] for row in payer.rows("sent")}
    received = {row["payment_hash"]: row["amount_msat"] for row in payee.rows("received")}
    assert sent == received
    assert len(sent) == count
    assert payer.rows("sent", "pending") == payee.rows("received", "pending") == []


def test_invoice_is_paid(tmp_path: Path) -> None:
    async def run() -> None:
        async with payer_and_payee(tmp_path) as (payer, payee):
            invoice = payee.invoice()
            assert_paid(await payer.backend.pay(invoice), invoice)
            assert payee.taken() == {invoice.invoice_payment_hash: PRICE}
        assert_balanced(payer, payee, 1)

    asyncio.run(run())


def test_invoice_is_paid_once_however_often_it_is_paid_at_once_and_later(tmp_path: Path) -> None:
    async def run() -> None:
        async with payer_and_payee(tmp_path) as (payer, payee):
            invoice = payee.invoice()
            for outcome in await asyncio.gather(*(payer.backend.pay(invoice) for _ in range(8))):
                assert_paid(outcome, invoice)
            assert_paid(await payer.backend.pay(invoice), invoice)
            assert_paid(await payer.backend.find(invoice), invoice)
        assert_balanced(payer, payee, 1)

    asyncio.run(run())


def test_payment_that_was_paid_is_found_without_the_payee(tmp_path: Path) -> None:
    async def run() -> None:
        async with payer_and_payee(tmp_path) as (payer, payee):
            invoice = payee.invoice()
            await payer.backend.pay(invoice)
        async with playing(tmp_path / "payer") as payer:
            assert_paid(await payer.backend.find(invoice), invoice)
            assert_paid(await payer.backend.pay(invoice), invoice)

    asyncio.run(run())


def test_payment_that_was_never_begun_has_failed(tmp_path: Path) -> None:
    async def run() -> None:
        async with payer_and_payee(tmp_path) as (payer, payee):
            assert await payer.backend.find(payee.invoice()) == Failed("it was never sent")

    asyncio.run(run())


def test_payee_that_cannot_be_reached_fails_and_nothing_is_in_the_ledger(tmp_path: Path) -> None:
    async def run() -> None:
        async with playing(tmp_path / "payee") as payee, playing(tmp_path / "payer") as payer:
            outcome = await payer.backend.pay(payee.invoice())
            why = "the payee cannot be reached: it is not connected, and no address is known"
            assert outcome == Failed(why, FailureCode.NO_ROUTE)
            assert payer.rows("sent", "pending") == payer.rows("sent", "failed") == []

    asyncio.run(run())


def test_payee_is_connected_where_it_was_last_reached(tmp_path: Path) -> None:
    async def run() -> None:
        async with payer_and_payee(tmp_path) as (payer, payee):
            await payer.peers.disconnect(payee.peers.node_id)
            invoice = payee.invoice()
            assert_paid(await payer.backend.pay(invoice), invoice)

    asyncio.run(run())


def test_payee_that_goes_away_leaves_a_payment_uncertain_until_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "PATIENCE", 0.2)

    async def run() -> None:
        async with playing(tmp_path / "payer") as payer:
            async with playing(tmp_path / "payee", "lose=0.999999") as payee:  # it takes it, and answers nothing
                await payer.peers.connect(payee.address)
                invoice = payee.invoice()
                assert isinstance(await payer.backend.pay(invoice), Uncertain)
                while not payee.taken():
                    await asyncio.sleep(0.01)
            assert isinstance(await payer.backend.find(invoice), Uncertain)
            async with playing(tmp_path / "payee") as payee:
                await payer.peers.connect(payee.address)
                assert_paid(await payer.backend.find(invoice), invoice)
            await payer.written()
            assert_balanced(payer, payee, 1)

    asyncio.run(run())


def test_payment_goes_on_after_the_payer_was_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "PATIENCE", 0.2)

    async def run() -> None:
        async with playing(tmp_path / "payee") as payee:
            invoice = payee.invoice()
            async with playing(tmp_path / "payer", "lose=0.999999") as payer:
                await payer.peers.connect(payee.address)
                assert isinstance(await payer.backend.pay(invoice), Uncertain)
            async with playing(tmp_path / "payer") as payer:
                [(known, outcome)] = [each async for each in payer.backend.payments()]
                assert known == invoice
                assert isinstance(outcome, Uncertain)
                await payer.peers.connect(payee.address)
                assert_paid(await payer.backend.find(invoice), invoice)
                [(_, outcome)] = [each async for each in payer.backend.payments()]
                assert_paid(outcome, invoice)
        assert_balanced(payer, payee, 1)

    asyncio.run(run())


def test_payer_that_starts_again_goes_on_with_its_payments_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "PATIENCE", 0.1)

    async def run() -> None:
        async with playing(tmp_path / "payee") as payee:
            async with playing(tmp_path / "payer", "lose=0.999999") as payer:
                await payer.peers.connect(payee.address)
                assert isinstance(await payer.backend.pay(payee.invoice()), Uncertain)
            async with playing(tmp_path / "payer") as payer:
                await payer.peers.connect(payee.address)
                while payer.rows("sent", "pending"):
                    await payer.written()
            await payee.written()
            assert_balanced(payer, payee, 1)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("payers", "payees"),
    [
        ("lose=0.5,seed=1", "lose=0.5,seed=2"),
        ("repeat=0.9,late=20ms,seed=3", "repeat=0.9,late=20ms,seed=4"),
        ("delay=30ms,seed=5", "delay=30ms,seed=6"),
        ("lose=0.3,repeat=0.3,late=50ms,delay=20ms,seed=7", "lose=0.3,repeat=0.3,late=50ms,delay=20ms,seed=8"),
    ],
    ids=["lost", "repeated", "delayed", "all"],
)
def test_each_invoice_is_paid_once_over_a_network_that_fails(tmp_path: Path, payers: str, payees: str) -> None:
    async def run() -> None:
        async with payer_and_payee(tmp_path, payers, payees) as (payer, payee):
            invoices = [payee.invoice(number) for number in range(1, PAYMENTS + 1)]
            for invoice, outcome in zip(invoices, await asyncio.gather(*map(payer.backend.pay, invoices)), strict=True):
                assert_paid(outcome, invoice)
        assert_balanced(payer, payee, PAYMENTS)

    asyncio.run(run())


def test_refused_payment_can_be_tried_again_and_late_copies_of_it_pay_nothing(tmp_path: Path) -> None:
    """Each refused attempt is repeated while the next one is under way."""

    async def run() -> None:
        async with payer_and_payee(tmp_path, "repeat=0.9,late=30ms,seed=1", "fail=0.7,seed=2") as (payer, payee):
            refused = 0
            for number in range(1, PAYMENTS + 1):
                invoice = payee.invoice(number)
                while isinstance(outcome := await payer.backend.pay(invoice), Failed):
                    refused += 1
                    assert "on purpose" in outcome.reason
                assert_paid(outcome, invoice)
            assert refused > PAYMENTS
        assert_balanced(payer, payee, PAYMENTS)

    asyncio.run(run())


def test_refused_attempt_stays_refused(tmp_path: Path) -> None:
    async def run() -> None:
        async with payer_and_payee(tmp_path, payees="fail=0.999999") as (payer, payee):
            invoice = payee.invoice()
            assert isinstance(await payer.backend.pay(invoice), Failed)
            assert isinstance(await payer.backend.find(invoice), Failed)
            await payer.written()
            [attempt] = payer.rows("sent", "failed")
        async with playing(tmp_path / "payee") as payee, playing(tmp_path / "payer") as payer:
            await payer.peers.connect(payee.address)
            late = Sent(*list(attempt.values())[:5])
            outcome = await payer.backend.sender._complete(late, Target.of_bolt12(invoice))
            assert isinstance(outcome, Failed)
            assert payee.taken() == {}

    asyncio.run(run())


def test_failure_is_on_the_disk_before_anybody_is_told(tmp_path: Path) -> None:
    async def run() -> None:
        async with payer_and_payee(tmp_path, payees="fail=0.999999") as (payer, payee):
            for number in range(1, 4):
                assert isinstance(await payer.backend.pay(payee.invoice(number)), Failed)
                assert len(payer.rows("sent", "failed")) == number
                assert payer.rows("sent", "pending") == []
            payer.backend.sender.failures.append(Failure(203, "lunch", leaves=True))
            assert await payer.backend.pay(payee.invoice(4)) == Failed("lunch", FailureCode.REFUSED)
            assert [row["reason"] for row in payer.rows("sent", "failed")][3] == "lunch"
            assert payer.rows("sent", "pending") == []

    asyncio.run(run())


def test_failure_that_the_disk_does_not_take_is_uncertain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "PATIENCE", 0.2)

    async def run() -> None:
        async with payer_and_payee(tmp_path, payees="fail=0.999999") as (payer, payee):
            invoice = payee.invoice()
            payee.backend.wire.may_take.clear()
            assert isinstance(await payer.backend.pay(invoice), Uncertain)
            for trigger in (f"CREATE TRIGGER broken {_BROKEN}", "DROP TRIGGER broken"):
                with closing(sqlite3.connect(payer.ledger)) as connection:
                    connection.execute(trigger)
                payee.backend.wire.may_take.set()
                outcome = await payer.backend.find(invoice)
                assert isinstance(outcome, Uncertain if "broken BEFORE" in trigger else Failed)
            assert payer.rows("sent", "pending") == []

    asyncio.run(run())


@pytest.mark.parametrize("leaves", [True, False])
def test_payment_under_way_does_not_fail_because_the_next_one_is_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leaves: bool
) -> None:
    monkeypatch.setattr(sender, "PATIENCE", 0.2)

    async def run() -> None:
        async with payer_and_payee(tmp_path) as (payer, payee):
            invoice = payee.invoice()
            payee.backend.wire.may_take.clear()
            assert isinstance(await payer.backend.pay(invoice), Uncertain)
            payer.backend.sender.failures.append(Failure(205, "lunch", leaves))
            assert isinstance(await payer.backend.pay(invoice), Uncertain)
            payee.backend.wire.may_take.set()
            assert_paid(await payer.backend.pay(invoice), invoice)
        assert_balanced(payer, payee, 1)

    asyncio.run(run())


def test_another_payer_is_refused_once_an_invoice_is_paid(tmp_path: Path) -> None:
    async def run() -> None:
        async with payer_and_payee(tmp_path) as (payer, payee), playing(tmp_path / "other") as other:
            await other.peers.connect(payee.address)
            invoice = payee.invoice()
            assert_paid(await payer.backend.pay(invoice), invoice)
            assert await other.backend.pay(invoice) == Failed("already paid", FailureCode.REFUSED)
            assert_paid(await payer.backend.find(invoice), invoice)
        assert_balanced(payer, payee, 1)

    asyncio.run(run())


def test_of_two_payers_at_once_one_pays(tmp_path: Path) -> None:
    async def run() -> None:
        async with payer_and_payee(tmp_path) as (payer, payee), playing(tmp_path / "other") as other:
            await other.peers.connect(payee.address)
            for number in range(1, PAYMENTS + 1):
                invoice = payee.invoice(number)
                outcomes = await asyncio.gather(payer.backend.pay(invoice), other.backend.pay(invoice))
                assert {type(outcome) for outcome in outcomes} == {Paid, Failed}
            for player in (payer, payee, other):
                await player.written()
            assert len(payer.rows("sent")) + len(other.rows("sent")) == len(payee.rows("received")) == PAYMENTS

    asyncio.run(run())


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("unknown", "no invoice has this payment_hash"),
        ("foreign", "this node has made no such invoice"),
        ("expired", "the invoice has expired"),
        ("less", f"{PRICE - 1}msat are less than the invoice's {PRICE}msat"),
        ("more", f"{2 * PRICE + 1}msat are more than 2 times the invoice's {PRICE}msat"),
    ],
)
def test_payment_that_the_payee_does_not_want_fails_with_its_reason(tmp_path: Path, change: str, why: str) -> None:
    async def run() -> None:
        async with payer_and_payee(tmp_path) as (payer, payee):
            invoice = payee.unknown_invoice() if change == "unknown" else payee.invoice()
            if change == "foreign":
                payee.node.keys._base = bytes(32)  # its secrets are others now
            if change == "expired":
                payee.node.clock = FixedClock(invoice.expires_at)
            amount = {"less": PRICE - 1, "more": 2 * PRICE + 1}.get(change, PRICE)
            sent = Sent(invoice.invoice_payment_hash or b"", invoice.to_bytes(), payee.peers.node_id, amount)
            assert await payer.backend.sender._complete(sent, Target.of_bolt12(invoice)) == Failed(
                why, FailureCode.REFUSED
            )
            assert payee.taken() == {}
            while payee.rows("received", "pending"):  # a copy that came too late is looked at once more
                await payee.written()
            assert payee.rows("received") == []

    asyncio.run(run())


def test_payment_waits_while_the_store_of_the_payee_fails(tmp_path: Path) -> None:
    async def run() -> None:
        async with payer_and_payee(tmp_path) as (payer, payee):
            payee.till.failures = 5
            invoice = payee.invoice()
            assert_paid(await payer.backend.pay(invoice), invoice)
        assert_balanced(payer, payee, 1)

    asyncio.run(run())


def test_payment_that_had_arrived_is_taken_when_the_payee_starts_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "PATIENCE", 0.1)

    async def run() -> None:
        async with payer_and_payee(tmp_path) as (payer, payee):
            payee.till.failures = FOREVER
            invoice = payee.invoice()
            assert isinstance(await payer.backend.pay(invoice), Uncertain)
            while not payee.rows("received", "pending"):
                await asyncio.sleep(0.01)
        async with playing(tmp_path / "payee") as payee:
            await payee.written()
            assert len(payee.rows("received")) == len(payee.taken()) == 1

    asyncio.run(run())


def test_payee_whose_store_fails_does_not_start_while_a_payment_has_to_be_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "PATIENCE", 0.1)

    async def run() -> None:
        async with payer_and_payee(tmp_path) as (payer, payee):
            payee.till.failures = FOREVER
            await payer.backend.pay(payee.invoice())
            while not payee.rows("received", "pending"):
                await asyncio.sleep(0.01)
        with pytest.raises(BackendError, match="have arrived cannot be recorded: The store failed: the disk is full"):
            async with playing(tmp_path / "payee", failures=1):
                pass

    asyncio.run(run())


def test_node_does_not_pay_itself(tmp_path: Path) -> None:
    async def run() -> None:
        async with playing(tmp_path / "payee") as payee:
            outcome = await payee.backend.pay(payee.invoice())
            assert outcome == Failed("play money does not go in circles: the payee is this node", FailureCode.NO_ROUTE)

    asyncio.run(run())
