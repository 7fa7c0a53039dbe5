"""The commands `generate` and `check`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from rpcschema.cli.common import (
    FAILED,
    FINDING,
    FINE,
    AllWarnings,
    Schemas,
    complain,
    printable,
    progress,
    project_table,
    report,
    tidy,
)
from rpcschema.errorcodes import NO_CODES, read_error_table
from rpcschema.generate import Generated, Run
from rpcschema.generate import generate as generated
from rpcschema.problems import Problem
from rpcschema.settings import (
    OWN,
    RUNTIMES,
    ProjectTable,
    Settings,
    SettingsError,
    own_templates,
    package_name,
    read_commands,
    release_name,
    runtime_name,
)
from rpcschema.targets import TARGETS, USUAL_TARGETS, installed
from rpcschema.write import manifest, output, staging


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
    runtime: Annotated[
        str | None, Parameter(help=f"Runtime that the package uses: {', '.join(RUNTIMES)}. [default: own]")
    ] = None
    templates: Annotated[str | None, Parameter(help="Folder of templates that replace ours.")] = None
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


def generate(
    *schemas: Schemas,
    options: GenerateOptions = GenerateOptions(),
    fresh: Annotated[
        bool, Parameter(help="Render everything again, even what is up to date.", negative=(), show_default=False)
    ] = False,
) -> int:
    """Write the package, man pages and docs, and remove what is no longer made."""
    run = _wanted_run(schemas, options, trusts_manifest=not fresh)
    with output.locked_folder(run.out, lambda: complain(f"waiting for another run in {run.out}")):
        tidy(run.out)
        return _bring_up_to_date(run, options)


def _bring_up_to_date(run: Run, options: GenerateOptions) -> int:
    outcome, out = _perform(run, options), run.out
    changes = outcome.changes
    if changes is None:
        return FAILED
    foreign = [change.path for change in changes if change.is_foreign]
    if foreign:
        report([Problem((out / path).as_posix(), "", "in the way, and not known to be generated") for path in foreign])
        complain(
            f"nothing was written: move these files away, or choose another --out (if only {out / manifest.NAME}"
            f" was lost, remove {out} and generate again)"
        )
        return FAILED
    output.write(out, changes, last=manifest.NAME)
    removed = sum(change.new is None for change in changes)
    print(printable(f"{out}: {len(changes) - removed} written, {removed} removed"))
    return _told_what_is_missing(outcome)


def _told_what_is_missing(outcome: Generated) -> int:
    """Report the documents that were left out; return the exit code for them."""
    if not outcome.skipped:
        return FINE
    count = len(outcome.skipped)
    documents = "1 document" if count == 1 else f"{count} documents"
    complain(f"left out {documents} with errors: {', '.join(outcome.skipped)}")
    return FINDING


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
        complain(f"{folder}: left by a run that was killed; rpcschema generate removes it")
    if changes:
        complain(f"{run.out}: {len(changes)} out of date; rpcschema generate brings them up to date")
    missing = _told_what_is_missing(outcome)
    return FINDING if changes or left else missing


def _perform(run: Run, options: GenerateOptions) -> Generated:
    """Return the changes that a run needs, and report all problems."""
    with progress() as advance:
        outcome = generated(run, advance)
    report(outcome.problems, every=options.all_warnings)
    return outcome


def _wanted_run(schemas: Sequence[Path], options: GenerateOptions, *, trusts_manifest: bool) -> Run:
    """Return the run that the command line asks for, completed by the project's table."""
    project = project_table(is_needed=not schemas or options.package is None)
    roots = tuple(schemas) or project.schemas
    package = project.package if options.package is None else options.package
    about = ProjectTable() if schemas else project  # what the table says about its own documents
    release = about.release if options.release is None else options.release
    corrections = about.corrections if options.corrections is None else Path(options.corrections)
    errors = about.errors if options.errors is None else Path(options.errors)
    templates = project.templates if options.templates is None else Path(options.templates)
    read_only = about.read_only if options.read_only is None else Path(options.read_only)
    if not roots or package is None:
        missing = "SCHEMAS" if not roots else "--package"
        raise SettingsError(f"{missing} is needed; no [tool.rpcschema] of a pyproject.toml gives it")
    runtime = project.runtime if options.runtime is None else options.runtime
    only = _known(options.target)
    settings = Settings(
        package=package_name(package),
        targets=_known((*(project.targets or ()), *only)) or USUAL_TARGETS,
        release=None if release is None else release_name(release),
        read_only=() if read_only is None else read_commands(read_only),
        errors=NO_CODES if errors is None else read_error_table(errors),
        runtime=OWN if runtime is None else runtime_name(runtime, package),
        templates=None if templates is None else own_templates(templates),
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
    """Return `targets` in our order, those of other packages last, each once.

    Raises SettingsError for one that does not exist.
    """
    others = sorted({name for name in targets if name not in TARGETS})
    for name in others:
        installed.find(name)
    return (*(name for name in TARGETS if name in targets), *others)
