"""Deprecated methods and fields are marked for type checkers, and work as the others do at run time."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.generator.packages import command

OLD = ["v26.06", "v27.03"]
ROW = {"type": "object", "properties": {"old": {"type": "u8", "deprecated": OLD}}}
FIELDS = {
    "properties": {
        "hop": {"type": "string", "description": ["The next hop."], "deprecated": OLD},
        "node": {"type": "string"},
        "rows": {
            "type": "array",
            "items": {"type": "object", "properties": {"old": {"type": "u8", "deprecated": OLD}}},
        },
    },
}
PROGRAM = """
from {package} import AsyncClient, Client
client = Client("s")
client.pay_old()
found = client.route()
print(found.node)
print(found.hop)
print(found.rows[0].old if found.rows else None)
async def calls(client: AsyncClient) -> None:
    await client.route()
    await client.pay_old()
"""
MARKED = ["4", "7", "8", "11"]
"""The lines of PROGRAM that use something deprecated."""


@pytest.fixture
def made(package: Any) -> Any:
    return package({**command("pay_old"), "deprecated": OLD}, command("route", response=FIELDS))


@pytest.fixture
def folder(made: Any, tmp_path: Path) -> Path:
    """Return the folder of the package, with a program that uses it."""
    (tmp_path / "out" / "program.py").write_text(PROGRAM.format(package=made.__name__))
    return tmp_path / "out"


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True)
    assert done.stdout, done.stderr
    return done.stdout


def test_mypy_reports_each_use_of_what_is_deprecated(folder: Path) -> None:
    options = ["--strict", "--no-incremental", "--enable-error-code=deprecated"]
    found = run(folder, sys.executable, "-m", "mypy", *options, "program.py").splitlines()
    reports = [line for line in found if "error:" in line]
    assert [line.split(":")[1] for line in reports] == MARKED
    assert all(line.endswith("Deprecated in v26.06, removed after v27.03.  [deprecated]") for line in reports)


@pytest.mark.skipif(importlib.util.find_spec("basedpyright") is None, reason="basedpyright is not installed")
def test_basedpyright_reports_each_use_of_what_is_deprecated(folder: Path) -> None:
    settings = {"include": ["program.py"], "typeCheckingMode": "off", "reportDeprecated": "error"}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    report = json.loads(run(folder, sys.executable, "-m", "basedpyright", "--outputjson"))
    lines = [str(found["range"]["start"]["line"] + 1) for found in report["generalDiagnostics"]]
    assert lines == MARKED


def test_deprecated_fields_are_still_fields(made: Any) -> None:
    assert [field.name for field in dataclasses.fields(made.types.RouteResponse)] == ["hop", "node", "rows"]
    assert made.types.RouteResponse(hop="a").hop == "a"


def test_a_call_warns_once_for_the_client_and_not_for_the_mark_too(made: Any) -> None:
    with pytest.warns(DeprecationWarning, match="pay_old is deprecated") as warned, pytest.raises(made.ClientError):
        made.Client("/nowhere").pay_old()
    assert len(warned) == 1
