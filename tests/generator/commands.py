"""Run the real command in a separate process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def rpcschema(*args: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `rpcschema` in `cwd`; return its result."""
    return subprocess.run(
        [sys.executable, "-m", "rpcschema", *map(str, args)],
        cwd=cwd,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def tree(folder: Path) -> dict[str, bytes]:
    """Return the bytes of each file below `folder`, by relative path, without what Python has compiled."""
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and file.parent.name != "__pycache__"
    }
