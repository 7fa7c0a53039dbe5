"""The JSON Schemas for editors accept what `rpcschema` accepts, and the page about them is right."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from rpcschema.editing import document_schema, settings_schema
from rpcschema.lint.rules import RULES
from rpcschema.settings import ProjectTable, SettingsError, find_project
from tests.generator.commands import rpcschema
from tests.project.guides import pieces
from tests.shared import ROOT

PAGE = "edit-documents-in-an-editor"


def complaints(schema: dict[str, Any], value: Any) -> list[str]:
    return [error.json_path for error in Draft202012Validator(schema).iter_errors(value)]


@pytest.mark.parametrize("made", [document_schema(), settings_schema()], ids=["document", "settings"])
def test_is_a_json_schema(made: dict[str, Any]) -> None:
    Draft202012Validator.check_schema(made)


def test_accepts_our_own_documents_and_table() -> None:
    for file in (ROOT / "schemas").rglob("*.json"):
        assert complaints(document_schema(), json.loads(file.read_text(encoding="utf-8"))) == [], file
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert complaints(settings_schema(), table) == []


def test_every_key_and_rule_is_known_and_explained() -> None:
    table = settings_schema()["properties"]["tool"]["properties"]["rpcschema"]["properties"]
    assert table.keys() == {field.name for field in fields(ProjectTable)}
    assert all(len(key["description"]) > 5 and len(key) > 1 for key in table.values()), table
    assert table["lint"]["properties"].keys() == {"profile", "fail_on", *RULES}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("schemas = ['a']", None),
        ("out = 'b'\ntargets = ['man']\nrelease = 'v26.09'\n[tool.rpcschema.lint]\nlate-parameter = 'off'", None),
        ("schema = ['a']", "$.tool.rpcschema"),
        ("schemas = 'a'", "$.tool.rpcschema.schemas"),
        ("package = 7", "$.tool.rpcschema.package"),
        ("lint = 'off'", "$.tool.rpcschema.lint"),
    ],
)
def test_marks_what_the_program_refuses(tmp_path: Path, text: str, place: str | None) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text(f"[tool.rpcschema]\n{text}\n")
    found = complaints(settings_schema(), tomllib.loads(file.read_text()))
    assert found == ([] if place is None else [place])
    if place is None:
        find_project(tmp_path)
    else:
        with pytest.raises(SettingsError):
            find_project(tmp_path)


@pytest.mark.parametrize(
    ("change", "place"),
    [({"rpc": 7}, "$.rpc"), ({"hook": "x"}, "$"), ({"request": {"properties": {"a": {"type": "u31"}}}}, "$.request")],
)
def test_marks_mistakes_in_documents(change: dict[str, Any], place: str) -> None:
    document = {"rpc": "x", "title": "X", "description": ["X."], "request": {}, "response": {}}
    assert complaints(document_schema(), document) == []
    assert all(found.startswith(place) for found in complaints(document_schema(), {**document, **change}))
    assert complaints(document_schema(), {**document, **change})


def test_the_page_sets_up_a_document_that_generates(tmp_path: Path) -> None:
    [script] = pieces(PAGE, "sh")
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    subprocess.run(["bash", "-euc", script], cwd=tmp_path, env=environment, check=True)
    document, settings, tasks = map(json.loads, pieces(PAGE, "json"))
    schema = json.loads((tmp_path / "schemas" / document["$schema"]).resolve().read_text())
    assert complaints(schema, document) == []
    assert settings["json.schemas"][0]["url"] == "./.schemas/document.json"
    [first] = pieces(PAGE, "toml")
    assert (tmp_path / first.removeprefix("#:schema ").strip()).is_file()
    (tmp_path / "schemas").mkdir()
    (tmp_path / "schemas" / "drain.json").write_text(json.dumps(document, indent=2))
    made = rpcschema("generate", "schemas", "--package", "tank", "--target", "man", cwd=tmp_path)
    assert (made.returncode, made.stderr) == (0, "")

    broken = copy.deepcopy(document)
    broken["description"] = []
    (tmp_path / "schemas" / "drain.json").write_text(json.dumps(broken, indent=2))
    [matcher] = [task["problemMatcher"]["pattern"] for task in tasks["tasks"]]
    lines = rpcschema("lint", "schemas", cwd=tmp_path).stdout.splitlines()[:-1]
    found = [re.fullmatch(matcher["regexp"], line) for line in lines]
    assert {(each[matcher["file"]], each[matcher["code"]]) for each in found if each} == {
        ("schemas/drain.json", "missing-description"),
        ("schemas/drain.json", "missing-example"),
    }
    assert len(lines) == 2
