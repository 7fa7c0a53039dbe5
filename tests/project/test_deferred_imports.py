"""An import inside of a function has one of the reasons of decision 0085."""

from __future__ import annotations

import re

from tests.shared import ROOT

REASON = re.compile(r" # noqa: PLC0415 # 0085: (?:slow|optional|platform)$")


def test_every_deferred_import_has_one_of_the_three_reasons() -> None:
    files = [path for folder in ("core", "generator") for path in (ROOT / folder).rglob("*.py")]
    lines = [(path.name, line) for path in files for line in path.read_text(encoding="utf-8").splitlines()]
    deferred = [(name, line) for name, line in lines if "noqa: PLC0415" in line]
    assert deferred
    assert [(name, line) for name, line in deferred if not REASON.search(line)] == []
