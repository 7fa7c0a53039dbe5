"""Print changes: for people, as JSON, as Markdown for release notes, and as annotations of GitHub."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal, TypeAlias

from rpcschema.diff import Audience
from rpcschema.diff.changes import Change
from rpcschema.diff.rules import Verdict
from rpcschema.model.nodes import KIND_NAMES
from rpcschema.text.prose import code, plain

Form: TypeAlias = Literal["text", "json", "markdown", "github"]
_LEVELS: Final = {Verdict.BREAKING: "error", Verdict.RISKY: "warning", Verdict.SAFE: "notice"}
_HEADINGS: Final = {
    Verdict.BREAKING: "Breaking changes",
    Verdict.RISKY: "Changes to look at",
    Verdict.SAFE: "Other changes",
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


def lines(comparison: Comparison, form: Form) -> Iterator[str]:
    """Yield the lines of a report."""
    return _FORMS[form](comparison)


def summary(comparison: Comparison) -> str:
    """Return one line with the numbers of changes."""
    total = len(comparison.changes)
    if not total:
        return f"{comparison.old} -> {comparison.new}: no change"
    counted = ", ".join(
        f"{count} {verdict.word}"
        for verdict in reversed(Verdict)
        if (count := sum(comparison.verdict(change) is verdict for change in comparison.changes))
    )
    changes = "1 change" if total == 1 else f"{total} changes"
    return f"{comparison.old} -> {comparison.new}: {changes}; for {comparison.audience} {counted}"


def described(change: Change) -> str:
    """Return what has changed, after the name of the rule: "string -> hex" or "pubkey; removed without notice"."""
    told = " -> ".join(filter(None, (change.before, change.after)))
    return "; ".join(filter(None, (told, change.notice, "hidden" if change.hidden else "")))


def _text(comparison: Comparison) -> Iterator[str]:
    yield f"{'callers':9} {'implem.':9}"
    for (kind, name), group in groupby(comparison.changes, lambda change: (change.kind, change.document)):
        yield f"{KIND_NAMES[kind]} {name}"
        for change in group:
            place = f" {change.path}" if change.path else ""
            told = f": {described(change)}" if described(change) else ""
            yield f"{change.callers.word:9} {change.implementers.word:9} {change.rule.name}{place}{told}"
    yield summary(comparison)


def _json(comparison: Comparison) -> Iterator[str]:
    found = {"old": comparison.old, "new": comparison.new, "changes": [*map(_object, comparison.changes)]}
    yield json.dumps(found, ensure_ascii=False, indent=2)


def _object(change: Change) -> Mapping[str, object]:
    return {
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
    }


def _markdown(comparison: Comparison) -> Iterator[str]:
    yield summary(comparison).replace("->", "→")
    for verdict in reversed(Verdict):
        if chosen := [change for change in comparison.changes if comparison.verdict(change) is verdict]:
            yield f"\n### {_HEADINGS[verdict]}\n"
            for change in chosen:
                place = f" {code(change.path)}" if change.path else ""
                sides = " → ".join(code(side) for side in (change.before, change.after) if side)
                told = "; ".join(filter(None, (sides, plain(change.notice))))
                yield f"- {code(change.document)}{place}: {change.rule.name}{': ' * bool(told)}{told}"


def _github(comparison: Comparison) -> Iterator[str]:
    """Yield workflow commands; GitHub shows each at its file."""
    for change in comparison.changes:
        level = _LEVELS[comparison.verdict(change)]
        title = f"{change.rule.name}: {KIND_NAMES[change.kind]} {change.document}"
        told = f"{change.path or 'the document'}: {described(change) or change.rule.about}"
        yield f"::{level} file={_property(comparison.folder + change.file)},title={_property(title)}::{_data(told)}"
    yield summary(comparison)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


_FORMS: Final[Mapping[Form, Callable[[Comparison], Iterator[str]]]] = {
    "text": _text,
    "json": _json,
    "markdown": _markdown,
    "github": _github,
}
