"""The commands that report findings: `diff` and `lint`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from rpcschema.cli.common import FAILED, FINDING, FINE, Schemas, complain, printable, project_table, report
from rpcschema.diff import Audience
from rpcschema.errorcodes import NO_CODES, read_error_table
from rpcschema.read.corrections import NONE, read_corrections
from rpcschema.settings import ProjectTable, SettingsError, release_name

if TYPE_CHECKING:
    from rpcschema.findings import Form, Report


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class ReportOptions:
    """How a report is printed: as text for people, unless one of these is given."""

    json: Annotated[bool, Parameter(help="Print JSON.", negative=(), show_default=False)] = False
    markdown: Annotated[
        bool, Parameter(help="Print Markdown, for release notes and comments.", negative=(), show_default=False)
    ] = False
    github: Annotated[
        bool, Parameter(help="Print annotations for GitHub's workflows.", negative=(), show_default=False)
    ] = False

    def form(self) -> Form:
        """Return the form that was chosen. Raises SettingsError if there are several."""
        forms: dict[Form, bool] = {"json": self.json, "markdown": self.markdown, "github": self.github}
        chosen = [form for form, is_given in forms.items() if is_given]
        if len(chosen) > 1:
            raise SettingsError(f"--{chosen[0]} and --{chosen[1]} exclude each other: choose one")
        return chosen[0] if chosen else "text"


def show(report: Report, form: Form) -> None:
    """Print a report."""
    from rpcschema.findings import lines  # noqa: PLC0415 # 0085: slow

    for line in lines(report, form):
        print("\n".join(map(printable, line.split("\n"))))


def diff(
    old: str,
    new: str,
    *,
    options: ReportOptions = ReportOptions(),
    audience: Annotated[Audience, Parameter(name="--for", help="Whose verdicts decide.")] = "callers",
    fail_on: Annotated[
        Literal["breaking", "risky", "any"] | None,
        Parameter(help="Exit with 1 if there is a change like this, or a worse one.", show_default=False),
    ] = None,
) -> int:
    """Compare the documents of two releases, and judge each change for callers and for implementers.

    OLD and NEW are folders of documents, checkouts of Core Lightning, REPO@REVISION, which git reads, files that `pack`
    has written, or releases of Core Lightning, such as v26.06.
    """
    from rpcschema.diff.changes import changes  # noqa: PLC0415 # 0085: slow
    from rpcschema.diff.report import Comparison  # noqa: PLC0415 # 0085: slow
    from rpcschema.diff.rules import Verdict  # noqa: PLC0415 # 0085: slow
    from rpcschema.diff.sources import release_at  # noqa: PLC0415 # 0085: slow

    form = options.form()
    before, after = release_at(old), release_at(new)
    report(problems := (*before.errors, *after.errors))
    if problems:
        complain("nothing was compared: mend the documents first")
        return FAILED
    comparison = Comparison(old, new, changes(before.documents, after.documents), audience, after.folder)
    show(comparison.report, form)
    limit = {"breaking": Verdict.BREAKING, "risky": Verdict.RISKY, "any": Verdict.SAFE, None: None}[fail_on]
    worst = comparison.worst
    return FINDING if worst is not None and limit is not None and worst >= limit else FINE


def lint(  # noqa: PLR0913 - one parameter per option
    *schemas: Schemas,
    options: ReportOptions = ReportOptions(),
    profile: Annotated[
        Literal["own", "upstream"] | None,
        Parameter(help="Whose documents they are. [default: what $schema says]", show_default=False),
    ] = None,
    since: Annotated[
        str | None, Parameter(help="An earlier release, to check `added`: as OLD of rpcschema diff.")
    ] = None,
    release: Annotated[str | None, Parameter(help="Release that the documents are of, e.g. v26.09.")] = None,
    corrections: Annotated[str | None, Parameter(help="Table of where nodes contradict the documents.")] = None,
    errors: Annotated[str | None, Parameter(help="Table of the names and meanings of error codes.")] = None,
    fail_on: Annotated[
        Literal["error", "warning", "note", "never"] | None,
        Parameter(help="Exit with 1 if there is a finding like this, or a worse one. [default: error]"),
    ] = None,
) -> int:
    """Look for mistakes in documents that can be generated from all the same.

    [tool.rpcschema.lint] of pyproject.toml sets the level of each rule: off, note, warning or error.
    """
    from rpcschema.diff.sources import release_at  # noqa: PLC0415 # 0085: slow
    from rpcschema.findings import Severity, report_of  # noqa: PLC0415 # 0085: slow
    from rpcschema.lint.around import earlier  # noqa: PLC0415 # 0085: slow
    from rpcschema.lint.levels import levels  # noqa: PLC0415 # 0085: slow
    from rpcschema.lint.run import Linting, worst  # noqa: PLC0415 # 0085: slow
    from rpcschema.lint.run import lint as linted  # noqa: PLC0415 # 0085: slow

    form = options.form()
    project = project_table(is_needed=True)
    about = ProjectTable() if schemas else project  # what the table says about its own documents
    roots = schemas or about.schemas
    if not roots:
        raise SettingsError("SCHEMAS is needed; no [tool.rpcschema] of a pyproject.toml gives it")
    if missing := [root for root in roots if not root.exists()]:
        raise SettingsError(f"{missing[0]}: no such file or folder")
    chosen = levels(project.lint, "pyproject.toml: [tool.rpcschema.lint]")
    before = None if since is None else release_at(since)
    if before is not None and before.errors:
        report(before.errors)
        complain("nothing was checked: mend the documents of --since first")
        return FAILED
    table = about.corrections if corrections is None else Path(corrections)
    codes = about.errors if errors is None else Path(errors)
    named = about.release if release is None else release
    given = Linting(
        roots=roots,
        levels=chosen if profile is None else replace(chosen, profile=profile),
        release=None if named is None else release_name(named),
        corrections=NONE if table is None else read_corrections(table),
        errors=NO_CODES if codes is None else read_error_table(codes),
        earlier=None if before is None else earlier(before.documents),
    )
    report(given.corrections.problems)
    if given.corrections.problems:
        return FAILED
    findings = linted(given)
    show(report_of(findings), form)
    limit = fail_on or chosen.fail_on or "error"
    found = worst(findings)
    return FINDING if found is not None and limit != "never" and found >= Severity[limit.upper()] else FINE
