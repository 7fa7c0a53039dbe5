"""Runs pytest in another process, as a user of the fixtures does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import dedent

SECONDS = 300


def run_pytest(folder: Path, source: str, arguments: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    """Run the tests in a text, in a folder of their own."""
    (folder / "test_it.py").write_text(dedent(source), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-o", "addopts=", "--rootdir=.", *arguments]
    settings = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    return subprocess.run(
        command, cwd=folder, env=settings, capture_output=True, text=True, timeout=SECONDS, check=False
    )
