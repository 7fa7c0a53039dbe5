"""Scan files one after the other, then what needs names from other files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rpcschema.findings import Finding
from rpcschema.problems import Problem
from rpcschema.scan.files import sources
from rpcschema.scan.moving import Target, moves
from rpcschema.scan.report import findings
from rpcschema.scan.table import Table
from rpcschema.scan.uses import Constant, Uses, uses


@dataclass(frozen=True, slots=True)
class Scan:
    """The outcome of a scan."""

    findings: tuple[Finding, ...]
    """By file and line."""
    problems: tuple[Problem, ...]
    """Why some files were not scanned."""
    files: int
    """How many were."""


def run(paths: Sequence[Path], table: Table, release: str | None, target: Target | None) -> Scan:
    """Scan the Python sources among and below `paths`.

    The findings are what `release` removes or deprecates, if one is given, and what changes for programs that move to
    `target`, if that is given.
    """
    problems: list[Problem] = []
    found: list[Finding] = []
    waiting: list[Uses] = []
    constants: dict[str, Constant | None] = {}
    files = 0
    for source in sources(paths, problems):
        files += 1
        try:
            used = uses(source)
            found += [] if target is None else moves(used, target)
        except RecursionError:
            problems.append(Problem(source.path, "", "nested too deeply to be scanned"))
            continue
        if release is not None:
            found += findings(used, table, release, {})
            _add(constants, used)
            if elsewhere := tuple(use for use in used.commands if use.is_elsewhere):
                waiting.append(replace(used, commands=elsewhere, fields=(), constants={}))
    if release is not None:
        known = {name: constant for name, constant in constants.items() if constant is not None}
        for used in waiting:
            found += findings(used, table, release, known)
    distinct = {(each.file, each.line, each.rule, each.message): each for each in found}
    return Scan(tuple(distinct[key] for key in sorted(distinct)), tuple(problems), files)


def _add(constants: dict[str, Constant | None], used: Uses) -> None:
    """Add the constants of a file. A name that has several values is no use: it becomes None."""
    for name, constant in used.constants.items():
        other = constants.setdefault(name, constant)
        if other is not None and other.text != constant.text:
            constants[name] = None
