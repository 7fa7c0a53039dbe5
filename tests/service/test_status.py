"""The states of a stored record, and the transitions in their table."""

from __future__ import annotations

from itertools import chain

import pytest

from lnoffers.service.status import TRANSITIONS, Status, StatusChange

START = {Status.created(single_use=True), Status.created(single_use=False)}


def reachable() -> set[Status]:
    found, new = set(START), set(START)
    while new:
        new = {move[state] for state in new for move in TRANSITIONS.values() if state in move} - found
        found |= new
    return found


def test_the_numbers_are_those_that_core_lightning_stores() -> None:
    assert {int(state) for state in START} == {1, 3}
    assert TRANSITIONS[StatusChange.PAID][Status(3)] == 6
    theirs = {
        before: after for before, after in TRANSITIONS[StatusChange.DISABLED].items() if Status.CLAIMED not in before
    }
    assert theirs == {1: 0, 5: 4, 3: 2}


def test_every_state_of_the_table_can_be_reached() -> None:
    told = set(chain.from_iterable(chain(move.items()) for move in TRANSITIONS.values()))
    assert {state for pair in told for state in pair} | START == reachable()
    assert len(reachable()) == 9


@pytest.mark.parametrize("event", StatusChange)
def test_single_use_is_for_life(event: StatusChange) -> None:
    for before, after in TRANSITIONS[event].items():
        assert (Status.SINGLE_USE in before) == (Status.SINGLE_USE in after)


def test_a_single_use_that_is_paid_for_is_over() -> None:
    assert all(Status(6) not in moves for moves in TRANSITIONS.values())


def test_only_its_owner_makes_a_record_active() -> None:
    made_active = {
        event
        for event, moves in TRANSITIONS.items()
        for before, after in moves.items()
        if Status.ACTIVE in after and Status.ACTIVE not in before
    }
    assert made_active == {StatusChange.ENABLED}


def test_what_is_claimed_cannot_be_claimed_again() -> None:
    assert not [state for state in TRANSITIONS[StatusChange.CLAIMED] if Status.CLAIMED in state]
    assert {TRANSITIONS[StatusChange.CLAIMED][Status(3)]} <= TRANSITIONS[StatusChange.RELEASED].keys() & TRANSITIONS[
        StatusChange.PAID
    ].keys()
