"""The nox sessions: what the noxfile lists, and what people read about them."""

from __future__ import annotations

import ast
import re
import subprocess
import sys

from tests.shared import ROOT

NOXFILE = (ROOT / "noxfile.py").read_text(encoding="utf-8")
SESSIONS = {
    named or function
    for named, function in re.findall(
        r"^@nox\.session(?:\((?:name=\"([a-z-]+)\")?[^\n]*\))?\n(?:@nox[^\n]*\n)*def (\w+)", NOXFILE, re.MULTILINE
    )
}


def test_usage_lists_every_session() -> None:
    done = subprocess.run([sys.executable, ROOT / "noxfile.py"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    listed = re.search(r"\(([a-z -]+)\)$", done.stderr.strip())
    assert listed
    assert set(listed[1].split()) == SESSIONS


def test_contributors_read_of_every_session() -> None:
    rows = re.findall(r"^\| (`.*?) \|", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`([a-z-]+)`", row)} == SESSIONS


def test_ci_runs_sessions_that_exist() -> None:
    commands = re.findall(r"^python3 noxfile\.py (.+)$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert {name for command in commands for name in command.split()} <= SESSIONS


def test_sessions_install_only_what_a_lock_names() -> None:
    """All but `newest`, whose purpose is the opposite."""
    unlocked = set()
    for function in ast.parse(NOXFILE).body:
        if isinstance(function, ast.FunctionDef):
            called = [ast.unparse(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)]
            texts = {node.value for node in ast.walk(function) if isinstance(node, ast.Constant)}
            installs = "session.install" in called or {"pip", "install"} <= texts
            if installs and not {"_install", "_lock"} & set(called) and "--constraint" not in texts:
                unlocked.add(function.name)
    assert unlocked == {"newest"}


def test_sessions_use_pip_wherever_uv_is_installed() -> None:
    """Constraints are given to sessions in pip's variables, which uv does not read."""
    assert 'nox.options.default_venv_backend = "virtualenv"' in NOXFILE
