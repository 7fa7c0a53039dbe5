"""The claims of the audit, one function each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.audit import corrections, judges
from tests.audit.documents import AuditError, Package, batches, generate, read, run
from tests.audit.examples import Outcome
from tests.audit.neighbours import calls
from tests.audit.repeats import repeats
from tests.audit.survey import Survey, survey
from tests.audit.table import Row

_SHOWN: Final = 5
"""How many names stand for a long list."""


@dataclass(frozen=True, slots=True)
class Release:
    """The documents of one release, and the packages that were made of them."""

    name: str
    count: int
    """Of documents."""
    packages: tuple[Package, ...]
    """More than one if the release has two documents of one kind and name, which cannot stand together."""
    failures: tuple[str, ...] = ()
    """Why documents gave no package."""


def release(name: str, schemas: Path, work: Path) -> Release:
    """Generate everything from the documents of a release, in `schemas`, and import every class."""
    documents = read(schemas)
    packages, failures = [], []
    stem = "cln_" + "".join(char if char.isalnum() else "_" for char in name)
    for number, batch in enumerate(batches(documents), 1):
        try:
            packages.append(_imported(generate(batch, f"{stem}_{number}", work / f"{name}-{number}")))
        except AuditError as error:
            failures.append(f"{name}: {error}")
    return Release(name, len(documents), tuple(packages), tuple(failures))


def documents_generate(releases: Sequence[Release]) -> Row:
    """Check that every document becomes Python that imports and that mypy accepts."""
    good = 0
    findings = [failure for each in releases for failure in each.failures]
    for package in (package for each in releases for package in each.packages):
        complaints = judges.mypy(package)
        findings += complaints
        good += 0 if complaints else len(package.documents)
    return Row(
        claim="documents of the four releases that generate, import and pass `mypy --strict`",
        must="all",
        found=_of(good, sum(each.count for each in releases)),
        findings=findings,
        notes=[
            f"{each.name}: {document.file.name} says that it is {document} too, so it is generated in a run of its own"
            for each in releases
            for package in each.packages[1:]
            for document in package.documents
        ],
    )


def fields_are_found(releases: Sequence[Release]) -> Row:
    """Check that every field is in the types, in the man page and in the Markdown."""
    surveys = [(each.name, survey(package)) for each in releases for package in each.packages]
    declared = sum(found.declared for _, found in surveys)
    counts = [_of(sum(found.found[where] for _, found in surveys), declared) for where in ("types", "man", "Markdown")]
    return Row(
        claim="declared, non-phantom, non-hidden fields found in types / man page / Markdown",
        must="all / all / all",
        found=" / ".join(counts),
        findings=[f"{name}: {finding}" for name, found in surveys for finding in found.findings],
        notes=list(_exceptions(surveys)),
    )


def corrections_hold(entries: Sequence[Mapping[str, Any]]) -> Row:
    """Check that the shipped package is what its documents say, except for the corrections."""
    package = corrections.shipped()
    by_hand = survey(package).findings
    others = survey(corrections.corrected(package, entries)).findings
    return Row(
        claim="what `clnrpc` has otherwise than its documents",
        must="what `schemas/corrections.toml` says that nodes do, listed",
        found=f"{len(by_hand)} differences by {len(entries)} corrections, {len(others) or 'no'} others",
        findings=others,
        notes=[corrections.described(entry) for entry in entries],
    )


def examples_decode(tried: Sequence[Outcome]) -> Row:
    """Check that every example decodes, unless it contradicts its own document."""
    excuses = [f"{each.example}: {each.excuse}" for each in tried if each.excuse]
    return Row(
        claim="examples of master that decode into the types (requests by name and position, responses)",
        must="all but those that contradict their own schema, listed",
        found=" / ".join(
            f"{_of(sum(not each.failure for each in half), len(half))} {name}s"
            for name in ("request", "response")
            for half in [[each for each in tried if each.example.half == name]]
        )
        + f"; {len(excuses)} listed",
        findings=[f"{each.example}: {each.failure}" for each in tried if each.failure and not each.excuse],
        notes=excuses,
    )


def examples_return(tried: Sequence[Outcome]) -> Row:
    """Check that an example that is decoded and encoded again is the same."""
    decoded = [each for each in tried if not each.failure]
    return Row(
        claim="examples decoded and encoded again",
        must="equal as JSON values, none lost",
        found=_of(sum(not each.losses for each in decoded), len(decoded)),
        findings=[f"{each.example}: {_some(each.losses)}" for each in decoded if each.losses],
    )


def runs_agree(package: Package, work: Path) -> Row:
    """Check that every run gives the same bytes."""
    runs = list(repeats(package, work))
    return Row(
        claim="two runs, shuffled files, two hash seeds, 1 and 2 jobs",
        must="the same bytes",
        found="other bytes" if any(changed for _, changed in runs) else f"{1 + len(runs)} runs, the same bytes",
        findings=[f"{name}: {_some(changed)}" for name, changed in runs if changed],
    )


def man_pages_are_clean(package: Package) -> Row:
    """Check that mandoc has no warnings."""
    warnings = judges.lint(package.folder / "man")
    return Row(
        claim="man pages of master through `mandoc -Tlint -W warning`",
        must="0 warnings",
        found=f"{len(warnings)} warnings",
        findings=warnings,
    )


def neighbours_work(work: Path) -> Row:
    """Check that our client and pyln-client work side by side."""
    try:
        answers = calls(work)
        agrees = answers["ours"] == answers["theirs"]
        findings = [] if agrees else [f"they hear different answers: {answers}"]
    except AuditError as error:
        findings = [str(error)]
    return Row(
        claim="`clnrpc` in an environment with pyln-client installed",
        must="both work",
        found="no" if findings else "both work",
        findings=findings,
    )


def _imported(package: Package) -> Package:
    """Return `package`, all of whose classes can be imported. Raises AuditError if one cannot."""
    names = [name for document in package.documents for _, _, name in document.halves()]
    code = f"import sys; sys.path.insert(0, {str(package.folder)!r}); from {package.name} import types"
    run("-c", f"{code}; [getattr(types, name) for name in {names}]")
    return package


def _exceptions(surveys: Sequence[tuple[str, Survey]]) -> Iterator[str]:
    """Yield where Python has `Any`, and what it lacks, each with its releases."""
    releases: dict[str, list[str]] = {}
    for name, found in surveys:
        for note in (*found.untyped, *found.undeclared):
            releases.setdefault(note, []).append(name)
    yield from (f"{note} ({', '.join(names)})" for note, names in releases.items())


def _of(found: int, total: int) -> str:
    return f"{found:,} of {total:,}"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
