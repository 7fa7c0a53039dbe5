"""The command: its settings, the forms of its output, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rpcschema.lint.rules import LEVELS, RULES
from tests.generator.commands import rpcschema
from tests.lint.broken import EMPTY, FILL, changed, put
from tests.project.lint_rules import PAGE, page
from tests.shared import ROOT

LINE = "schemas/fill.json:4: /added error: 'soon' names no release [release-malformed]"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder whose documents break a rule of the level error, and one of the level warning."""
    raw = changed(put("request/properties/litres/default", "much"))
    raw["added"] = "soon"
    (tmp_path / "schemas").mkdir()
    for document in (raw, EMPTY):
        (tmp_path / "schemas" / f"{document['rpc']}.json").write_text(json.dumps(document, indent=1))
    return tmp_path


def table(folder: Path, text: str) -> None:
    (folder / "pyproject.toml").write_text(f'[tool.rpcschema]\nschemas = ["schemas"]\n[tool.rpcschema.lint]\n{text}\n')


def test_prints_places_that_editors_open_and_fails_on_errors(folder: Path) -> None:
    done = rpcschema("lint", "schemas", cwd=folder)
    assert (done.returncode, done.stderr) == (1, "")
    first, *_, last = done.stdout.splitlines()
    assert (first, last) == (LINE, "2 findings: 1 error, 1 warning")


def test_finds_the_documents_that_the_project_names(folder: Path) -> None:
    table(folder, "")
    assert "2 findings: 1 error, 1 warning" in rpcschema("lint", cwd=folder).stdout


@pytest.mark.parametrize(
    ("text", "options", "code"),
    [
        ("", ["--fail-on", "never"], 0),
        ('release-malformed = "warning"', [], 0),
        ('release-malformed = "warning"', ["--fail-on", "warning"], 1),
        ('release-malformed = "off"\ndefault-in-prose = "off"', ["--fail-on", "note"], 0),
        ('release-malformed = "off"\nfail_on = "warning"', [], 1),
        ('release-malformed = "off"\nfail_on = "warning"', ["--fail-on", "error"], 0),
        ('release-malformed = "off"\ndefault-in-prose = "error"', [], 1),
        ('profile = "upstream"', [], 0),
        ("", ["--profile", "upstream"], 0),
        ('profile = "upstream"', ["--profile", "own"], 1),
    ],
)
def test_levels_decide_what_fails(folder: Path, text: str, options: list[str], code: int) -> None:
    table(folder, text)
    assert rpcschema("lint", *options, cwd=folder).returncode == code


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('release-malformd = "off"', "there is no rule 'release-malformd'; did you mean 'release-malformed'?"),
        ('nothing-like-it = "off"', "there is no rule 'nothing-like-it'; docs/reference/lint.md lists them"),
        ('late-parameter = "warn"', f"late-parameter: expected {', '.join(LEVELS)}; found 'warn'"),
        ('late-parameter = "errors"', "found 'errors'; did you mean 'error'?"),
        ("late-parameter = true", "late-parameter: expected off, note, warning, error; found True"),
        ('fail_on = "off"', "fail_on: expected note, warning, error, never; found 'off'"),
        ('profile = "mine"', "profile: expected own, upstream; found 'mine'"),
    ],
)
def test_refuses_what_is_no_rule_or_level(folder: Path, text: str, message: str) -> None:
    table(folder, text)
    done = rpcschema("lint", cwd=folder)
    assert done.returncode == 2
    assert done.stderr.startswith("rpcschema: pyproject.toml: [tool.rpcschema.lint]: ")
    assert message in done.stderr


def test_json_has_rule_place_and_severity(folder: Path) -> None:
    found = json.loads(rpcschema("lint", "schemas", "--json", cwd=folder).stdout)
    assert found["findings"][0] == {
        "rule": "release-malformed",
        "severity": "error",
        "file": "schemas/fill.json",
        "line": 4,
        "pointer": "/added",
        "message": "'soon' names no release",
    }


def test_markdown_and_annotations_have_the_same_findings(folder: Path) -> None:
    printed = rpcschema("lint", "schemas", "--markdown", cwd=folder).stdout
    assert "### Errors\n\n- `schemas/fill.json:4` `/added`: 'soon' names no release (release-malformed)\n" in printed
    printed = rpcschema("lint", "schemas", "--github", cwd=folder).stdout
    assert printed.startswith("::error file=schemas/fill.json,line=4,title=release-malformed::/added: 'soon' names")


def test_compares_with_an_earlier_release(folder: Path) -> None:
    (folder / "before").mkdir()
    before = changed(lambda raw: raw["request"]["properties"].pop("fee"))
    (folder / "before" / "fill.json").write_text(json.dumps(before))
    printed = rpcschema("lint", "schemas", "--since", "before", cwd=folder).stdout
    assert "/request/properties/fee error: request.fee is not in v26.03, and has no `added` [added-missing]" in printed


def test_an_earlier_release_that_cannot_be_read_is_an_error(folder: Path) -> None:
    done = rpcschema("lint", "schemas", "--since", "nowhere", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")


def test_needs_documents(tmp_path: Path) -> None:
    done = rpcschema("lint", cwd=tmp_path)
    assert done.returncode == 2
    assert "SCHEMAS is needed" in done.stderr


def test_a_folder_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    done = rpcschema("lint", "schemas", cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "rpcschema: schemas: no such file or folder\n")


def test_own_documents_may_refer_to_pages_of_core_lightning(folder: Path) -> None:
    raw = {**FILL, "description": ["See lightning-getinfo(7) and lightning-getinf(7)."]}
    (folder / "schemas" / "fill.json").write_text(json.dumps(raw))
    found = json.loads(rpcschema("lint", "schemas", "--json", cwd=folder).stdout)["findings"]
    assert [each["message"] for each in found] == [
        "no document describes the command 'getinf'; did you mean 'getinfo'?"
    ]


def test_the_page_says_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m tests.project.lint_rules"
    assert all(f"`{name}`" in page() for name in RULES)


def test_our_own_documents_have_only_notes() -> None:
    found = json.loads(rpcschema("lint", "--json", "--fail-on", "never", cwd=ROOT).stdout)["findings"]
    ours = [each for each in found if "/cln/" not in each["file"]]
    assert ours
    assert {each["severity"] for each in ours} == {"note"}
