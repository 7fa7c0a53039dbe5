"""Whatever happens in whatever order, one request of a single use is paid once, and no claim is lost."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from lnoffers.service import payment_states
from lnoffers.service.payment_states import OPEN, PaymentEvent, PaymentState
from lnoffers.service.status import Status
from lnoffers.service.store import payments
from tests.payments.exploration import World, explored
from tests.payments.memory_store import forget

FAULTS = int(os.environ.get("EXPLORED_FAULTS", "2"))
"""How many faults there are in the worlds with a backup of any moment: three take some minutes."""
PAID = Status.SINGLE_USE | Status.USED
UNUSED = Status.created(single_use=True)
_STATE = [*payments.TABLE.columns].index("state")


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    forget()
    yield
    forget()


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


@pytest.mark.parametrize(("most_faults", "backups", "least"), [(3, False, 40_000), (FAULTS, True, 40_000)])
def test_two_servers_two_invoices_and_faults_make_one_payment_and_lose_no_claim(
    most_faults: int, least: int, *, backups: bool
) -> None:
    number = ends = 0
    for world, is_end in explored(most_faults, backups=backups):
        assert not fault(world, is_end=is_end), world
        number, ends = number + 1, ends + is_end
    assert number > least
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


def test_the_exploration_finds_a_backup_with_an_open_claim_whose_rival_was_paid(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tests.payments.memory_store.bring_in", lambda *_: [])
    assert "two payments" in faults(2)
