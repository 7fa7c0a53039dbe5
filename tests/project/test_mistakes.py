"""Type checkers find each mistake in `bench/mistakes.py`, and report nothing else."""

from __future__ import annotations

import json
import re
import runpy
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.shared import ROOT

MISTAKES: Mapping[str, tuple[str, str]] = runpy.run_path(str(ROOT / "bench" / "mistakes.py"))["MISTAKES"]
HEAD = """from clnrpc import AsyncClient, Client

path = "~/.lightning"
client = Client(path)
AsyncClient(path)
"""
FIRST = HEAD.count("\n") + 1
"""The line of the first mistake."""
NAMES = dict(enumerate(MISTAKES, FIRST))
"""The mistakes by their lines."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the program, away from this project's settings."""
    folder = tmp_path_factory.mktemp("mistakes")
    (folder / "program.py").write_text(HEAD + "\n".join(line for line, _ in MISTAKES.values()) + "\n")
    return folder


def said(folder: Path, *command: str) -> str:
    return subprocess.run(
        [sys.executable, "-m", *command, "program.py"], cwd=folder, capture_output=True, text=True, check=False
    ).stdout


def test_there_are_twenty() -> None:
    assert len(MISTAKES) == 20


def test_mypy_finds_each_mistake(folder: Path) -> None:
    printed = said(folder, "mypy", "--strict", "--config-file=", "--no-incremental")
    found = {int(line) for line in re.findall(r"^program\.py:(\d+): error", printed, re.MULTILINE)}
    assert {NAMES.get(line, line) for line in found} == {*MISTAKES}, printed


def test_basedpyright_finds_each_mistake(folder: Path) -> None:
    pytest.importorskip("basedpyright", reason="the session types has it")
    (folder / "pyrightconfig.json").write_text(json.dumps({"typeCheckingMode": "strict"}))
    report = json.loads(said(folder, "basedpyright", "--outputjson"))
    found = {each["range"]["start"]["line"] + 1 for each in report["generalDiagnostics"] if each["severity"] == "error"}
    assert {NAMES.get(line, line) for line in found} == {*MISTAKES}, report
