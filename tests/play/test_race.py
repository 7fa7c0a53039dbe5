"""Several invoices at once for one request of a single use, in short. The nox session `race` is the long form."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.play.race import KINDS, race

ROUNDS = 20


@pytest.mark.parametrize("kind", KINDS)
def test_of_eight_invoices_at_once_one_is_paid_and_seven_hear_why_not(tmp_path: Path, kind: str) -> None:
    found = asyncio.run(race(tmp_path, kind, ROUNDS))
    assert found.is_fine, found
