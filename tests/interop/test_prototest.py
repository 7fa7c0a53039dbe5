"""lnprototest against a server of ours: init, pings and unknown messages.

LNPROTOTEST names a Python that has it. Its package has no tests; LNPROTOTEST_TESTS names the folder `tests` of its
repository, if that is there.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

VARIABLE = "LNPROTOTEST"
FOLDER = Path(__file__).with_name("prototest")
TESTS = ("test_bolt1-01-init.py", "test_bolt1-02-unknown-messages.py")


def passes(*arguments: str) -> None:
    """Run pytest with lnprototest; skip the calling test, and say so, if it is not installed."""
    python = os.environ.get(VARIABLE)
    if not python:
        pytest.skip(f"needs lnprototest; `nox -s interop` installs it, or set {VARIABLE} to a Python that has it")
    # The program of the same environment as this Python, or the one that LNOFFERS names.
    program = os.environ.get("LNOFFERS", str(Path(sys.executable).with_name("lnoffers")))
    environment = os.environ | {"PYTHONPATH": str(FOLDER), "LNOFFERS": program}
    environment.pop("PYTEST_ADDOPTS", None)
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)


def test_our_sequences_pass() -> None:
    passes("--rootdir", str(FOLDER), "--confcutdir", str(FOLDER), "-c", os.devnull, str(FOLDER / "sequences.py"))


def test_its_own_tests_of_init_and_unknown_messages_pass() -> None:
    folder = os.environ.get("LNPROTOTEST_TESTS")
    if not folder:
        pytest.skip("needs the repository of lnprototest; set LNPROTOTEST_TESTS to its folder of tests")
    passes("--runner=runner.Runner", *(str(Path(folder) / name) for name in TESTS))
