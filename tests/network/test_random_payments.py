"""The machine of `random_payments`: some hundred payments, or as many as NETWORK_PAYMENTS says."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from lnstandin.network import Network
from tests.network.random_payments import KNOWN, NODES, machine

PAYMENTS = int(os.environ.get("NETWORK_PAYMENTS", "200"))
SETTINGS = settings(
    max_examples=2,
    stateful_step_count=10,
    deadline=None,
    database=None,
    derandomize=False,  # in CI, each further run would repeat the examples of the first
    phases=[Phase.generate],  # the moments of kills differ, so no failure could be made smaller
    suppress_health_check=[*HealthCheck],
)


def test_money_is_neither_lost_nor_made_whatever_happens(tmp_path: Path) -> None:
    with Network(NODES, processes=True, directory=tmp_path) as network:
        made, books = machine(network)
        while books.answers.total() < PAYMENTS or not books.kills:
            run_state_machine_as_test(made, settings=SETTINGS)
    print(f"{books.answers.total()} payments, {books.kills} kills: {dict(books.answers)}")
    assert books.answers["paid"] > 0
    assert books.answers.keys() <= KNOWN
