"""Reports are sorted, and their exit code says whether there is something to look at."""

from __future__ import annotations

import json

import pytest

from lnstandin.conform.findings import Finding, Kind
from lnstandin.conform.report import as_json, as_table, exit_code
from lnstandin.conform.run import Results

FIELD = Finding(Kind.FIELD_TYPE, "getinfo", "response.id", "pubkey", "integer")
PARAMETER = Finding(Kind.PARAMETER_UNKNOWN, "pay", "request.quantity", "has this parameter", "has no such parameter")
MISSING = Finding(Kind.COMMAND_MISSING, "fetchbip353", "", "describes it", "does not have it")
OPEN = Finding(Kind.FIELD_OPEN, "listconfigs", "response.configs.new", "allows any other field", "sends it")
UNDECLARED = Finding(Kind.FIELD_UNDECLARED, "bkpr-report", "response.format-hint", "allows it", "sends it")
EXTRA = Finding(Kind.COMMAND_UNDOCUMENTED, "createoffer", "", "", "has it")


def results(*findings: Finding) -> Results:
    made = Results(checked={"getinfo", "pay"}, answered={"getinfo"}, failed={"pay": "205: No route"})
    made.add(findings)
    return made


@pytest.mark.parametrize(
    ("findings", "code"),
    [((), 0), ((EXTRA, OPEN, UNDECLARED), 0), ((MISSING,), 1), ((FIELD,), 1), ((EXTRA, OPEN, PARAMETER), 1)],
)
def test_exits_with_one_if_the_node_contradicts_a_document_and_not_for_what_documents_leave_open(
    findings: tuple[Finding, ...], code: int
) -> None:
    assert exit_code(results(*findings)) == code


def test_a_table_has_a_title_for_each_kind_and_lists_commands_in_one_line() -> None:
    table = as_table(results(FIELD, EXTRA, MISSING, UNDECLARED, PARAMETER, FIELD), ["getinfo", "pay"])
    assert table.splitlines() == [
        "Parameters that the node does not take (1)",
        "  COMMAND  WHERE             THE DOCUMENT        THE NODE",
        "  pay      request.quantity  has this parameter  has no such parameter",
        "",
        "Fields of another type (1)",
        "  COMMAND  WHERE        THE DOCUMENT  THE NODE",
        "  getinfo  response.id  pubkey        integer",
        "",
        "Commands that the node does not have; a plugin may be missing (1)",
        "  fetchbip353",
        "",
        "Note: fields that a document only allows, without a declaration (1)",
        "  COMMAND      WHERE                 THE DOCUMENT  THE NODE",
        "  bkpr-report  response.format-hint  allows it     sends it",
        "",
        "Note: commands that no document describes (1)",
        "  createoffer",
        "",
        "Compared: the parameters of 2 commands; the answers or payloads of 1 commands, notifications and hooks.",
        "Not called: pay.",
    ]


def test_json_has_every_finding_and_what_was_compared() -> None:
    told = json.loads(as_json(results(OPEN, FIELD, PARAMETER, UNDECLARED), ["getinfo", "pay"]))
    assert [each["kind"] for each in told["findings"]] == ["parameter-unknown", "field-type"]
    assert [each["kind"] for each in told["notes"]] == ["field-open", "field-undeclared"]
    assert told["findings"][1] == {
        "kind": "field-type",
        "subject": "getinfo",
        "where": "response.id",
        "document": "pubkey",
        "node": "integer",
    }
    assert (told["compared"], told["not_called"], told["errors"]) == (["getinfo"], ["pay"], {"pay": "205: No route"})


def test_every_kind_has_a_title() -> None:
    assert all(kind.meaning for kind in Kind)
