"""Where the documents of a release are.

In a folder, a checkout of Core Lightning, a revision of a repository, or one file (`read.packed`). The releases that
are shipped are known by their name.
"""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from rpcschema.model.nodes import Document
from rpcschema.problems import Level, Problem
from rpcschema.read.load import load
from rpcschema.read.packed import shipped, unpack
from rpcschema.settings import SettingsError

_NESTED: Final = Path("doc", "schemas")
"""Where Core Lightning's checkout has them."""


@dataclass(frozen=True, slots=True)
class Release:
    """The documents of a release."""

    documents: tuple[Document, ...]
    folder: str
    """Where they are, with a slash at the end; empty if their files were temporary."""
    errors: tuple[Problem, ...]
    """Why some documents cannot be read."""


def release_at(place: str) -> Release:
    """Return the documents at a place: FOLDER, CHECKOUT, either with @REVISION, a packed FILE, or a shipped release.

    Raises:
        SettingsError: if there is no such place.
    """
    with _folder_of(place) as folder:
        loaded = load([folder])
    errors = tuple(problem for problem in loaded.problems if problem.level is Level.ERROR)
    return Release(loaded.documents, f"{folder.as_posix()}/" if Path(place).is_dir() else "", errors)


@contextmanager
def _folder_of(place: str) -> Iterator[Path]:
    """Yield the folder with the documents; it is temporary unless `place` is a folder."""
    if Path(place).is_dir():
        yield _documents(Path(place))
        return
    packed = Path(place) if Path(place).is_file() else shipped().get(place)
    with TemporaryDirectory(prefix="rpcschema-") as name:
        if packed is None:
            _unpack_revision(place, Path(name))
        else:
            unpack(packed, Path(name))
        yield _documents(Path(name))


def _documents(folder: Path) -> Path:
    nested = folder / _NESTED
    return nested if nested.is_dir() else folder


def _unpack_revision(place: str, target: Path) -> None:
    """Write the documents of a revision to a folder.

    Raises:
        SettingsError: if git does not know it.
    """
    repository, separator, revision = place.rpartition("@")
    if not separator or not Path(repository).is_dir() or not revision or revision.startswith("-"):
        raise SettingsError(
            f"{place}: expected a folder of documents, a checkout of Core Lightning, REPO@REVISION, a file that "
            f"rpcschema pack has written, or one of the releases {', '.join(shipped())}"
        )
    git = ["git", "-C", repository, "archive", "--format=tar", revision]
    packed = _output([*git, _NESTED.as_posix()]) or _output(git)
    if not packed:
        raise SettingsError(f"{repository}: git finds no files at the revision {revision!r}")
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(target, filter="data")


def _output(command: list[str]) -> bytes:
    """Return what a command prints; nothing if it fails."""
    try:
        return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout  # noqa: S603 # no shell; the revision is no option
    except FileNotFoundError:
        raise SettingsError("git is needed to read a revision, and is not installed") from None
    except subprocess.CalledProcessError:
        return b""
