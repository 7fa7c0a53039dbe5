"""Both ports are typed, and shorter than what they replace."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.shared import ROOT

FOLDER = ROOT / "tests" / "ports"
THEIRS = {"nutshell/clnrest.py": 339, "lnbits/corelightning.py": 231 + 404}
"""The lines of the originals that are neither empty nor comments; of lnbits' wallets, the socket's and REST's."""


def lines(name: str) -> int:
    text = (FOLDER / name).read_text("utf-8")
    return sum(bool(line.strip()) and not line.lstrip().startswith("#") for line in text.splitlines())


@pytest.mark.parametrize("name", THEIRS)
def test_a_port_has_less_than_half_of_the_lines(name: str) -> None:
    assert 2 * (lines(name) + lines("lookup.py")) < THEIRS[name]


def test_both_are_typed() -> None:
    files = [str(FOLDER / name) for name in (*THEIRS, "lookup.py")]
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", *files],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.stdout == "Success: no issues found in 3 source files\n"
