"""Where the upstream material lies that some tests compare with: documents, vectors, transcripts. It is never part of
the project.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("CLNRPC_SHARED", ROOT.parent / "shared"))


def shared_path(relative: str) -> Path:
    """The path of a piece of shared material; skips the calling test, and says so, where it is missing."""
    path = SHARED / relative
    if not path.exists():
        pytest.skip(f"no shared material at {relative}; set CLNRPC_SHARED to where it lies")
    return path
