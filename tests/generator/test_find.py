"""Which files are read: links are followed, hidden files are skipped, and of two files with one document one counts."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from rpcschema.model.nodes import FACTS
from rpcschema.problems import Level
from rpcschema.read.load import load

MINIMAL = {"rpc": "fill", "title": "Fill", "description": ["Fills."], "request": {}, "response": {}}


def test_one_bad_document_hides_no_other(tmp_path: Path) -> None:
    for name, content in {"a": "{", "b": json.dumps(MINIMAL), "c": "[]"}.items():
        (tmp_path / f"{name}.json").write_text(content)
    loaded = load([tmp_path])
    assert [document.name for document in loaded.documents] == ["fill"]
    assert [Path(problem.file).name for problem in loaded.problems] == ["a.json", "c.json"]


def test_two_documents_of_one_name_are_refused_naming_both(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.json").write_text(json.dumps(MINIMAL))
    (problem,) = load([tmp_path]).problems
    assert (
        str(problem) == f"{tmp_path}/b.json: /rpc: error: rpc 'fill' is described twice, here and in {tmp_path}/a.json"
    )


@pytest.mark.parametrize(("full", "facts"), [("a", "b"), ("b", "a")], ids=["full first", "facts first"])
def test_a_full_document_takes_the_place_of_one_of_facts(tmp_path: Path, full: str, facts: str) -> None:
    (tmp_path / f"{full}.json").write_text(json.dumps(MINIMAL))
    (tmp_path / f"{facts}.json").write_text(json.dumps(MINIMAL | {"$schema": FACTS}))
    loaded = load([tmp_path])
    assert ([source.document.is_facts for source in loaded.sources], loaded.problems) == ([False], ())


def test_two_documents_of_facts_of_one_name_are_refused_even_beside_a_full_one(tmp_path: Path) -> None:
    for name, schema in {"a": FACTS, "b": "", "c": FACTS}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(MINIMAL | {"$schema": schema}))
    (problem,) = load([tmp_path]).problems
    assert problem.message == f"rpc 'fill' is described twice, here and in {tmp_path}/a.json"


def test_one_name_may_be_a_command_and_a_hook(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(MINIMAL))
    (tmp_path / "b.json").write_text(json.dumps(MINIMAL | {"hook": "fill"}).replace('"rpc": "fill", ', ""))
    assert [(document.kind, document.name) for document in load([tmp_path]).documents] == [
        ("hook", "fill"),
        ("rpc", "fill"),
    ]


def test_a_file_in_two_roots_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(MINIMAL))
    loaded = load([tmp_path, tmp_path / "a.json", tmp_path / ".." / tmp_path.name])
    assert (len(loaded.documents), loaded.problems) == (1, ())


def test_missing_and_empty_roots_are_reported(tmp_path: Path) -> None:
    problems = load([tmp_path / "nowhere", tmp_path]).problems
    assert sorted(problem.message for problem in problems) == [
        "cannot be read: No such file or directory",
        "no *.json file in it",
    ]


def test_what_is_hidden_is_not_read_unless_it_is_asked_for(tmp_path: Path) -> None:
    hidden = (tmp_path / ".git" / "a.json", tmp_path / "b" / ".checkpoints" / "a.json", tmp_path / "b" / "._a.json")
    for file in (tmp_path / "b" / "a.json", *hidden):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(MINIMAL))
    loaded = load([tmp_path])
    assert ([source.document.file for source in loaded.sources], loaded.problems) == (["b/a.json"], ())
    for root in (hidden[0], hidden[1].parent):
        assert [source.document.file for source in load([root]).sources] == ["a.json"]


def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.json")
    assert [problem.message for problem in load([tmp_path]).problems] == ["no *.json file in it"]


@pytest.mark.parametrize("target", ["nowhere.json", "a.json"], ids=["dangling", "to itself"])
def test_a_link_to_nothing_is_reported(tmp_path: Path, target: str) -> None:
    (tmp_path / "a.json").symlink_to(target)
    (problem,) = load([tmp_path]).problems
    assert problem.message.startswith("cannot be read: ")


def write(file: Path, name: str = "fill") -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(MINIMAL | {"rpc": name}))


def test_a_link_to_a_folder_is_followed(tmp_path: Path) -> None:
    write(tmp_path / "schemas/a.json", "a")
    write(tmp_path / "elsewhere/deep/b.json", "b")
    (tmp_path / "schemas/more").symlink_to("../elsewhere")
    loaded = load([tmp_path / "schemas"])
    assert [source.document.file for source in loaded.sources] == ["a.json", "more/deep/b.json"]
    assert loaded.problems == ()


def test_links_in_a_circle_come_to_an_end_and_no_document_is_read_twice(tmp_path: Path) -> None:
    write(tmp_path / "schemas/a.json", "a")
    write(tmp_path / "schemas/sub/b.json", "b")
    (tmp_path / "schemas/sub/up").symlink_to("..")
    (tmp_path / "schemas/sub/self").symlink_to(".")
    (tmp_path / "schemas/again").symlink_to("sub")
    loaded = load([tmp_path / "schemas"])
    assert ([document.name for document in loaded.documents], loaded.problems) == (["a", "b"], ())


def test_a_link_that_could_have_been_a_folder_is_reported(tmp_path: Path) -> None:
    write(tmp_path / "a.json")
    (tmp_path / "more").symlink_to("gone")
    (tmp_path / ".hidden").symlink_to("gone")
    loaded = load([tmp_path])
    (problem,) = loaded.problems
    assert (problem.file, problem.level) == (str(tmp_path / "more"), Level.WARNING)
    assert problem.message == "a symbolic link to nothing; if that was a folder, its documents are missing"
    assert len(loaded.documents) == 1
