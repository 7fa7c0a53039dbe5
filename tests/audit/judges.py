"""The judges from outside: mypy for the packages, mandoc for the man pages."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

from tests.audit.documents import AuditError, Package, run

_OLDEST: Final = "3.11"
"""The Python whose rules the packages must keep."""


def mypy(package: Package) -> list[str]:
    """Return the complaints of `mypy --strict` about a package, without any configuration of ours."""
    options = ("--strict", "--python-version", _OLDEST, "--config-file=", "--cache-dir=/dev/null", "--no-error-summary")
    try:
        run("-m", "mypy", *options, str(package.folder / package.name))
    except AuditError as error:
        return [line for line in str(error).splitlines() if ": error:" in line] or [str(error)]
    return []


def lint(pages: Path) -> list[str]:
    """Return mandoc's warnings about the man pages in a folder. Raises AuditError without mandoc."""
    if shutil.which("mandoc") is None:
        raise AuditError("mandoc is needed to read man pages, and is not installed")
    files = sorted(pages.glob("*.7"))
    done = subprocess.run(["mandoc", "-Tlint", "-W", "warning", *files], capture_output=True, text=True, check=False)
    return done.stdout.splitlines()
