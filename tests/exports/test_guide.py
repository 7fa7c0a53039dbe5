"""The guides to exports and targets run as they stand there. The TypeScript is in `test_npm`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.generator.test_installed_targets import EXAMPLE, install
from tests.project.guides import pieces, program
from tests.shared import ROOT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the documents of the project's own commands."""
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas", ignore=shutil.ignore_patterns("cln"))
    return tmp_path


def run(script: str, folder: Path, *, cwd: str = ".") -> str:
    """Run a piece of shell; return what it prints."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(folder / "site")}
    done = subprocess.run(
        ["bash", "-euc", script], cwd=folder / cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_guide_to_exports_runs(folder: Path) -> None:
    [generate] = [piece for piece in pieces("export-to-openapi-openrpc-json-schema", "sh") if "rpcschema" in piece]
    run(generate, folder)
    (folder / "program.py").write_text(program("export-to-openapi-openrpc-json-schema"))
    listed, wrong = run(f"{sys.executable} ../program.py", folder, cwd="generated").split("xpay invstring\n")
    assert "offer amount\n" in listed
    assert wrong.startswith("$.offers[0]")


def test_the_guide_to_targets_runs(folder: Path) -> None:
    install(folder / "site", EXAMPLE.read_text())
    template = ROOT / "templates/markdown/page.md.jinja"
    mine = folder / pieces("write-your-own-target", "text")[0].strip()
    mine.parent.mkdir(parents=True)
    mine.write_text(template.read_text() + "mine\n")
    for script in pieces("write-your-own-target", "sh"):
        run(script, folder)
    assert (folder / "generated/docs/offer.md").read_text().endswith("mine\n")
    assert (folder / "generated/commands.csv").read_text().startswith("command,title,parameters,deprecated\n")
