"""Corrections: documents are read as nodes behave, and an entry that no longer fits its document is an error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rpcschema.problems import Problem
from rpcschema.read.corrections import Corrections, read_corrections
from tests.generator.commands import rpcschema, tree

WHY = {"reason": "Nodes do so.", "seen": "v26.06"}
REQUEST: dict[str, Any] = {
    "required": ["tank"],
    "properties": {"tank": {"type": "string"}, "level": {"type": "u8"}, "inner": {"type": "object"}},
    "pairedWith": [["tank", "level"]],
}
RESPONSE: dict[str, Any] = {"properties": {"open": {"type": "boolean"}, "marker": {}}}


def toml(value: Any) -> str:
    """Return `value` as TOML, tables inline."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{json.dumps(key)} = {toml(entry)}' for key, entry in value.items())} }}"
    return f"[{', '.join(map(toml, value))}]" if isinstance(value, list) else json.dumps(value)


def write_table(folder: Path, *entries: dict[str, Any]) -> Path:
    file = folder / "corrections.toml"
    lines = ("\n".join(f"{key} = {toml(value)}" for key, value in entry.items()) for entry in entries)
    file.write_text("".join(f"[[correction]]\n{entry}\n" for entry in lines))
    return file


def document(name: str = "fill", **more: Any) -> dict[str, Any]:
    raw = {"rpc": name, "title": "Fill", "description": [], "request": REQUEST, "response": RESPONSE}
    return raw | more


def corrected(folder: Path, **edits: Any) -> tuple[dict[str, Any], tuple[Problem, ...]]:
    """Return `document()` as one entry with `edits` corrects it, and the problems."""
    table = read_corrections(write_table(folder, {"rpc": "fill"} | edits | WHY))
    assert table.problems == ()
    return table.apply(document(), table.of(("rpc", "fill")))


def made(folder: Path, **edits: Any) -> dict[str, Any]:
    raw, problems = corrected(folder, **edits)
    assert problems == ()
    return raw


def test_renames_a_parameter_in_its_place(tmp_path: Path) -> None:
    request = made(tmp_path, rename={"tank": "vessel"})["request"]
    assert list(request["properties"]) == ["vessel", "level", "inner"]
    assert request["required"] == ["vessel"]


def test_drops_a_parameter(tmp_path: Path) -> None:
    request = made(tmp_path, drop=["tank"])["request"]
    assert (list(request["properties"]), request["required"]) == (["level", "inner"], [])


def test_requires_a_parameter_or_does_not(tmp_path: Path) -> None:
    assert made(tmp_path, required=["level"])["request"]["required"] == ["tank", "level"]
    assert made(tmp_path, optional=["tank"])["request"]["required"] == []


def test_orders_parameters_after_it_has_added_some(tmp_path: Path) -> None:
    node = {"type": "u16"}
    raw = made(tmp_path, order=["level", "speed", "tank", "inner"], add={"request.speed": node})
    assert list(raw["request"]["properties"]) == ["level", "speed", "tank", "inner"]
    assert raw["request"]["properties"]["speed"] == node


def test_extensions_have_no_place_in_the_order(tmp_path: Path) -> None:
    node = {"type": "u16", "extension": True}
    raw = made(tmp_path, order=["level", "tank", "inner"], add={"request.speed": node})
    assert list(raw["request"]["properties"]) == ["level", "tank", "inner", "speed"]


def test_adds_fields_at_any_depth_and_takes_the_place_of_markers(tmp_path: Path) -> None:
    node = {"type": "u16"}
    raw = made(tmp_path, add={"response.marker": node, "response.new": node, "request.inner.new": node})
    assert raw["response"]["properties"] == {"open": {"type": "boolean"}, "marker": node, "new": node}
    assert raw["request"]["properties"]["inner"]["properties"] == {"new": node}


def test_marks_rules_that_nodes_enforce_even_those_without_a_document(tmp_path: Path) -> None:
    rules = {"pairedWith": [["tank", "level"]], "oneOfMany": [["level", "inner"]]}
    request = made(tmp_path, enforced=rules)["request"]
    assert request["enforced"] == ["pairedWith", "oneOfMany"]
    assert {keyword: request[keyword] for keyword in rules} == rules


def test_leaves_a_rule_that_nodes_do_not_enforce_as_documentation(tmp_path: Path) -> None:
    assert made(tmp_path, unenforced={"pairedWith": [["tank", "level"]]}) == document()


def test_does_not_touch_the_document_that_it_corrects(tmp_path: Path) -> None:
    before = json.dumps(document())
    corrected(tmp_path, drop=["tank"], add={"request.inner.new": {}}, enforced={"oneOfMany": []})
    assert json.dumps(document()) == before


@pytest.mark.parametrize(
    ("edits", "found"),
    [
        ({"rename": {"vessel": "tank"}}, "fixed: it is called tank; remove this correction"),
        ({"rename": {"speed": "pace"}}, "changed: there is no parameter speed; try it on a node again"),
        ({"rename": {"tank": "level"}}, "changed: there are both tank and level; try it on a node again"),
        ({"drop": ["speed"]}, "fixed: there is no parameter speed; remove this correction"),
        ({"required": ["tank"]}, "fixed: tank is required; remove this correction"),
        ({"required": ["speed"]}, "changed: there is no parameter speed; try it on a node again"),
        ({"optional": ["level"]}, "fixed: level is not required; remove this correction"),
        ({"order": ["tank", "level", "inner"]}, "fixed: the parameters have this order; remove this correction"),
        ({"order": ["level", "tank"]}, "changed: the parameters are tank, level, inner; try it on a node again"),
        ({"add": {"response.open": {}}}, "fixed: it declares response.open; remove this correction"),
        ({"add": {"response.lid.open": {}}}, "changed: there is no response.lid; try it on a node again"),
        ({"enforced": {"pairedWith": []}}, "changed: it has another pairedWith; try it on a node again"),
        ({"unenforced": {"pairedWith": []}}, "changed: it has another pairedWith; try it on a node again"),
        ({"unenforced": {"oneOfMany": []}}, "fixed: it has no oneOfMany; remove this correction"),
    ],
)
def test_an_entry_that_upstream_has_overtaken_is_an_error(edits: dict[str, Any], found: str, tmp_path: Path) -> None:
    _, (problem,) = corrected(tmp_path, **edits)
    assert problem.pointer == "/correction/0"
    assert problem.message == (
        f"no longer applies to rpc fill, which upstream has {found} (on {WHY['seen']}: {WHY['reason']})"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[correction", "not readable as TOML: "),
        ("[corrections]", "expected tables [[correction]], and nothing else"),
        ("correction = 3", "expected tables [[correction]], and nothing else"),
        ("correction = [3]", "expected a table"),
    ],
)
def test_refuses_what_is_not_a_table_of_corrections(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "corrections.toml"
    file.write_text(text)
    (problem,) = read_corrections(file).problems
    assert problem.message.startswith(message)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"rpc": "x", "hook": "x", "drop": [], **WHY}, "expected exactly one of rpc, notification, hook"),
        ({"rpc": "x", "drop": [], "reason": "Nodes do so."}, "missing: seen"),
        ({"rpc": "x", "drop": [], "seen": "v26.06"}, "missing: reason"),
        ({"rpc": "x", **WHY}, "it corrects nothing: expected one or more of rename, drop, "),
        ({"rpc": "", "drop": [], **WHY}, "rpc: expected a string, not empty"),
        ({"rpc": "x", "drop": [3], **WHY}, "drop: expected a list of parameters"),
        ({"rpc": "x", "rename": {"a": 3}, **WHY}, "rename: expected a table of new names by old ones"),
        (
            {"rpc": "x", "add": {"a": {}}, **WHY},
            "add: expected a table of schemas by paths that begin with request. or",
        ),
        ({"rpc": "x", "enforced": {"a": []}, **WHY}, "enforced: expected a table of dependentUpon, oneOfMany, "),
        ({"rpc": "x", "drop": [], "dorp": [], **WHY}, "unknown key dorp; there are rpc, "),
    ],
)
def test_refuses_an_entry_that_cannot_be_used(entry: dict[str, Any], message: str, tmp_path: Path) -> None:
    table = read_corrections(write_table(tmp_path, {"rpc": "fill", "drop": []} | WHY, entry))
    assert table.entries == ()
    (problem,) = table.problems
    assert (problem.file, problem.pointer) == (str(tmp_path / "corrections.toml"), "/correction/1")
    assert problem.message.startswith(message)


def test_a_table_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    assert [problem.message for problem in read_corrections(tmp_path).problems] == ["cannot be read: Is a directory"]


def test_no_table_corrects_nothing() -> None:
    assert Corrections().of(("rpc", "fill")) == ()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project of two commands, whose table adds a field to one of them."""
    (tmp_path / "schemas").mkdir()
    for name in ("fill", "drain"):
        (tmp_path / "schemas" / f"{name}.json").write_text(json.dumps(document(name)))
    write_table(tmp_path, {"rpc": "fill", "add": {"response.new": {"type": "u16"}}} | WHY)
    lines = ("schemas = ['schemas']", "package = 'tank'", "targets = ['python']", "corrections = 'corrections.toml'")
    (tmp_path / "pyproject.toml").write_text("\n".join(["[tool.rpcschema]", *lines]))
    return tmp_path


def classes(project: Path) -> str:
    return (project / "generated/tank/types/fill.py").read_text()


def test_a_project_names_its_table(project: Path) -> None:
    assert rpcschema("generate", cwd=project).returncode == 0
    assert "new: U16" in classes(project)
    assert "new" not in (project / "generated/tank/types/drain.py").read_text()


def test_the_projects_table_is_not_for_other_documents(project: Path) -> None:
    assert rpcschema("generate", "schemas", cwd=project).returncode == 0
    assert "new: U16" not in classes(project)
    assert rpcschema("generate", "schemas", "--corrections", "corrections.toml", cwd=project).returncode == 0
    assert "new: U16" in classes(project)


def test_a_changed_entry_has_its_document_made_anew_and_no_other(project: Path) -> None:
    rpcschema("generate", cwd=project)
    others = project / "generated/tank/types/drain.py"
    before = others.stat().st_mtime_ns
    write_table(project, {"rpc": "fill", "add": {"response.old": {"type": "u16"}}} | WHY)
    assert rpcschema("check", cwd=project).returncode == 1
    assert rpcschema("generate", cwd=project).stdout.endswith("generated: 2 written, 0 removed\n")
    assert "old: U16" in classes(project)
    assert others.stat().st_mtime_ns == before
    assert rpcschema("check", cwd=project).returncode == 0


@pytest.mark.parametrize("command", ["generate", "check"])
@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            {"rpc": "fill", "drop": ["x"]},
            "/correction/0: error: no longer applies to rpc fill",
        ),
        ({"rpc": "full", "drop": ["x"]}, "/correction/0: error: there is no document rpc full"),
        ({"hook": "fill", "drop": ["x"]}, "/correction/0: error: there is no document hook fill"),
        (
            {"rpc": "fill", "add": {"request.x": {"type": "u7"}}},
            "error: rpc/fill, as corrected, at /request/prop",
        ),
        (
            {"rpc": "fill", "enforced": {"oneOfMany": 3}},
            "error: rpc/fill, as corrected, at /request/oneO",
        ),
    ],
)
def test_an_entry_that_does_not_fit_stops_the_run(
    command: str, entry: dict[str, Any], message: str, project: Path
) -> None:
    rpcschema("generate", cwd=project)
    before = tree(project / "generated")
    write_table(project, entry | WHY)
    done = rpcschema(command, cwd=project)
    assert (done.returncode, tree(project / "generated")) == (2, before)
    assert f"corrections.toml: {message}" in done.stderr


def test_sync_reports_what_upstream_has_fixed_and_keeps_the_facts_as_upstream_says(project: Path) -> None:
    upstream = project / "upstream"
    upstream.mkdir()
    (upstream / "fill.json").write_text(json.dumps(document(response={"properties": {"new": {"type": "u8"}}})))
    write_table(
        project,
        {"rpc": "fill", "add": {"response.new": {"type": "u16"}}} | WHY,
        {"rpc": "fill", "drop": ["level"]} | WHY,
        {"rpc": "drain", "drop": ["level"]} | WHY,
    )
    arguments = ("sync", "upstream", "--facts", "facts")
    done = rpcschema(*arguments, "--corrections", "corrections.toml", cwd=project)
    assert (done.returncode, done.stdout.splitlines()) == (
        0,
        [
            "added rpc fill: it needs a title and descriptions of our own",
            "corrections.toml: there is no document rpc drain",
            "corrections.toml: no longer applies to rpc fill, which upstream has fixed: it declares response.new;"
            " remove this correction (on v26.06: Nodes do so.)",
            "facts: 1 written, 0 removed",
        ],
    )
    kept = json.loads((project / "facts/fill.json").read_text())
    assert kept["response"]["properties"] == {"new": {"type": "u8"}}
    assert "level" in kept["request"]["properties"]
    assert rpcschema(*arguments, cwd=project).stdout == "facts: nothing changed\n"


def test_sync_takes_the_table_of_the_project(project: Path) -> None:
    pyproject = project / "pyproject.toml"
    pyproject.write_text(f"{pyproject.read_text()}\nfacts = 'facts'\n")
    done = rpcschema("sync", "schemas", cwd=project)
    assert (done.returncode, "corrections.toml" in done.stdout) == (0, False)
    write_table(project, {"rpc": "fill", "drop": ["x"]} | WHY)
    assert "corrections.toml: no longer applies to rpc fill" in rpcschema("sync", "schemas", cwd=project).stdout
    write_table(project, {"rpc": "fill", "dorp": ["x"]} | WHY)
    done = rpcschema("sync", "schemas", cwd=project)
    assert done.returncode == 2
    assert "unknown key dorp" in done.stderr
