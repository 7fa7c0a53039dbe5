"""A finding in each form of a report."""

from __future__ import annotations

import json

from rpcschema.findings import Finding, Severity, lines, report_of

FOUND = [
    Finding(
        rule="late",
        severity=Severity.WARNING,
        file="a,b.json",
        line=7,
        pointer="/request/x",
        message="50% of *it* is late",
        more={"replacement": "y"},
    ),
    Finding(rule="gone", severity=Severity.ERROR, file="c.py", line=1, message="it is gone\nfor good"),
]


def test_text_has_places_that_editors_open() -> None:
    assert [*lines(report_of(FOUND), "text")] == [
        "a,b.json:7: /request/x warning: 50% of *it* is late [late]",
        "c.py:1: error: it is gone\nfor good [gone]",
        "2 findings: 1 error, 1 warning",
    ]


def test_json_has_all_members_and_what_the_report_is_about() -> None:
    found = json.loads("\n".join(lines(report_of(FOUND, {"against": "v27.03"}), "json")))
    assert found["against"] == "v27.03"
    assert found["findings"][0] == {
        "rule": "late",
        "severity": "warning",
        "file": "a,b.json",
        "line": 7,
        "pointer": "/request/x",
        "message": "50% of *it* is late",
        "replacement": "y",
    }
    assert "pointer" not in found["findings"][1]


def test_markdown_begins_with_the_worst_and_shows_text_as_it_is() -> None:
    printed = "\n".join(lines(report_of(FOUND), "markdown"))
    assert printed == (
        "2 findings: 1 error, 1 warning\n\n### Errors\n\n- `c.py:1`: it is gone for good (gone)\n\n### Warnings\n\n"
        r"- `a,b.json:7` `/request/x`: 50% of \*it\* is late (late)"
    )


def test_annotations_escape_what_ends_a_command() -> None:
    assert [*lines(report_of(FOUND), "github")] == [
        "::warning file=a%2Cb.json,line=7,title=late::/request/x: 50%25 of *it* is late",
        "::error file=c.py,line=1,title=gone::it is gone%0Afor good",
        "2 findings: 1 error, 1 warning",
    ]


def test_nothing_found_is_said() -> None:
    assert [*lines(report_of([]), "text")] == ["no findings"]
