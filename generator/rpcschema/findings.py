"""Reports of findings: for people, as JSON, as Markdown, and as annotations of GitHub's workflows.

A command makes a row of each thing that it has found, and this module arranges them. Most commands make `Finding`s:
rules that are broken somewhere in a file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import groupby
from typing import Final, Literal, TypeAlias

from rpcschema.text.prose import code, plain

Form: TypeAlias = Literal["text", "json", "markdown", "github"]


class Severity(IntEnum):
    """How bad a finding is. A greater one is worse."""

    NOTE = 0
    WARNING = 1
    ERROR = 2

    @property
    def word(self) -> str:
        """The word for it in all reports and settings."""
        return self.name.lower()


_ANNOTATIONS: Final = {Severity.NOTE: "notice", Severity.WARNING: "warning", Severity.ERROR: "error"}
_HEADINGS: Final = {Severity.ERROR: "Errors", Severity.WARNING: "Warnings", Severity.NOTE: "Notes"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What each form of a report says about one thing."""

    severity: Severity
    text: str
    """A line for people."""
    markdown: str
    """The text of a list item."""
    title: str
    """The title of an annotation."""
    message: str
    """The text of an annotation."""
    members: Mapping[str, object]
    """The members of a JSON object."""
    file: str
    line: int | None = None
    """From 1; None if the file as a whole is meant."""
    group: str = ""
    """A heading in the text for all rows in sequence that have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All rows, and what frames them."""

    rows: Sequence[Row]
    summary: str
    """A line with the numbers of rows."""
    about: Mapping[str, object] = field(default_factory=dict)
    """What the JSON says before its rows."""
    key: str = "findings"
    """The name of the rows in JSON."""
    headings: Mapping[Severity, str] = field(default_factory=lambda: _HEADINGS)
    """The headings in Markdown."""
    columns: str = ""
    """A line before the rows in the text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A rule that is broken at a place in a file."""

    rule: str
    severity: Severity
    file: str
    """The path as the user named it."""
    line: int
    """From 1."""
    message: str
    """What is wrong, and what to do."""
    pointer: str = ""
    """A JSON pointer, if the file is JSON."""
    more: Mapping[str, object] = field(default_factory=dict)
    """Other members of the JSON object, such as a replacement."""

    @property
    def row(self) -> Row:
        """The finding in all forms. Editors and terminals jump to FILE:LINE."""
        place = f"{self.file}:{self.line}"
        at = f" {self.pointer}" if self.pointer else ""
        in_markdown = f" {code(self.pointer)}" if self.pointer else ""
        return Row(
            severity=self.severity,
            text=f"{place}:{at} {self.severity.word}: {self.message} [{self.rule}]",
            markdown=f"{code(place)}{in_markdown}: {plain(self.message)} ({self.rule})",
            title=self.rule,
            message=f"{self.pointer}: {self.message}" if self.pointer else self.message,
            members={
                "rule": self.rule,
                "severity": self.severity.word,
                "file": self.file,
                "line": self.line,
                **({"pointer": self.pointer} if self.pointer else {}),
                "message": self.message,
                **self.more,
            },
            file=self.file,
            line=self.line,
        )


def report_of(findings: Sequence[Finding], about: Mapping[str, object] | None = None) -> Report:
    """Return a report of findings with the usual summary, such as "2 findings: 1 error, 1 note"."""
    total = len(findings)
    counted = counts((finding.severity for finding in findings), Severity)
    found = "1 finding" if total == 1 else f"{total} findings"
    summary = f"{found}: {counted}" if total else "no findings"
    return Report(rows=[finding.row for finding in findings], summary=summary, about=about or {})


def counts(severities: Iterable[IntEnum], every: type[IntEnum]) -> str:
    """Return how many there are of each, the worst first: "1 error, 2 notes" in words of their names."""
    given = [*severities]
    numbers = ((each, given.count(each)) for each in sorted(every, reverse=True))
    return ", ".join(f"{number} {each.name.lower()}" for each, number in numbers if number)


def lines(report: Report, form: Form) -> Iterator[str]:
    """Yield the lines of a report."""
    return _FORMS[form](report)


def _text(report: Report) -> Iterator[str]:
    if report.columns:
        yield report.columns
    for group, rows in groupby(report.rows, lambda row: row.group):
        if group:
            yield group
        yield from (row.text for row in rows)
    yield report.summary


def _json(report: Report) -> Iterator[str]:
    found = {**report.about, report.key: [dict(row.members) for row in report.rows]}
    yield json.dumps(found, ensure_ascii=False, indent=2)


def _markdown(report: Report) -> Iterator[str]:
    yield report.summary.replace("->", "→")
    for severity in reversed(Severity):
        if chosen := [row for row in report.rows if row.severity is severity]:
            yield f"\n### {report.headings[severity]}\n"
            yield from (f"- {row.markdown}" for row in chosen)


def _github(report: Report) -> Iterator[str]:
    """Yield workflow commands; GitHub shows each at its file."""
    for row in report.rows:
        line = "" if row.line is None else f",line={row.line}"
        place = f"file={_property(row.file)}{line},title={_property(row.title)}"
        yield f"::{_ANNOTATIONS[row.severity]} {place}::{_data(row.message)}"
    yield report.summary


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


_FORMS: Final[Mapping[Form, Callable[[Report], Iterator[str]]]] = {
    "text": _text,
    "json": _json,
    "markdown": _markdown,
    "github": _github,
}
