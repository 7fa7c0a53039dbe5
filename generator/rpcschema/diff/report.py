"""Changes as the rows of a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rpcschema.diff import Audience
from rpcschema.diff.changes import Change
from rpcschema.diff.rules import Verdict
from rpcschema.findings import Report, Row, Severity, counts
from rpcschema.model.nodes import KIND_NAMES
from rpcschema.text.prose import code, plain

_SEVERITIES: Final = {
    Verdict.BREAKING: Severity.ERROR,
    Verdict.RISKY: Severity.WARNING,
    Verdict.SAFE: Severity.NOTE,
}
_HEADINGS: Final = {
    Severity.ERROR: "Breaking changes",
    Severity.WARNING: "Changes to look at",
    Severity.NOTE: "Other changes",
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """All changes from one release to another, and the names of the two."""

    old: str
    new: str
    changes: Sequence[Change]
    audience: Audience
    folder: str = ""
    """Where the new documents are, with a slash at the end, if they are in a folder."""

    def verdict(self, change: Change) -> Verdict:
        """Return what a change means for the audience."""
        return change.callers if self.audience == "callers" else change.implementers

    @property
    def worst(self) -> Verdict | None:
        """The worst verdict for the audience; None without a change."""
        return max(map(self.verdict, self.changes), default=None)

    @property
    def report(self) -> Report:
        """The report. Its severities are the verdicts for the audience."""
        return Report(
            rows=[_row(change, self.verdict(change), self.folder) for change in self.changes],
            summary=_summary(self),
            about={"old": self.old, "new": self.new},
            key="changes",
            headings=_HEADINGS,
            columns=f"{'callers':9} {'implem.':9}",
        )


def _summary(comparison: Comparison) -> str:
    """Return one line with the numbers of changes."""
    total = len(comparison.changes)
    if not total:
        return f"{comparison.old} -> {comparison.new}: no change"
    counted = counts(map(comparison.verdict, comparison.changes), Verdict)
    changes = "1 change" if total == 1 else f"{total} changes"
    return f"{comparison.old} -> {comparison.new}: {changes}; for {comparison.audience} {counted}"


def described(change: Change) -> str:
    """Return what has changed, after the name of the rule: "string -> hex" or "pubkey; removed without notice"."""
    told = " -> ".join(filter(None, (change.before, change.after)))
    return "; ".join(filter(None, (told, change.notice, "hidden" if change.hidden else "")))


def _row(change: Change, verdict: Verdict, folder: str) -> Row:
    subject = f"{KIND_NAMES[change.kind]} {change.document}"
    place = f" {change.path}" if change.path else ""
    told = f": {described(change)}" if described(change) else ""
    return Row(
        severity=_SEVERITIES[verdict],
        group=subject,
        text=f"{change.callers.word:9} {change.implementers.word:9} {change.rule.name}{place}{told}",
        markdown=_markdown(change),
        title=f"{change.rule.name}: {subject}",
        message=f"{change.path or 'the document'}: {described(change) or change.rule.about}",
        file=folder + change.file,
        members={
            "rule": change.rule.name,
            "callers": change.callers.word,
            "implementers": change.implementers.word,
            "kind": KIND_NAMES[change.kind],
            "document": change.document,
            "path": change.path,
            "before": change.before,
            "after": change.after,
            "notice": change.notice,
            "hidden": change.hidden,
        },
    )


def _markdown(change: Change) -> str:
    place = f" {code(change.path)}" if change.path else ""
    sides = " → ".join(code(side) for side in (change.before, change.after) if side)
    told = "; ".join(filter(None, (sides, plain(change.notice))))
    return f"{code(change.document)}{place}: {change.rule.name}{': ' * bool(told)}{told}"
