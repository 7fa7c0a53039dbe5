"""Whatever happens in whatever order, one request of a single use is paid once, and no claim is lost."""

from __future__ import annotations

import pytest

from lnoffers.service import payment_states
from lnoffers.service.payment_states import OPEN, PaymentEvent, PaymentState
from lnoffers.service.status import Status
from lnoffers.service.store import payments
from tests.payments.exploration import World, explored

FAULTS = 3
PAID = Status.SINGLE_USE | Status.USED
UNUSED = Status.created(single_use=True)
_STATE = [*payments.TABLE.columns].index("state")


def states(world: World) -> list[PaymentState]:
    return [PaymentState(str(row[_STATE])) for row in world.rows.payments]


def fault(world: World, *, is_end: bool) -> str:
    """Return what is wrong with a world; empty if nothing is."""
    if world.backend.count("paid") > 1:
        return "two payments"
    if not is_end:
        return ""
    if OPEN & {*states(world)}:
        return "a claim is lost"
    is_paid = "paid" in world.backend
    if states(world).count(PaymentState.PAID) != is_paid or world.rows.status != (PAID if is_paid else UNUSED):
        return "the store and the backend disagree"
    return ""


def faults(most_faults: int) -> set[str]:
    """Return what is wrong with all worlds that can be reached."""
    return {fault(world, is_end=is_end) for world, is_end in explored(most_faults)} - {""}


def test_two_servers_two_invoices_and_three_faults_make_one_payment_and_lose_no_claim() -> None:
    number = ends = 0
    for world, is_end in explored(FAULTS):
        assert not fault(world, is_end=is_end), world
        number, ends = number + 1, ends + is_end
    assert number > 40_000
    assert ends > 1_000


def test_the_exploration_finds_a_claim_that_unknown_gives_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in wallets that take a lost answer for a failure."""
    moves = {PaymentState.PAYING: PaymentState.FAILED, PaymentState.UNKNOWN: PaymentState.FAILED}
    monkeypatch.setattr(payments, "STEPS", payment_states.STEPS | {PaymentEvent.LOST: moves})
    assert "two payments" in faults(1)


def test_the_exploration_finds_a_claim_that_nobody_takes_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payments, "take_over", lambda *_: None)
    assert faults(1) == {"a claim is lost"}


def test_the_exploration_finds_a_backend_whose_failure_is_not_final(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that calls failed what it has not heard of, although the message is on its way."""
    monkeypatch.setattr("tests.payments.exploration.MAY_BE_ON_ITS_WAY", False)
    assert "two payments" in faults(2)
