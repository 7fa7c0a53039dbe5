"""Whatever the number of processes, a single use is claimed once. The nox session `race` is the long form."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.service.claims.race import CLAIMED, KINDS, RECORDS, race, states


@pytest.mark.parametrize("kind", KINDS)
def test_every_single_use_record_is_claimed_by_exactly_one_of_four_processes(tmp_path: Path, kind: str) -> None:
    won = race(tmp_path, kind, claims=1_000)
    assert len(won) == len(set(won)) == RECORDS
    assert states(tmp_path, kind) == {CLAIMED}
