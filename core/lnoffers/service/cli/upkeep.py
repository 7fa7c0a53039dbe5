"""`lnoffers backup` and `lnoffers check-store`: looking after the store."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.progress import track

from lnoffers.service.cli.output import require_output
from lnoffers.service.options import Options
from lnoffers.service.store.backup import back_up
from lnoffers.service.store.examination import Finding, examine


def back_up_store(target: Path, options: Options) -> None:
    """Copy the store to a new file.

    Raises:
        ServiceError: if that cannot be done.
    """
    back_up(options.db, options.store_file, target)


def check_store(options: Options) -> int:
    """Print what is wrong with the store, a line each; the exit code: 0, or 1 if anything is.

    Raises:
        ServiceError: if it cannot be read.
    """
    require_output()
    records = faults = 0
    examination: Iterable[Finding] = examine(options.db, options.store_file, options.network)
    console = Console(stderr=True)
    if console.is_terminal:
        examination = track(examination, "Records", console=console, transient=True)
    for found in examination:
        records += found.is_record
        faults += len(found.faults)
        for fault in found.faults:
            print(fault, flush=sys.stdout.isatty())
    print(f"{_count(records, 'record')}, {_count(faults, 'fault')}")
    return 1 if faults else 0


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"
