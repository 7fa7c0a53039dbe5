"""Where the upstream material lies that some tests compare with: documents, vectors, transcripts. It is never part of
the project.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from contextlib import suppress
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


def fuzz_inputs(target: str) -> Iterator[tuple[str, str]]:
    """Name and text of each input that is UTF-8 for one of Core Lightning's fuzzers of BOLT 12 strings."""
    with tarfile.open(shared_path(f"vectors/fuzz/bolt12-{target}-decode.tar.gz")) as archive:
        for member in archive:
            file = archive.extractfile(member)
            data = b"\xff" if file is None else file.read()
            with suppress(UnicodeDecodeError):
                yield member.name.rpartition("/")[2], data.decode()
