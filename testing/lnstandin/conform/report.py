"""Write down what was found: as a table for people, or as JSON."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from typing import Final

from lnstandin.conform.findings import Finding, Kind
from lnstandin.conform.run import Results

_WIDEST: Final = 60
"""The most characters of a column that is not the last."""


def as_json(results: Results, documented: Collection[str]) -> str:
    """Return all findings and notes, and what was and was not compared; `documented` are the documented commands."""
    return json.dumps(
        {
            "findings": [each.to_json() for each in ordered(results) if not each.kind.is_note],
            "notes": [each.to_json() for each in ordered(results) if each.kind.is_note],
            "compared": sorted(results.answered),
            "not_called": sorted(not_called(results, documented)),
            "errors": dict(sorted(results.failed.items())),
        },
        indent=2,
    )


def as_table(results: Results, documented: Collection[str]) -> str:
    """Return the findings and notes as tables, one for each kind, and what was compared."""
    lines: list[str] = []
    for kind, group in groupby(ordered(results), key=lambda finding: finding.kind):
        findings = list(group)
        lines += [f"{kind.meaning} ({len(findings)})", *_rows(kind, findings), ""]
    left = not_called(results, documented)
    lines.append(
        f"Compared: the parameters of {len(results.checked)} commands; the answers or payloads of "
        f"{len(results.answered)} commands, notifications and hooks."
    )
    if left:
        lines.append(f"Not called: {', '.join(sorted(left))}.")
    return "\n".join(lines) + "\n"


def ordered(results: Results) -> list[Finding]:
    """Return all findings and notes in the order of reports."""
    return sorted(results.findings, key=lambda finding: finding.sort_key)


def not_called(results: Results, documented: Collection[str]) -> set[str]:
    """Return the commands that have a document, of which no answer was compared."""
    return set(documented) - results.answered


def _rows(kind: Kind, findings: Sequence[Finding]) -> Iterator[str]:
    if kind.is_about_existence:
        yield f"  {', '.join(finding.subject for finding in findings)}"
        return
    rows = [_HEADER, *((each.subject, each.where, each.document, each.node) for each in findings)]
    widths = [min(_WIDEST, max(len(row[column]) for row in rows)) for column in range(3)]
    for row in rows:
        yield (
            "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)) + "  " + row[3]
        ).rstrip()


_HEADER: Final = ("COMMAND", "WHERE", "THE DOCUMENT", "THE NODE")


def exit_code(results: Results) -> int:
    """Return 1 if there is a finding, else 0. Notes do not count."""
    return int(any(not finding.kind.is_note for finding in results.findings))
