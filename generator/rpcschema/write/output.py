"""The output folder: what is there is compared with what should be, then changed file by file.

New files are written to a folder of their own first (`staging`), so that an error then (a full disk, say) changes
nothing. Next goes what is stale, then the new files are renamed into their places, the list of all files (the manifest)
as the last of them: if anything fails, the old list still stands, and the next run does what is left to do. Nothing is
read, written or removed outside of the folder, whatever a path or a symbolic link says.
"""

from __future__ import annotations

import difflib
import errno
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from rpcschema.write.interrupts import held_back
from rpcschema.write.staging import staging_folder

if sys.platform != "win32":
    import fcntl


class OutputError(ValueError):
    """The output folder cannot be worked on; the message says what is in the way."""


@dataclass(frozen=True, slots=True)
class Change:
    """One file that is not as it should be."""

    path: str
    """POSIX, relative to the output folder."""
    old: bytes | None
    """What is there; None if it is to be created."""
    new: bytes | None
    """What should be there; None if it is to be removed."""
    is_foreign: bool = False
    """Whether something is there that no earlier run is known to have made."""


@contextmanager
def kept_for_one(out: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Lets no other run at the folder `out` until the block is done; calls `waiting` if it has to wait for one.

    Without it, what one run has read could be changed by another before the first has written.
    """
    if sys.platform == "win32" or not out.is_dir():  # what is not there yet has nothing to lose
        yield
        return
    folder = os.open(out, os.O_RDONLY)
    try:
        with suppress(OSError):  # some file systems have no locks
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting()
                fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def compare(out: Path, wanted: Mapping[str, bytes], previous: Iterable[str]) -> tuple[Change, ...]:
    """The changes, sorted by path, that make `out` hold `wanted`, and of the files `previous` none but these.

    `previous` are the files that an earlier run made; any other that is in the way is foreign.

    Raises OutputError for a path that leads out of `out`, OSError for what cannot be read.
    """
    changes = []
    known = frozenset(previous)
    for path in sorted(known.union(wanted)):
        old, new = read(out, path), wanted.get(path)
        if old != new:
            changes.append(Change(path, old, new, is_foreign=old is not None and path not in known))
    return tuple(changes)


def read(out: Path, path: str) -> bytes | None:
    """The content of the file `path` in `out`, None if it is not there.

    Raises OutputError for a path that leads out of `out`, OSError for what cannot be read.
    """
    try:
        return _inside(out, path).read_bytes()
    except FileNotFoundError:
        return None


def write(out: Path, changes: Sequence[Change], *, last: str) -> None:
    """Makes the changes, that of the path `last` after all others have succeeded.

    Raises OutputError for a path that leads out of `out`, OSError for what cannot be written; if that comes up while
    the new files are staged, as it does for a full disk and for folders that cannot be written, all is as it was.
    """
    if not changes:
        return
    with staging_folder(out) as folder:
        staged = _stage(out, changes, folder, last)
        with held_back():  # now it is all or nothing
            stale = [_inside(out, change.path) for change in changes if change.new is None]
            for file in stale:
                file.unlink(missing_ok=True)
            for stage, file in staged:
                stage.replace(file)
            for file in stale:
                _remove_empty(file.parent, out)


def _stage(out: Path, changes: Sequence[Change], folder: Path, last: str) -> list[tuple[Path, Path]]:
    """Writes the new files into `folder`, that of the path `last` at the end; each with its place, where it can go."""
    staged: list[tuple[Path, Path]] = []
    for number, change in enumerate(sorted(changes, key=lambda change: change.path == last)):
        file = _inside(out, change.path)
        if change.new is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
            if file.parent.stat().st_dev != folder.stat().st_dev:
                raise OutputError(f"{file.parent} lies on another file system than {out}; choose another --out")
            staged.append((folder / str(number), file))
            _create(folder / str(number), change.new, file)
        if not os.access(file.parent, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file))
    return staged


def diff(change: Change) -> str:
    """The change as a unified diff of text, never empty."""
    before = "/dev/null" if change.old is None else f"a/{change.path}"
    after = "/dev/null" if change.new is None else f"b/{change.path}"
    lines = list(difflib.unified_diff(_lines(change.old), _lines(change.new), before, after))
    if not lines:  # an empty file comes or goes
        lines = [f"--- {before}\n", f"+++ {after}\n"]
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(content: bytes | None) -> list[str]:
    # Not splitlines, which also splits where no tool that reads diffs does.
    return re.findall(r"[^\n]*\n|[^\n]+", (content or b"").decode(errors="backslashreplace"))


def stays_inside(path: str) -> bool:
    """Whether `path`, POSIX and relative, names a file below the folder that it is relative to (links aside)."""
    parts = path.split("/")
    return not {"", ".", ".."} & set(parts) and not {"\\", "\0"} & set(path)


def _inside(out: Path, path: str) -> Path:
    if not stays_inside(path):
        raise OutputError(f"{path!r} is no path inside of {out}")
    file = out / path
    # Without a link on its way it cannot lead out; to look for one is cheaper than to follow the whole way.
    steps = accumulate((f"/{part}" for part in path.split("/")), initial=str(out))
    if any(map(os.path.islink, steps)) and not Path(os.path.realpath(file)).is_relative_to(os.path.realpath(out)):
        raise OutputError(f"{file} leads out of {out} through a symbolic link; remove the link")
    return file


def _create(stage: Path, content: bytes, file: Path) -> None:
    """Writes what is to become `file`, which an error names: a full disk names none."""
    try:
        with stage.open("xb") as stream:
            stream.write(content)
    except OSError as error:
        error.filename = file
        raise


def _remove_empty(folder: Path, out: Path) -> None:
    """Removes `folder`, and those around it up to `out`, if there is nothing in them any more."""
    while folder != out and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
