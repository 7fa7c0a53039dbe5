"""What an author of documents does, in an empty folder: from the first document to a refused commit."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.generator.commands import rpcschema
from tests.lint.broken import EMPTY, FILL
from tests.lint.repositories import commit_all, git
from tests.shared import ROOT

PROGRAMS = Path(sys.executable).parent
TABLE = '[tool.rpcschema]\nschemas = ["schemas"]\npackage = "tank"\n'
CALLER = """
from tank import Client
from tank.types import FillResponse

def fill(client: Client) -> int:
    response: FillResponse = client.fill("roof", litres=7)
    reveal_type(response.eta)
    return response.level
"""


def write(folder: Path, *documents: dict[str, Any]) -> None:
    (folder / "schemas").mkdir(exist_ok=True)
    for document in documents:
        (folder / "schemas" / f"{document['rpc']}.json").write_text(json.dumps(document, indent=2) + "\n")


def run(folder: Path, *command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    settings = os.environ | environment | {"PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, check=False, timeout=300)


def hooks(folder: Path) -> list[dict[str, Any]]:
    """Write a configuration of pre-commit with our hooks, run by the programs of this environment; return the hooks."""
    ours = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    for hook in ours:
        hook["language"] = "system"  # an environment of their own would need the network
        del hook["additional_dependencies"]
    config = {"repos": [{"repo": "local", "hooks": ours}]}
    (folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    return ours  # type: ignore[no-any-return] # YAML has no types


def refused(folder: Path) -> dict[str, bool]:
    """Return which hooks refuse what is staged: by pre-commit, or else as it would run them."""
    if importlib.util.find_spec("pre_commit") is not None:
        command = [sys.executable, "-m", "pre_commit", "run"]
        home = str(folder / ".git" / "pre-commit")
        return {
            hook["id"]: run(folder, *command, hook["id"], PRE_COMMIT_HOME=home).returncode == 1
            for hook in hooks(folder)
        }
    return {hook["id"]: run(folder, *hook["entry"].split()).returncode != 0 for hook in hooks(folder)}


def test_an_author_is_led_from_the_document_to_a_refused_commit(tmp_path: Path) -> None:
    # A document is written, with a mistake that lint finds.
    (tmp_path / "pyproject.toml").write_text(TABLE)
    write(tmp_path, {**FILL, "errors": ["- 1: No such tank.", "- 1: It leaks."]}, EMPTY)
    found = rpcschema("lint", "--fail-on", "warning", cwd=tmp_path)
    assert (found.returncode, "[repeated-error]" in found.stdout) == (1, True)
    write(tmp_path, FILL)
    assert rpcschema("lint", "--fail-on", "note", cwd=tmp_path).stdout == "no findings\n"

    # It is generated: types that a type checker reads, and a man page.
    made = rpcschema("generate", cwd=tmp_path)
    assert (made.returncode, made.stderr) == (0, "")
    (tmp_path / "caller.py").write_text(CALLER)
    typed = run(tmp_path, sys.executable, "-m", "mypy", "--strict", "--config-file=", "caller.py", MYPYPATH="generated")
    assert typed.returncode == 0, typed.stdout
    assert re.search(r'Revealed type is "(?:builtins\.)?int \| None"', typed.stdout), typed.stdout
    page = tmp_path / "generated" / "man" / "lightning-fill.7"
    assert "\nlightning\\-fill \\- Fill a tank\n" in page.read_text()
    if shutil.which("mandoc"):
        assert run(tmp_path, "mandoc", "-T", "lint", "-W", "error", page).returncode == 0

    # All is committed, and the hooks are content.
    hooks(tmp_path)
    commit_all(tmp_path, "Describe the tank")
    assert rpcschema("check", cwd=tmp_path).returncode == 0

    # A field changes: check fails, diff says that this breaks callers, and the hook refuses the commit.
    raw = json.loads(json.dumps(FILL))
    raw["response"]["properties"]["level"]["type"] = "string"
    raw["examples"] = []
    write(tmp_path, raw)
    outdated = rpcschema("check", cwd=tmp_path)
    assert outdated.returncode == 1
    assert "\n-    level: U32\n" in outdated.stdout
    assert "\n+    level: str\n" in outdated.stdout
    judged = rpcschema("diff", "schemas@HEAD", "schemas", "--fail-on", "breaking", cwd=tmp_path)
    assert judged.returncode == 1
    assert "breaking  breaking  field-type-changed response.level: u32 -> string" in judged.stdout
    git(tmp_path, "add", "--all")
    assert refused(tmp_path) == {"rpcschema-check": True, "rpcschema-lint": False}

    # Generated again, the commit passes.
    assert rpcschema("generate", cwd=tmp_path).returncode == 0
    git(tmp_path, "add", "--all")
    assert refused(tmp_path) == {"rpcschema-check": False, "rpcschema-lint": False}


def test_the_hook_of_lint_refuses_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(TABLE + 'targets = ["man"]\n')
    write(tmp_path, {**FILL, "added": "soon"}, EMPTY)
    rpcschema("generate", cwd=tmp_path)
    hooks(tmp_path)
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    assert refused(tmp_path) == {"rpcschema-check": False, "rpcschema-lint": True}


@pytest.mark.skipif(importlib.util.find_spec("pre_commit") is None, reason="pre-commit is not installed")
def test_pre_commit_accepts_our_hooks() -> None:
    done = run(ROOT, sys.executable, "-m", "pre_commit", "validate-manifest", ".pre-commit-hooks.yaml")
    assert done.returncode == 0, done.stdout
