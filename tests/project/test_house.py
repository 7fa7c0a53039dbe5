"""The walls between the rooms, and what is generated agrees with what it is generated from."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.shared import ROOT


def run(*command: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False)


def test_rooms_import_only_what_the_design_allows() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    if not program.exists():
        pytest.skip("needs import-linter")
    done = run(program, "--no-cache")
    assert done.returncode == 0, done.stdout


def test_generated_files_are_up_to_date() -> None:
    done = run(sys.executable, "-m", "rpcschema", "check")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("package", ["clnrpc", "rpcschema", "lnoffers"])
def test_package_says_that_it_is_typed(package: str) -> None:
    root = {"clnrpc": "generated", "rpcschema": "generator", "lnoffers": "core"}[package]
    assert (ROOT / root / package / "py.typed").exists()


def test_importing_the_client_loads_nothing_heavy() -> None:
    heavy = ("asyncio", "sqlalchemy", "coincurve", "cryptography", "jinja2", "rich", "cyclopts")
    code = f"import sys, clnrpc; clnrpc.Client; print([name for name in {heavy!r} if name in sys.modules])"
    assert run(sys.executable, "-c", code).stdout == "[]\n"
