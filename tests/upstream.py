"""Upstream's documents and vectors, from the folder `../shared` or from checkouts that the caller names.

CLN_REPO names a checkout of Core Lightning, BOLTS_REPO one of lightning/bolts. What is read is what was committed, at
fixed commits of Core Lightning and at the HEAD of the bolts; copies lie below `.nox/upstream`. It is never part of the
project.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path, PurePosixPath
from tempfile import mkdtemp
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
SHARED: Final = Path(os.environ.get("CLNRPC_SHARED", ROOT.parent / "shared"))
HOW: Final = "set CLN_REPO and BOLTS_REPO to checkouts of Core Lightning and lightning/bolts"

COPIES: Final = ROOT / ".nox" / "upstream"
_COMMITS: Final = {
    "v24.11": "v24.11",
    "v26.04": "v26.04",
    "v26.06": "v26.06",
    "master-2026-08": "090f4b0e6",
}
"""Folders below `corpus`, and what Core Lightning calls them."""


def material(relative: str) -> Path:
    """Return the path of a document or vector, e.g. `corpus/v26.06/schemas`; nothing may exist there."""
    path = PurePosixPath(relative)
    found = None
    if path.parts[0] == "corpus" and (repository := os.environ.get("CLN_REPO")):
        found = copy_of(repository, _COMMITS[path.parts[1]], "doc")
        path = PurePosixPath(*path.parts[2:])
    elif path.is_relative_to("vectors/bolts") and (repository := os.environ.get("BOLTS_REPO")):
        found = copy_of(repository, "HEAD", "bolt04", "bolt12")
        path = path.relative_to("vectors/bolts")
    return SHARED / relative if found is None else found / path


@cache
def copy_of(repository: str, commit: str, *folders: str) -> Path | None:
    """Copy folders, as they were committed, and return where to; None if the repository lacks the commit.

    `doc` itself is left out of the copied paths.
    """
    resolved = (
        _git(repository, "rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}", check=False).decode().strip()
    )
    if not resolved:
        return None
    target = COPIES / resolved
    if not target.exists():
        COPIES.mkdir(parents=True, exist_ok=True)
        work = Path(mkdtemp(dir=COPIES))
        names = _git(repository, "ls-tree", "-r", "-z", "--name-only", resolved, *folders).decode().split("\0")
        documents = [name for name in names if name.endswith(".json")]
        for name, content in zip(documents, _contents(repository, resolved, documents), strict=True):
            file = work / name.removeprefix("doc/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        try:
            work.rename(target)
        except OSError:  # another process was faster
            shutil.rmtree(work)
    return target


def _contents(repository: str, commit: str, names: list[str]) -> list[bytes]:
    asked = "".join(f"{commit}:{name}\n" for name in names).encode()
    rest = _git(repository, "cat-file", "--batch", given=asked)
    found = []
    for _ in names:
        header, _, rest = rest.partition(b"\n")
        size = int(header.split()[2])
        found.append(rest[:size])
        rest = rest[size + 1 :]
    return found


def _git(repository: str, *arguments: str, given: bytes = b"", check: bool = True) -> bytes:
    return subprocess.run(
        ["git", "-C", repository, *arguments], input=given, stdout=subprocess.PIPE, check=check
    ).stdout
