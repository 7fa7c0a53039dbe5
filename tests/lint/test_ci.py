"""The hooks, the action and the workflows: their keys, and what their steps do."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.lint.broken import EMPTY, FILL, changed
from tests.lint.repositories import commit_all
from tests.project.guides import pieces
from tests.shared import ROOT

HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
CONFIG, REVIEW, WEEKLY = map(yaml.safe_load, pieces("check-documents-in-ci", "yaml"))
PROGRAMS = Path(sys.executable).parent
STEP = {"name", "id", "if", "uses", "with", "run", "env", "shell", "working-directory"}
"""What a step may have, as far as these use it."""
IN_ENVIRONMENT = re.compile(r"\$\{\{ (inputs|github|steps)\.[\w.-]+ \}\}")


def test_hooks_have_what_pre_commit_needs() -> None:
    allowed = {"id", "name", "description", "entry", "language", "additional_dependencies", "files", "pass_filenames"}
    for hook in HOOKS:
        assert allowed >= hook.keys() >= {"id", "name", "entry", "language"}
        assert hook["language"] == "python"
        assert hook["additional_dependencies"] == [".[generator]"], "the package alone lacks what the generator needs"
        assert hook["pass_filenames"] is False, "several documents make one file"
        assert re.search(hook["files"], "schemas/fill.json")
        assert not re.search(hook["files"], "main.c")
    assert [hook["id"] for hook in HOOKS] == ["rpcschema-check", "rpcschema-lint"]


def test_the_documented_configuration_names_our_hooks() -> None:
    [repository] = CONFIG["repos"]
    assert {hook["id"] for hook in repository["hooks"]} == {hook["id"] for hook in HOOKS}


def steps() -> Iterator[dict[str, Any]]:
    yield from ACTION["runs"]["steps"]
    for workflow in (REVIEW, WEEKLY):
        for job in workflow["jobs"].values():
            yield from job["steps"]


def test_every_step_has_known_keys_and_its_inputs_only_in_variables() -> None:
    for step in steps():
        assert step.keys() <= STEP, step
        assert ("run" in step) != ("uses" in step)
        assert "${{" not in step.get("run", ""), "text of others in a script could end it"
        for value in step.get("env", {}).values():
            assert IN_ENVIRONMENT.fullmatch(value), value
    for step in ACTION["runs"]["steps"]:
        assert ("shell" in step) == ("run" in step), "a composite action needs it"


def test_action_and_workflows_have_what_github_needs() -> None:
    assert ACTION.keys() == {"name", "description", "inputs", "outputs", "runs"}
    assert ACTION["runs"]["using"] == "composite"
    used = {name for step in ACTION["runs"]["steps"] for name in re.findall(r"inputs\.([\w-]+)", json.dumps(step))}
    assert used == ACTION["inputs"].keys()
    assert all({"description", "default"} == given.keys() for given in ACTION["inputs"].values())
    for workflow in (REVIEW, WEEKLY):
        assert workflow.keys() == {"name", True, "permissions", "jobs"}  # YAML 1.1 reads `on` as true
        assert all({"runs-on", "steps"} == job.keys() for job in workflow["jobs"].values())
    [ours] = [step for step in REVIEW["jobs"]["documents"]["steps"] if step.get("uses", "").startswith("OWNER/")]
    assert ours["with"].keys() <= ACTION["inputs"].keys()
    documented = re.findall(r"^\| `([a-z-]+)` \| .* \| .* \|$", page(), re.MULTILINE)
    assert documented == [*ACTION["inputs"]]


def page() -> str:
    return (ROOT / "docs" / "how-to" / "check-documents-in-ci.md").read_text(encoding="utf-8")


def run(step: dict[str, Any], folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a step as GitHub does."""
    settings = os.environ | environment | {"PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    return subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a repository with documents and generated files, and a change of a document that is not committed."""
    folder = tmp_path / "project"
    (folder / "schemas").mkdir(parents=True)
    (folder / "pyproject.toml").write_text(
        '[tool.rpcschema]\nschemas = ["schemas"]\npackage = "tank"\ntargets = ["man"]\n'
    )
    for document in (FILL, EMPTY):
        (folder / "schemas" / f"{document['rpc']}.json").write_text(json.dumps(document))
    subprocess.run([PROGRAMS / "rpcschema", "generate"], cwd=folder, check=True, capture_output=True)
    commit_all(folder, "base")
    raw = changed(lambda raw: raw["request"]["properties"].pop("fee"))
    raw["examples"] = [{"request": {"method": "fil", "params": {}}, "response": FILL["examples"][1]["response"]}]
    (folder / "schemas" / "fill.json").write_text(json.dumps(raw))
    return folder


def test_the_actions_steps_report_what_they_find(project: Path, tmp_path: Path) -> None:
    by_name = {step["name"]: step for step in ACTION["runs"]["steps"] if "name" in step}
    output, summary = tmp_path / "output", tmp_path / "summary"
    given = {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary), "RUNNER_TEMP": str(tmp_path)}
    compare = by_name["Compare with the earlier documents"]
    done = run(compare, project, SCHEMAS="schemas", BASE="HEAD", FAIL_ON="", **given)
    assert done.returncode == 0, done.stderr
    report = Path(output.read_text().strip().removeprefix("report="))
    assert report.read_text() == summary.read_text()
    assert "### Breaking changes\n\n- `fill` `request.fee`: parameter-removed: `msat`" in report.read_text()
    failed = run(compare, project, SCHEMAS="schemas", BASE="HEAD", FAIL_ON="breaking", **given)
    assert failed.returncode == 1
    assert "::error file=schemas/fill.json,title=parameter-removed%3A command fill::" in failed.stdout
    linted = run(by_name["Look for mistakes"], project, FAIL_ON="error")
    assert linted.returncode == 1
    assert "title=example-method::" in linted.stdout
    assert run(by_name["Look for mistakes"], project, FAIL_ON="never").returncode == 0
    assert run(by_name["Check that generated files are up to date"], project).returncode == 1


def test_the_weekly_workflow_looks_for_changes(project: Path, tmp_path: Path) -> None:
    [look] = [step for step in WEEKLY["jobs"]["follow"]["steps"] if step.get("id") == "sync"]
    table = project / "pyproject.toml"
    table.write_text(table.read_text() + 'facts = "schemas/cln"\n')
    theirs = tmp_path / "lightning" / "doc" / "schemas"
    theirs.mkdir(parents=True)
    (theirs / "full.json").write_text(json.dumps({**EMPTY, "rpc": "full"}))
    output = tmp_path / "output"
    given = {"GITHUB_OUTPUT": str(output), "RUNNER_TEMP": str(tmp_path)}
    assert run(look, project, **given).returncode == 0
    assert output.read_text() == "code=1\n"
    assert "added rpc full" in (tmp_path / "sync.txt").read_text()
    (theirs / "full.json").write_text("{")
    assert run(look, project, **given).returncode == 1
