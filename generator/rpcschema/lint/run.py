"""Lint files: read them, call all checks, and give each finding its line and severity."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rpcschema.errorcodes import NO_CODES, ErrorTable
from rpcschema.findings import Finding, Severity
from rpcschema.lint import examples, names, prose, releases, values
from rpcschema.lint.around import Around, Earlier, around
from rpcschema.lint.levels import Levels
from rpcschema.lint.positions import line_of, positions
from rpcschema.lint.rules import Broken
from rpcschema.model.build import build
from rpcschema.model.nodes import Document
from rpcschema.problems import Problem, join_pointer, shortened
from rpcschema.read import upstream
from rpcschema.read.corrections import NONE, Correction, Corrections
from rpcschema.read.load import File, find_files, read_raw

_CHECKS: Final = (*names.CHECKS, *releases.CHECKS, *values.CHECKS, *examples.CHECKS, *prose.CHECKS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Linting:
    """What to lint, and what to compare it with."""

    roots: Sequence[Path]
    levels: Levels
    release: str | None = None
    """The release that the documents are of; None for the newest that they mention."""
    errors: ErrorTable = NO_CODES
    corrections: Corrections = NONE
    earlier: Earlier | None = None


@dataclass(frozen=True, slots=True)
class _Text:
    """A file that was read, and what is wrong with it; a document if nothing is."""

    file: File
    data: bytes
    raw: Any
    document: Document | None
    problems: tuple[Problem, ...]


def lint(given: Linting) -> list[Finding]:
    """Return all findings, sorted by file and line. The documents are taken as they are, without corrections."""
    found = find_files(given.roots)
    texts = [_read(file) for file in found.files]
    documents = [text.document for text in texts if text.document is not None]
    surroundings = around(
        documents,
        release=given.release,
        errors=given.errors,
        corrections=given.corrections,
        earlier=given.earlier,
    )
    findings = [_finding(given.levels, None, problem.file, _invalid(problem), {}) for problem in found.problems]
    for text in texts:
        findings.extend(_of_text(text, surroundings, given.levels))
    return sorted(
        (each for each in findings if each is not None),
        key=lambda each: (each.file, each.line, each.pointer, each.rule, each.message),
    )


def _read(file: File) -> _Text:
    data, raw, problems = read_raw(file)
    return _Text(file, data, raw, None if problems else build(raw, file.file), problems)


def _of_text(text: _Text, surroundings: Around, levels: Levels) -> Iterator[Finding | None]:
    is_json = all(problem.pointer.startswith("/") for problem in text.problems)
    places = positions(text.data.decode()) if is_json else {}
    broken = [_invalid(problem) for problem in text.problems]
    if text.document is not None:
        broken += _broken(text, text.document, surroundings)
    for each in dict.fromkeys(broken):
        yield _finding(levels, text.document, text.file.path, each, places)


def _broken(text: _Text, document: Document, surroundings: Around) -> Iterator[Broken]:
    for fault in upstream.faults(text.raw):
        yield Broken(
            "refused-by-meta-schema", fault.pointer, f"{fault.message}{': ' * bool(fault.detail)}{fault.detail}"
        )
    yield from _contradicted(text, surroundings.corrections)
    for check in _CHECKS:
        yield from check(document, surroundings)


def _invalid(problem: Problem) -> Broken:
    message = f"{problem.message}: {problem.detail}" if problem.detail else problem.message
    return Broken("invalid-document", problem.pointer, message)


def _finding(
    levels: Levels, document: Document | None, file: str, broken: Broken, places: Mapping[str, int]
) -> Finding | None:
    severity = levels.severity(broken.rule, document)
    if severity is None:
        return None
    is_pointer = broken.pointer.startswith("/")
    return Finding(
        rule=broken.rule,
        severity=severity,
        file=file,
        line=line_of(broken.pointer, places),
        pointer=broken.pointer if is_pointer else "",
        message=broken.message,
    )


def _contradicted(text: _Text, corrections: Corrections) -> Iterator[Broken]:
    """Yield where corrections that apply say that a node contradicts the document."""
    for entry in corrections.of(text.file.key):
        if corrections.apply(text.raw, [entry])[1]:
            continue  # upstream has changed it; `generate` and `sync` report that
        for pointer, what in _places(entry, text.raw):
            yield Broken("contradicted-by-node", pointer, f"{what}; on {entry.seen}: {entry.reason}")


def _places(entry: Correction, raw: Any) -> Iterator[tuple[str, str]]:
    """Yield the place of each edit, and what is wrong there."""
    texts = {"rename": "a node has it under another name", "drop": "a node has no such parameter"}
    texts |= {"required": "a node requires it", "optional": "a node does not require it"}
    for edit, value in entry.edits.items():
        if edit in texts:
            yield from ((f"/request{join_pointer('/properties', name)}", texts[edit]) for name in value)
        elif edit == "order":
            yield "/request/properties", f"a node has the order {', '.join(value)}"
        elif edit == "add":
            half = min(value).partition(".")[0]
            yield f"/{half}/properties", f"a node also has {shortened(', '.join(value))}"
        elif edit == "unenforced":
            yield from ((f"/request/{rule}", "a node does not enforce this") for rule in value)
        else:
            lacking = [rule for rule in value if rule not in raw["request"]]
            yield from (("/request", f"a node enforces {rule}: {json.dumps(value[rule])}") for rule in lacking)


def worst(findings: Iterable[Finding]) -> Severity | None:
    """Return the worst severity, or None."""
    return max((finding.severity for finding in findings), default=None)
