"""The life of a stored request, as its table tells it."""

from __future__ import annotations

from itertools import chain

import pytest

from lnoffers.service.status import TRANSITIONS, Event, Status

START = {Status.created(single_use=True), Status.created(single_use=False)}


def reachable() -> set[Status]:
    found, new = set(START), set(START)
    while new:
        new = {move[state] for state in new for move in TRANSITIONS.values() if state in move} - found
        found |= new
    return found


def test_the_numbers_are_those_that_core_lightning_stores() -> None:
    assert {int(state) for state in START} == {1, 3}
    assert TRANSITIONS[Event.PAID][Status(3)] == 6
    assert TRANSITIONS[Event.DISABLED] == {1: 0, 5: 4, 3: 2}


def test_every_state_of_the_table_can_be_reached() -> None:
    told = set(chain.from_iterable(chain(move.items()) for move in TRANSITIONS.values()))
    assert {state for pair in told for state in pair} | START == reachable()
    assert len(reachable()) == 7


@pytest.mark.parametrize("event", Event)
def test_only_an_active_request_changes_and_never_back_to_active(event: Event) -> None:
    for before, after in TRANSITIONS[event].items():
        assert Status.ACTIVE in before
        assert (Status.SINGLE_USE in before) == (Status.SINGLE_USE in after)
    inactive = {state for state in reachable() if Status.ACTIVE not in state}
    assert inactive.isdisjoint(TRANSITIONS[event])
