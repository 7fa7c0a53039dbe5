"""The commands that report findings: `diff`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from rpcschema.cli.common import FAILED, FINDING, FINE, complain, printable, report
from rpcschema.diff import Audience
from rpcschema.settings import SettingsError

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
