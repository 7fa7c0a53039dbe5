"""The command `rpcschema`. Exit codes: 0 fine, 1 a finding (out of date), 2 could not work."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated, Final, Literal

from cyclopts import App, CycloptsError, Parameter
from cyclopts.validators import Number
from rich.console import Console
from rich.progress import Progress as ProgressBar
from rich.text import Text

from rpcschema.diff import Audience
from rpcschema.errorcodes import NO_CODES, ErrorTableError, read_error_table
from rpcschema.generate import Generated, Progress, Run
from rpcschema.generate import generate as generated
from rpcschema.problems import Level, Problem, grouped, has_errors
from rpcschema.read.corrections import NONE, read_corrections
from rpcschema.settings import (
    ProjectTable,
    Settings,
    SettingsError,
    find_project,
    package_name,
    read_commands,
    release_name,
)
from rpcschema.targets import TARGETS
from rpcschema.write import manifest, output, staging
from rpcschema.write.interrupts import interrupt_on_sigterm
from rpcschema.write.output import OutputError

FINE: Final = 0
FINDING: Final = 1
FAILED: Final = 2


def _version() -> str:
    return version("clnrpc")


app: Final = App(
    name="rpcschema",
    help="Generate typed Python, man pages and docs from Core Lightning's rpc-schema documents.",
    version=_version,
    exit_on_error=False,
    print_error=False,
    suppress_keyboard_interrupt=False,
    result_action="return_value",
)


AllWarnings = Annotated[
    bool, Parameter(help="List all warnings, also those that say the same.", negative=(), show_default=False)
]


@Parameter(name="*")
@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateOptions:
    """The options of `generate` and `check`; those not given come from `[tool.rpcschema]` of pyproject.toml."""

    # A Path could not tell "" from ".".
    out: Annotated[str | None, Parameter(help="Output folder. [default: generated]")] = None
    package: Annotated[str | None, Parameter(help="Import name of the generated package.")] = None
    target: Annotated[
        tuple[str, ...],
        Parameter(help=f"Only this target; can be repeated: {', '.join(TARGETS)}.", negative=(), show_default=False),
    ] = ()
    release: Annotated[str | None, Parameter(help="Release that the documents are of, e.g. v26.09.")] = None
    corrections: Annotated[str | None, Parameter(help="Table of where nodes contradict the documents.")] = None
    read_only: Annotated[str | None, Parameter(help="Table of the commands that change nothing.")] = None
    errors: Annotated[str | None, Parameter(help="Table of the names and meanings of error codes.")] = None
    jobs: Annotated[
        int | None,
        Parameter(help="Number of processes. [default: what the work and the machine allow]", validator=Number(gte=1)),
    ] = None
    keep_going: Annotated[
        bool,
        Parameter(
            help="Leave out documents with errors, as if they were not there; exit with 1.",
            negative=(),
            show_default=False,
        ),
    ] = False
    all_warnings: AllWarnings = False


Schemas = Annotated[Path, Parameter(help="Documents, or folders to search for *.json. What is hidden is skipped.")]


def main() -> None:
    """Run the command line of this process and exit."""
    interrupt_on_sigterm()
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as stderr is
    try:
        code = app()
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output has closed the pipe; without this, Python would complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = FAILED
    except CycloptsError as error:
        _complain(f"{error} See rpcschema --help.")
        code = FAILED
    except KeyboardInterrupt:
        _complain("interrupted")
        code = FAILED
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        _complain(f"{place}{error.strerror or error}")
        code = FAILED
    except (SettingsError, ErrorTableError, OutputError, BrokenExecutor) as error:
        _complain(str(error))
        code = FAILED
    sys.exit(code)


@app.command
def generate(
    *schemas: Schemas,
    options: GenerateOptions = GenerateOptions(),
    fresh: Annotated[
        bool, Parameter(help="Render everything again, even what is up to date.", negative=(), show_default=False)
    ] = False,
) -> int:
    """Write the package, man pages and docs, and remove what is no longer made."""
    run = _wanted_run(schemas, options, trusts_manifest=not fresh)
    with output.locked_folder(run.out, lambda: _complain(f"waiting for another run in {run.out}")):
        _tidy(run.out)
        return _bring_up_to_date(run, options)


def _tidy(out: Path) -> None:
    """Remove the leftovers of killed runs in `out`."""
    if count := sum(map(staging.remove, staging.leftovers(out))):
        _complain(f"{out}: removed {count} new {'file' if count == 1 else 'files'} of a run that was killed")


def _bring_up_to_date(run: Run, options: GenerateOptions) -> int:
    outcome, out = _perform(run, options), run.out
    changes = outcome.changes
    if changes is None:
        return FAILED
    foreign = [change.path for change in changes if change.is_foreign]
    if foreign:
        _report([Problem((out / path).as_posix(), "", "in the way, and not known to be generated") for path in foreign])
        _complain(
            f"nothing was written: move these files away, or choose another --out (if only {out / manifest.NAME}"
            f" was lost, remove {out} and generate again)"
        )
        return FAILED
    output.write(out, changes, last=manifest.NAME)
    removed = sum(change.new is None for change in changes)
    print(_printable(f"{out}: {len(changes) - removed} written, {removed} removed"))
    return _told_what_is_missing(outcome)


def _told_what_is_missing(outcome: Generated) -> int:
    """Report the documents that were left out; return the exit code for them."""
    if not outcome.skipped:
        return FINE
    count = len(outcome.skipped)
    documents = "1 document" if count == 1 else f"{count} documents"
    _complain(f"left out {documents} with errors: {', '.join(outcome.skipped)}")
    return FINDING


@app.command
def check(*schemas: Schemas, options: GenerateOptions = GenerateOptions()) -> int:
    """Write nothing, print what `generate` would change as a unified diff, and exit with 1 if there is anything.

    Everything is rendered again, so a manifest that is wrong is noticed.
    """
    run = _wanted_run(schemas, options, trusts_manifest=False)
    outcome = _perform(run, options)
    changes = outcome.changes
    if changes is None:
        return FAILED
    for change in changes:
        sys.stdout.buffer.write(output.diff(change).encode())
    left = [*staging.leftovers(run.out)]
    for folder in left:
        _complain(f"{folder}: left by a run that was killed; rpcschema generate removes it")
    if changes:
        _complain(f"{run.out}: {len(changes)} out of date; rpcschema generate brings them up to date")
    missing = _told_what_is_missing(outcome)
    return FINDING if changes or left else missing


@app.command(name="sync")
def bring_facts(
    upstream: Annotated[Path, Parameter(help="A checkout of Core Lightning, or a folder of its documents.")],
    *,
    facts: Annotated[str | None, Parameter(help="The folder of facts. [default: what pyproject.toml says]")] = None,
    corrections: Annotated[
        str | None, Parameter(help="Table of where nodes contradict the facts. [default: what pyproject.toml says]")
    ] = None,
    all_warnings: AllWarnings = False,
) -> int:
    """Bring a folder of facts to the state of a checkout of Core Lightning, keep its words, and print what changed.

    That includes corrections that are no longer needed, or that the documents no longer fit.
    """
    from rpcschema.facts.sync import sync  # noqa: PLC0415 # 0085: slow

    project = _project(is_needed=facts is None)
    folder = Path(facts) if facts else project.facts
    table = Path(corrections) if corrections else None if facts else project.corrections
    if folder is None or facts == "":
        raise SettingsError("--facts is needed: the name of a folder; no [tool.rpcschema] of a pyproject.toml gives it")
    _tidy(folder)
    synced = sync(upstream, folder, NONE if table is None else read_corrections(table))
    _report(synced.problems, every=all_warnings)
    if has_errors(synced.problems):
        _complain("nothing was written")
        return FAILED
    output.write(folder, synced.changes, last="")
    for line in synced.report:
        print(_printable(line))
    removed = sum(change.new is None for change in synced.changes)
    counts = f"{len(synced.changes) - removed} written, {removed} removed"
    print(_printable(f"{folder}: {counts if synced.changes else 'nothing changed'}"))
    return FINE


@app.command
def diff(  # noqa: PLR0913 - one parameter per option
    old: str,
    new: str,
    *,
    json: Annotated[bool, Parameter(help="Print JSON.", negative=())] = False,
    markdown: Annotated[bool, Parameter(help="Print Markdown, for release notes.", negative=())] = False,
    github: Annotated[bool, Parameter(help="Print annotations for GitHub's workflows.", negative=())] = False,
    audience: Annotated[Audience, Parameter(name="--for", help="Whose verdicts decide.")] = "callers",
    fail_on: Annotated[
        Literal["breaking", "risky", "any"] | None,
        Parameter(help="Exit with 1 if there is a change like this, or a worse one.", show_default=False),
    ] = None,
) -> int:
    """Compare the documents of two releases, and judge each change for callers and for implementers.

    OLD and NEW are folders of documents, checkouts of Core Lightning, or REPO@REVISION, which git reads.
    """
    from rpcschema.diff.changes import changes  # noqa: PLC0415 # 0085: slow
    from rpcschema.diff.report import Comparison, lines  # noqa: PLC0415 # 0085: slow
    from rpcschema.diff.rules import Verdict  # noqa: PLC0415 # 0085: slow
    from rpcschema.diff.sources import release_at  # noqa: PLC0415 # 0085: slow

    forms = {"json": json, "markdown": markdown, "github": github}
    chosen = [name for name, is_given in forms.items() if is_given]
    if len(chosen) > 1:
        raise SettingsError(f"--{chosen[0]} and --{chosen[1]} exclude each other: choose one")
    before, after = release_at(old), release_at(new)
    _report(problems := (*before.errors, *after.errors))
    if problems:
        _complain("nothing was compared: mend the documents first")
        return FAILED
    comparison = Comparison(old, new, changes(before.documents, after.documents), audience, after.folder)
    for line in lines(comparison, chosen[0] if chosen else "text"):  # type: ignore[arg-type] # the names are the forms
        print("\n".join(map(_printable, line.split("\n"))))
    limit = {"breaking": Verdict.BREAKING, "risky": Verdict.RISKY, "any": Verdict.SAFE, None: None}[fail_on]
    worst = comparison.worst
    return FINDING if worst is not None and limit is not None and worst >= limit else FINE


def _perform(run: Run, options: GenerateOptions) -> Generated:
    """Return the changes that a run needs, and report all problems."""
    with _progress() as progress:
        outcome = generated(run, progress)
    _report(outcome.problems, every=options.all_warnings)
    return outcome


def _wanted_run(schemas: Sequence[Path], options: GenerateOptions, *, trusts_manifest: bool) -> Run:
    """Return the run that the command line asks for, completed by the project's table."""
    project = _project(is_needed=not schemas or options.package is None)
    roots = tuple(schemas) or project.schemas
    package = project.package if options.package is None else options.package
    about = ProjectTable() if schemas else project  # what the table says about its own documents
    release = about.release if options.release is None else options.release
    corrections = about.corrections if options.corrections is None else Path(options.corrections)
    errors = about.errors if options.errors is None else Path(options.errors)
    read_only = about.read_only if options.read_only is None else Path(options.read_only)
    if not roots or package is None:
        missing = "SCHEMAS" if not roots else "--package"
        raise SettingsError(f"{missing} is needed; no [tool.rpcschema] of a pyproject.toml gives it")
    only, listed = _known(options.target), _known(project.targets or ())
    settings = Settings(
        package=package_name(package),
        targets=tuple(name for name in TARGETS if name in listed or name in only) or TARGETS,
        release=None if release is None else release_name(release),
        read_only=() if read_only is None else read_commands(read_only),
        errors=NO_CODES if errors is None else read_error_table(errors),
    )
    return Run(
        roots=roots,
        out=_out(options, project, roots),
        settings=settings,
        targets=only or settings.targets,
        corrections=corrections,
        keeps_others=bool(only),
        trusts_manifest=trusts_manifest,
        jobs=options.jobs,
        keeps_going=options.keep_going,
    )


def _project(*, is_needed: bool) -> ProjectTable:
    """Return the project's table. Raises SettingsError for a broken pyproject.toml, but only if the table is needed."""
    try:
        return find_project(Path.cwd())
    except SettingsError:
        if is_needed:
            raise
        return ProjectTable()


def _out(options: GenerateOptions, project: ProjectTable, roots: Sequence[Path]) -> Path:
    """Return the output folder. Raises SettingsError if a second run would read its files as documents."""
    if options.out == "":
        raise SettingsError("--out: expected the name of a folder")
    out = Path("generated" if options.out is None else options.out)
    if options.out is None and project.out is not None:
        out = project.out
    for root in roots:
        if Path(os.path.realpath(out)).is_relative_to(os.path.realpath(root)):
            raise SettingsError(f"{out} is inside of {root}, which is searched for documents; choose another --out")
    return out


def _known(targets: Sequence[str]) -> tuple[str, ...]:
    """Return `targets` in our order, each once. Raises SettingsError for one that does not exist."""
    for name in targets:
        if name not in TARGETS:
            raise SettingsError(f"there is no target {name!r}; there are {', '.join(TARGETS)}")
    return tuple(name for name in TARGETS if name in targets)


@contextmanager
def _progress() -> Iterator[Progress]:
    """Show a progress bar on a terminal, and nothing elsewhere."""
    # Even a bar that is switched off ends with a line feed in older releases of rich.
    if not _console().is_terminal:
        yield lambda *_: None
        return
    with ProgressBar(console=_console(), transient=True) as bar:
        task = bar.add_task("Rendering", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _report(problems: Sequence[Problem], *, every: bool = False) -> None:
    """Print all errors and warnings; of warnings with one message only the first, with a count, unless `every`."""
    for problem, others in ((problem, 0) for problem in problems) if every else grouped(problems):
        more = f" (and {others} more like it; --all-warnings lists them)" if others else ""
        text = Text(_printable(f"{problem}{more}"))
        style = "bold red" if problem.level is Level.ERROR else "yellow"
        text.highlight_words([f" {problem.level.value}: "], style)
        _console().print(text)


def _complain(message: str) -> None:
    _console().print(Text(_printable(f"rpcschema: {message}")))


@cache
def _console() -> Console:
    return Console(stderr=True, soft_wrap=True, highlight=False)


def _printable(text: str) -> str:
    """Return `text` on one line, without control characters, with which a document could draw on the terminal."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
