"""Each rule finds the document that breaks it, at the right place, and nothing else; a correct document breaks none."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from rpcschema.findings import Finding, Severity
from rpcschema.lint.around import earlier
from rpcschema.lint.levels import Levels
from rpcschema.lint.rules import RULES
from rpcschema.lint.run import Linting, lint
from rpcschema.model.build import build
from tests.lint.broken import CASES, EMPTY, FILL, TABLE, Case, changed, put


def linted(folder: Path, raw: dict[str, Any], **given: Any) -> list[Finding]:
    for document in (raw, EMPTY):
        (folder / f"{document['rpc']}.json").write_text(json.dumps(document, indent=2))
    return lint(Linting(roots=[folder], levels=Levels(), **given))


def test_a_correct_document_breaks_no_rule(tmp_path: Path) -> None:
    before = copy.deepcopy(FILL)
    del before["response"]["allOf"][0]["then"]["properties"]["eta"]
    assert linted(tmp_path, FILL, earlier=earlier([build(before, "")])) == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_finds_the_one_rule_that_is_broken(tmp_path: Path, case: Case) -> None:
    given = dict(case.given)
    besides = given.pop("besides", [])
    if case.earlier is not None:
        given["earlier"] = earlier([build(changed(case.earlier), "")])
    found = [each for each in linted(tmp_path, case.document, **given) if each.rule not in besides]
    assert [(each.rule, each.pointer) for each in found] == [(case.rule, case.pointer)], found
    profile = "upstream" if "$schema" in case.document else "own"
    assert found[0].severity is Severity[RULES[case.rule].level(profile).upper()]


def test_every_rule_has_a_case() -> None:
    assert {case.rule for case in CASES} == RULES.keys()


def test_gives_the_line_of_the_place(tmp_path: Path) -> None:
    [found] = linted(tmp_path, changed(put("request/properties/litres/default", "much")))
    lines = (tmp_path / "fill.json").read_text().splitlines()
    assert lines[found.line - 1].strip().startswith('"default": "much"')


@pytest.mark.parametrize(
    ("text", "line"),
    [('{\n\n "rpc": }', 3), ('{\n"rpc": "fill",\n"rpc": "fill"}', 3), ("", 1), ('{"rpc":\n"\xff"}', 2)],
)
def test_what_is_no_document_is_an_error_at_its_line(tmp_path: Path, text: str, line: int) -> None:
    (tmp_path / "x.json").write_bytes(text.encode("latin-1"))
    [found] = lint(Linting(roots=[tmp_path], levels=Levels()))
    assert (found.rule, found.line, found.severity) == ("invalid-document", line, Severity.ERROR)


def test_two_documents_of_one_command_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "again.json").write_text(json.dumps(EMPTY))
    assert [each.rule for each in linted(tmp_path, FILL)] == ["invalid-document"]


def test_codes_that_the_error_table_drops_are_known(tmp_path: Path) -> None:
    assert [each.pointer for each in linted(tmp_path, FILL, errors=TABLE)] == ["/errors/1"]


def test_documents_of_facts_need_no_prose(tmp_path: Path) -> None:
    facts = changed(put("$schema", "urn:rpcschema:facts"))
    facts["description"] = []
    del facts["examples"]
    assert linted(tmp_path, facts) == []


def test_a_document_that_is_new_needs_added(tmp_path: Path) -> None:
    raw = changed(lambda raw: raw.pop("added"))
    [found] = linted(tmp_path, raw, earlier=earlier([build({**EMPTY, "rpc": "look", "added": "v26.01"}, "")]))
    assert (found.rule, found.pointer) == ("added-missing", "")
