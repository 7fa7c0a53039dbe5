"""Where the upstream material lies that some tests compare with: documents, vectors, transcripts. It is never part of
the project.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.upstream import HOW, ROOT, SHARED, material

__all__ = ["ROOT", "SHARED", "fuzz_inputs", "shared_path"]


def shared_path(relative: str) -> Path:
    """Return the path of a piece of upstream material; skip the calling test, and say so, if it is missing."""
    path = material(relative)
    if not path.exists():
        pytest.skip(f"no shared material at {relative}; {HOW}, or CLNRPC_SHARED to its folder")
    return path


def fuzz_inputs(target: str) -> Iterator[tuple[str, str]]:
    """Name and text of each input that is UTF-8 for one of Core Lightning's fuzzers of BOLT 12 strings."""
    with tarfile.open(shared_path(f"vectors/fuzz/bolt12-{target}-decode.tar.gz")) as archive:
        for member in archive:
            file = archive.extractfile(member)
            data = b"\xff" if file is None else file.read()
            with suppress(UnicodeDecodeError):
                yield member.name.rpartition("/")[2], data.decode()
