"""What the commands share: exit codes, the project's table, and printing for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter
from rich.console import Console
from rich.progress import Progress as ProgressBar
from rich.text import Text

from rpcschema.generate import Progress
from rpcschema.problems import Level, Problem, grouped
from rpcschema.settings import ProjectTable, SettingsError, find_project
from rpcschema.write import staging

FINE: Final = 0
FINDING: Final = 1
FAILED: Final = 2

AllWarnings = Annotated[
    bool, Parameter(help="List all warnings, also those that say the same.", negative=(), show_default=False)
]
Schemas = Annotated[Path, Parameter(help="Documents, or folders to search for *.json. What is hidden is skipped.")]


def project_table(*, is_needed: bool) -> ProjectTable:
    """Return the project's table. Raises SettingsError for a broken pyproject.toml, but only if the table is needed."""
    try:
        return find_project(Path.cwd())
    except SettingsError:
        if is_needed:
            raise
        return ProjectTable()


def tidy(out: Path) -> None:
    """Remove the leftovers of killed runs in `out`."""
    if count := sum(map(staging.remove, staging.leftovers(out))):
        complain(f"{out}: removed {count} new {'file' if count == 1 else 'files'} of a run that was killed")


@contextmanager
def progress() -> Iterator[Progress]:
    """Show a progress bar on a terminal, and nothing elsewhere."""
    # Even a bar that is switched off ends with a line feed in older releases of rich.
    if not _console().is_terminal:
        yield lambda *_: None
        return
    with ProgressBar(console=_console(), transient=True) as bar:
        task = bar.add_task("Rendering", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def report(problems: Sequence[Problem], *, every: bool = False) -> None:
    """Print all errors and warnings; of warnings with one message only the first, with a count, unless `every`."""
    for problem, others in ((problem, 0) for problem in problems) if every else grouped(problems):
        more = f" (and {others} more like it; --all-warnings lists them)" if others else ""
        text = Text(printable(f"{problem}{more}"))
        style = "bold red" if problem.level is Level.ERROR else "yellow"
        text.highlight_words([f" {problem.level.value}: "], style)
        _console().print(text)


def complain(message: str) -> None:
    _console().print(Text(printable(f"rpcschema: {message}")))


@cache
def _console() -> Console:
    return Console(stderr=True, soft_wrap=True, highlight=False)


def printable(text: str) -> str:
    """Return `text` on one line, without control characters, with which a document could draw on the terminal."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
