"""With `--keep-going`, what is made is made of the documents without errors, as if the others were not there."""

from __future__ import annotations

import json
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from rpcschema.model.nodes import FACTS
from tests.generator.commands import rpcschema, tree
from tests.generator.packages import command

U8 = {"type": "u8"}
BROKEN = command("drain") | {"title": 1}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "schemas").mkdir()
    for name in ("fill", "level"):
        (tmp_path / f"schemas/{name}.json").write_text(json.dumps(command(name)))
    return tmp_path


def run(folder: Path, action: str = "generate", *more: str) -> CompletedProcess[str]:
    return rpcschema(action, "schemas", "--package", "tank", *more, cwd=folder)


def add(folder: Path, name: str, raw: Any) -> None:
    (folder / f"schemas/{name}.json").write_text(raw if isinstance(raw, str) else json.dumps(raw))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (BROKEN, "/title: error: expected a string"),
        ("{", "line 1 column 2: error: not JSON"),
        ({}, "error: not an rpc-schema document"),
        (command("fill"), "/rpc: error: rpc 'fill' is described twice"),
        (command("FILL"), "both make the file"),
        (command("rpc-x"), "names that begin with rpc_"),
        (command("zap", request={"properties": dict.fromkeys(("a-b", "a_b"), U8)}), "both become a_b in Python"),
        (command("zap", response={"required": ["ghost"]}), "required, but not among the properties: 'ghost'"),
    ],
    ids=range(8),
)
def test_a_document_with_an_error_is_left_out_and_named(folder: Path, raw: Any, message: str) -> None:
    assert run(folder, "generate", "--out", "without").returncode == 0
    add(folder, "zz-odd", raw)
    done = run(folder)
    assert (done.returncode, message in done.stderr, (folder / "generated").exists()) == (2, True, False)
    done = run(folder, "generate", "--keep-going")
    assert done.returncode == 1
    assert message in done.stderr
    named = "schemas/zz-odd.json" if "FILL" not in str(raw) else "schemas/fill.json"
    assert done.stderr.endswith(f"rpcschema: left out 1 document with errors: {named}\n")
    if named == "schemas/zz-odd.json":
        assert tree(folder / "generated") == tree(folder / "without")


def test_check_keeps_going_too(folder: Path) -> None:
    add(folder, "odd", BROKEN)
    assert run(folder, "check", "--keep-going").returncode == 1
    run(folder, "generate", "--keep-going")
    done = run(folder, "check", "--keep-going")
    assert (done.returncode, done.stdout) == (1, "")
    assert "left out 1 document with errors: schemas/odd.json" in done.stderr
    assert run(folder, "check").returncode == 2


def test_facts_take_the_place_of_a_full_document_that_is_left_out(folder: Path) -> None:
    facts = command("drain") | {"$schema": FACTS}
    add(folder, "facts", facts)
    add(folder, "drain", BROKEN)
    assert run(folder, "generate", "--keep-going").returncode == 1
    assert "def drain(" in (folder / "generated/tank/calls.py").read_text()


def test_nothing_is_removed_because_a_folder_cannot_be_read(folder: Path) -> None:
    assert run(folder).returncode == 0
    before = tree(folder / "generated")
    done = rpcschema("generate", "schemas", "nowhere", "--package", "tank", "--keep-going", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert tree(folder / "generated") == before


def test_nothing_is_removed_if_all_documents_have_errors(folder: Path) -> None:
    assert run(folder).returncode == 0
    before = tree(folder / "generated")
    for name in ("fill", "level"):
        add(folder, name, "[")
    done = run(folder, "generate", "--keep-going")
    assert (done.returncode, done.stdout) == (2, "")
    assert tree(folder / "generated") == before


def test_all_is_well_without_errors(folder: Path) -> None:
    done = run(folder, "generate", "--keep-going")
    assert (done.returncode, done.stderr) == (0, "")
