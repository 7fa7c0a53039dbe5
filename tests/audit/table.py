"""The table that the audit prints, and what it says below it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One claim, and how it stands."""

    claim: str
    must: str
    found: str
    findings: Sequence[str] = ()
    """What speaks against it; the claim holds if there is nothing."""
    notes: Sequence[str] = ()
    """What a reader has to know to judge it: exceptions, each by name."""


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the lines of the table in Markdown, then findings and notes by claim."""
    yield "| | must be | found | |"
    yield "|---|---|---|---|"
    for row in rows:
        yield f"| {row.claim} | {row.must} | {row.found} | {'fails' if row.findings else 'holds'} |"
    for title, lists in (("Findings", [row.findings for row in rows]), ("Notes", [row.notes for row in rows])):
        for row, lines in zip(rows, lists, strict=True):
            if lines:
                yield f"\n{title}: {row.claim} ({len(lines)})\n"
                yield from (f"- {line}" for line in lines)
