"""`rpcschema sync` brings in the facts of another release, keeps our words, and writes all or nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rpcschema.model.nodes import FACTS
from tests.generator.commands import rpcschema, tree
from tests.shared import shared_path

LEVEL: dict[str, Any] = {"type": "u8", "description": ["Theirs."]}


def write(folder: Path, name: str, /, kind: str = "rpc", **more: Any) -> Path:
    """Return a document of upstream."""
    raw = {kind: name, "title": "Their title", "description": ["Their text."], "request": {}, "response": {}, **more}
    file = folder / f"{name}-{kind}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(raw))
    return file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a checkout in `upstream` that has a document of each kind."""
    schemas = tmp_path / "upstream/doc/schemas"
    write(schemas, "fill", request={"properties": {"tank": {"type": "string"}, "level": LEVEL}})
    write(schemas, "full", kind="notification")
    write(schemas, "fill", kind="hook")
    return tmp_path


def sync(folder: Path, *more: str) -> tuple[int, str, str]:
    done = rpcschema("sync", "upstream", "--facts", "facts", *more, cwd=folder)
    return done.returncode, done.stdout, done.stderr


def ours(folder: Path) -> dict[str, Any]:
    raw: dict[str, Any] = json.loads((folder / "facts/fill.json").read_text())
    return raw


def test_the_first_time_all_is_added_and_asks_for_words(folder: Path) -> None:
    assert sync(folder) == (
        0,
        "added rpc fill: it needs a title and descriptions of our own\n"
        "added hook fill: it needs a title and descriptions of our own\n"
        "added notification full: it needs a title and descriptions of our own\n"
        "facts: 3 written, 0 removed\n",
        "",
    )
    assert set(tree(folder / "facts")) == {"fill.json", "hook/fill.json", "notification/full.json"}
    made = ours(folder)
    assert (made["$schema"], made["title"], made["description"]) == (FACTS, "The command fill", [])
    assert "Their" not in json.dumps(made)


def test_a_second_time_nothing_changes(folder: Path) -> None:
    sync(folder)
    before = {file: file.stat().st_mtime_ns for file in (folder / "facts").rglob("*.json")}
    assert sync(folder) == (0, "facts: nothing changed\n", "")
    assert {file: file.stat().st_mtime_ns for file in (folder / "facts").rglob("*.json")} == before


def test_check_reports_what_would_change_and_writes_nothing(folder: Path) -> None:
    code, out, _ = sync(folder, "--check")
    assert (code, out.splitlines()[-1]) == (1, "facts: 3 to write, 0 to remove")
    assert not (folder / "facts").exists()
    sync(folder)
    assert sync(folder, "--check") == (0, "facts: nothing changed\n", "")
    before = tree(folder / "facts")
    (folder / "upstream/doc/schemas/full-notification.json").unlink()
    assert sync(folder, "--check")[:2] == (1, "removed notification full\nfacts: 0 to write, 1 to remove\n")
    assert tree(folder / "facts") == before


def test_a_folder_of_documents_does_as_well_as_a_checkout(folder: Path) -> None:
    sync(folder)
    done = rpcschema("sync", "upstream/doc/schemas", "--facts", "facts", cwd=folder)
    assert (done.returncode, done.stdout) == (0, "facts: nothing changed\n")


def test_words_stay_and_facts_change(folder: Path) -> None:
    sync(folder)
    mine = ours(folder)
    mine["title"], mine["description"] = "Fill a tank", ["It fills."]
    mine["request"]["properties"]["level"]["description"] = ["How far."]
    (folder / "facts/fill.json").write_text(json.dumps(mine))
    write(folder / "upstream/doc/schemas", "fill", request={"required": ["level"], "properties": {"level": LEVEL}})
    code, out, _ = sync(folder)
    assert (code, out) == (
        0,
        "changed rpc fill\n"
        "    - request.tank\n"
        "    ~ request.level: presence optional -> required\n"
        "    ~ parameters by position: level\n"
        "facts: 1 written, 0 removed\n",
    )
    assert (ours(folder)["title"], ours(folder)["description"]) == ("Fill a tank", ["It fills."])
    assert ours(folder)["request"] == {
        "required": ["level"],
        "properties": {"level": {"type": "u8", "description": ["How far."]}},
    }


def test_words_that_have_lost_their_field_are_shown_before_they_go(folder: Path) -> None:
    sync(folder)
    mine = ours(folder)
    mine["request"]["properties"]["level"]["description"] = ["How far", "it goes."]
    (folder / "facts/fill.json").write_text(json.dumps(mine))
    write(folder / "upstream/doc/schemas", "fill")
    assert "    ! words dropped, for their field is gone: request.level: How far it goes.\n" in sync(folder)[1]


def test_a_document_that_is_gone_upstream_goes(folder: Path) -> None:
    sync(folder)
    (folder / "upstream/doc/schemas/full-notification.json").unlink()
    assert sync(folder)[:2] == (0, "removed notification full\nfacts: 0 written, 1 removed\n")
    assert set(tree(folder / "facts")) == {"fill.json", "hook/fill.json"}


def test_words_of_a_document_that_goes_are_shown(folder: Path) -> None:
    sync(folder)
    mine = ours(folder) | {"title": "Fill a tank", "description": ["With", "care."]}
    mine["request"]["properties"]["level"]["description"] = ["How far."]
    (folder / "facts/fill.json").write_text(json.dumps(mine))
    (folder / "upstream/doc/schemas/fill-rpc.json").unlink()
    dropped = "    ! words dropped, for their document is gone: "
    assert sync(folder)[1].splitlines()[:-1] == [
        "removed rpc fill",
        f"{dropped}title: Fill a tank",
        f"{dropped}description: With care.",
        f"{dropped}request.level: How far.",
    ]


def test_a_single_document_does_not_take_the_place_of_all(folder: Path) -> None:
    sync(folder)
    before = tree(folder / "facts")
    done = rpcschema("sync", "upstream/doc/schemas/fill-rpc.json", "--facts", "facts", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert "fill-rpc.json: error: a file; expected a checkout of Core Lightning" in done.stderr
    assert tree(folder / "facts") == before


def test_a_change_that_no_type_shows_is_reported_too(folder: Path) -> None:
    states = [
        {"if": {"properties": {"state": {"enum": [state]}}}, "then": {"properties": {state: {"type": "u8"}}}}
        for state in ("full", "dry")
    ]
    write(folder / "upstream/doc/schemas", "fill", response={"allOf": states})
    sync(folder)
    write(folder / "upstream/doc/schemas", "fill", response={"allOf": states[::-1]})
    report = "changed rpc fill\n    ~ written differently, with the same meaning\nfacts: 1 written, 0 removed\n"
    assert sync(folder)[:2] == (0, report)


@pytest.mark.parametrize("content", ["{", "[]", '{"rpc": "x"}'])
def test_an_error_upstream_changes_nothing(folder: Path, content: str) -> None:
    sync(folder)
    before = tree(folder)
    (folder / "upstream/doc/schemas/full-notification.json").write_text(content)
    code, out, err = sync(folder)
    assert (code, out) == (2, "")
    assert "full-notification.json: " in err
    assert err.endswith("rpcschema: nothing was written\n")
    assert {path: data for path, data in tree(folder).items() if path.startswith("facts/")} == {
        path: data for path, data in before.items() if path.startswith("facts/")
    }


def test_a_document_that_calls_itself_by_anothers_id_is_an_error(folder: Path) -> None:
    wrong = write(folder / "upstream/doc/schemas", "drain")
    wrong.write_text(wrong.read_text().replace('"drain"', '"fill"'))
    code, _, err = sync(folder)
    assert code == 2
    assert "rpc 'fill' is described twice, here and in upstream/doc/schemas/drain-rpc.json" in err
    assert not (folder / "facts").exists()


def test_a_slip_that_the_model_can_hold_is_a_warning(folder: Path) -> None:
    write(folder / "upstream/doc/schemas", "fill", request={"properties": {"tank": {"type": "u8", "pattern": "x"}}})
    code, _, err = sync(folder)
    assert code == 0
    assert err.endswith("/request/properties/tank/pattern: warning: unknown keyword: 'pattern'\n")


def test_a_folder_with_a_document_in_full_is_not_touched(folder: Path) -> None:
    full = write(folder / "facts", "own")
    code, _, err = sync(folder)
    assert (code, tree(folder / "facts")) == (2, {"own-rpc.json": full.read_bytes()})
    assert "facts/own-rpc.json: error: a document in full, which sync does not replace" in err


@pytest.mark.parametrize("upstream", ["nowhere", "empty"])
def test_an_upstream_without_documents_is_an_error(folder: Path, upstream: str) -> None:
    (folder / "empty").mkdir()
    sync(folder)
    done = rpcschema("sync", upstream, "--facts", "facts", cwd=folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(tree(folder / "facts")) == 3


def test_the_folder_may_stand_in_pyproject(folder: Path) -> None:
    done = rpcschema("sync", "upstream", cwd=folder)
    assert done.returncode == 2
    assert done.stderr.startswith("rpcschema: --facts is needed: ")
    (folder / "pyproject.toml").write_text("[tool.rpcschema]\nfacts = 'schemas/node'\n")
    assert rpcschema("sync", "upstream", cwd=folder).returncode == 0
    assert len(tree(folder / "schemas/node")) == 3
    assert rpcschema("sync", "upstream", "--facts", "", cwd=folder).returncode == 2


def test_a_folder_that_cannot_be_made_is_a_clear_error(folder: Path) -> None:
    (folder / "facts").write_text("in the way")
    code, out, err = sync(folder)
    assert (code, out) == (2, "")
    assert err.startswith("rpcschema: ")
    assert "Traceback" not in err


def test_control_characters_in_names_do_not_reach_the_terminal(folder: Path) -> None:
    sync(folder)
    write(folder / "upstream/doc/schemas", "fill", request={"properties": {"\x1b[2J": {"type": "u8"}}})
    assert "\x1b" not in sync(folder)[1]


def test_a_release_of_core_lightning_with_a_wrong_id_is_refused(tmp_path: Path) -> None:
    done = rpcschema("sync", shared_path("corpus/v24.11/schemas"), "--facts", "facts", cwd=tmp_path)
    assert done.returncode == 2
    assert "rpc 'disableoffer' is described twice" in done.stderr
    assert not (tmp_path / "facts").exists()
