"""The command that reads programs: `scan`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from rpcschema.cli.common import FAILED, FINDING, FINE, complain, report
from rpcschema.cli.reporting import ReportOptions, show
from rpcschema.problems import has_errors
from rpcschema.settings import SettingsError, release_name

if TYPE_CHECKING:
    from rpcschema.scan.moving import Target

Sources = Annotated[Path, Parameter(help="Python files, or folders to search for them.")]


def scan(
    *paths: Sources,
    against: Annotated[
        str | None,
        Parameter(
            help="Release, e.g. v27.03; latest is the newest that any removal is announced for. [default: latest]"
        ),
    ] = None,
    to: Annotated[
        Literal["clnrpc"] | None,
        Parameter(
            help="List what changes for a program that moves from pyln-client to this library.", show_default=False
        ),
    ] = None,
    options: ReportOptions = ReportOptions(),  # noqa: B008 - it is frozen
    fail_on: Annotated[
        Literal["error", "warning", "note"] | None,
        Parameter(help="Exit with 1 if there is a finding like this, or a worse one.", show_default=False),
    ] = None,
) -> int:
    """Find in the source of programs what a release of Core Lightning removes or deprecates. Nothing is run.

    Errors are what the release no longer supports, or supports for the last time. Warnings are deprecated.
    With --to and without --against, only the notes on how to move are listed.
    """
    from rpcschema.findings import Severity, report_of  # noqa: PLC0415 # 0085: slow
    from rpcschema.scan.run import run  # noqa: PLC0415 # 0085: slow
    from rpcschema.scan.table import read_table  # noqa: PLC0415 # 0085: slow
    from rpcschema.settings import schemas_dir  # noqa: PLC0415 # 0085: slow

    if not paths:
        raise SettingsError("PATHS is needed: files or folders to scan")
    form = options.form()
    table = read_table(schemas_dir() / "deprecations.toml")
    release = table.newest if against in {None, "latest"} else release_name(against or "")
    moving = target() if to is not None else None
    found = run(paths, table, release if moving is None or against is not None else None, moving)
    report(found.problems, every=True)
    about = {"against": release, "files": found.files}
    show(report_of(found.findings, about), form)
    if has_errors(found.problems):
        complain("some files were not scanned")
        return FAILED
    worst = max((finding.severity for finding in found.findings), default=None)
    return FINDING if fail_on and worst is not None and worst >= Severity[fail_on.upper()] else FINE


def target() -> Target:
    """Return the commands of clnrpc, and how pyln-client calls them."""
    from rpcschema.read.corrections import read_corrections  # noqa: PLC0415 # 0085: slow
    from rpcschema.read.load import load  # noqa: PLC0415 # 0085: slow
    from rpcschema.scan.moving import Target, read_signatures  # noqa: PLC0415 # 0085: slow
    from rpcschema.scan.table import python_name  # noqa: PLC0415 # 0085: slow
    from rpcschema.settings import schemas_dir  # noqa: PLC0415 # 0085: slow

    folder = schemas_dir()
    loaded = load([folder], read_corrections(folder / "corrections.toml")).documents
    commands = {python_name(each.name): each for each in loaded if each.kind == "rpc" and not each.extension}
    return Target(commands, read_signatures(folder / "pyln-client.toml"))
