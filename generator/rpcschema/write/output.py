"""Update the output folder: compare it with what should be there, then change it file by file.

New files are first written to a separate folder (`staging`), so an error at that stage (a full disk, say) changes
nothing. Then stale files are removed and the new files are renamed into place, the list of all files (the manifest)
last. If anything fails, the old list is still there, and the next run finishes the work. Nothing outside of the folder
is read, written or removed, whatever a path or a symbolic link says.
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

from rpcschema.write.interrupts import signals_blocked
from rpcschema.write.staging import staging_folder

if sys.platform != "win32":
    import fcntl


class OutputError(ValueError):
    """The output folder cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Change:
    """One file that differs from what it should be."""

    path: str
    """The POSIX path, relative to the output folder."""
    old: bytes | None
    """The current content; None to create the file."""
    new: bytes | None
    """The new content; None to remove the file."""
    is_foreign: bool = False
    """Whether the file exists but no known run has made it."""


@contextmanager
def locked_folder(out: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Lock the folder `out` against other runs until the block ends; call `waiting` if another run holds the lock.

    Without it, another run could change what this run has read before this run has written.
    """
    if sys.platform == "win32" or not out.is_dir():  # a new folder has nothing to lose
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
    """Return the changes, sorted by path, after which `out` holds `wanted` and none of the other files in `previous`.

    `previous` are the files of an earlier run; any other file in the way is foreign.

    Raises OutputError if a path leads out of `out`, OSError if a file cannot be read.
    """
    changes = []
    known = frozenset(previous)
    for path in sorted(known.union(wanted)):
        old, new = read(out, path), wanted.get(path)
        if old != new:
            changes.append(Change(path, old, new, is_foreign=old is not None and path not in known))
    return tuple(changes)


def read(out: Path, path: str) -> bytes | None:
    """Return the content of the file `path` in `out`, None if it does not exist.

    Raises OutputError if the path leads out of `out`, OSError if the file cannot be read.
    """
    try:
        return _inside(out, path).read_bytes()
    except FileNotFoundError:
        return None


def write(out: Path, changes: Sequence[Change], *, last: str) -> None:
    """Make the changes, that of the path `last` after all others have succeeded.

    Raises OutputError if a path leads out of `out`, OSError if a file cannot be written. If that happens while new
    files are staged (a full disk, a folder without write permission), nothing has changed.
    """
    if not changes:
        return
    with staging_folder(out) as folder:
        staged = _stage(out, changes, folder, last)
        with signals_blocked():  # from here on, all or nothing
            stale = [_inside(out, change.path) for change in changes if change.new is None]
            for file in stale:
                file.unlink(missing_ok=True)
            for stage, file in staged:
                stage.replace(file)
            for file in stale:
                _remove_empty(file.parent, out)


def _stage(out: Path, changes: Sequence[Change], folder: Path, last: str) -> list[tuple[Path, Path]]:
    """Write the new files into `folder`, that of the path `last` at the end, and return each with its destination."""
    ordered = sorted(changes, key=lambda change: change.path == last)
    files = [(_inside(out, change.path), change.new) for change in ordered]
    for parent in dict.fromkeys(file.parent for file, new in files if new is not None):
        parent.mkdir(parents=True, exist_ok=True)
        if parent.stat().st_dev != folder.stat().st_dev:
            raise OutputError(f"{parent} is on another file system than {out}; choose another --out")
    for parent in dict.fromkeys(file.parent for file, _ in files):
        if not os.access(parent, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(parent))
    staged = [(folder / str(number), file, new) for number, (file, new) in enumerate(files) if new is not None]
    for stage, file, new in staged:
        _create(stage, new, file)
    return [(stage, file) for stage, file, _ in staged]


def diff(change: Change) -> str:
    """Return the change as a unified diff of text, never empty."""
    before = "/dev/null" if change.old is None else f"a/{change.path}"
    after = "/dev/null" if change.new is None else f"b/{change.path}"
    lines = list(difflib.unified_diff(_lines(change.old), _lines(change.new), before, after))
    if not lines:  # an empty file is added or removed
        lines = [f"--- {before}\n", f"+++ {after}\n"]
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _lines(content: bytes | None) -> list[str]:
    # Not splitlines, which also splits at characters that diffs do not treat as line breaks.
    return re.findall(r"[^\n]*\n|[^\n]+", (content or b"").decode(errors="backslashreplace"))


def stays_inside(path: str) -> bool:
    """Return whether `path`, POSIX and relative, stays below the folder that it is relative to, apart from links."""
    parts = path.split("/")
    return not {"", ".", ".."} & set(parts) and not {"\\", "\0"} & set(path)


def _inside(out: Path, path: str) -> Path:
    if not stays_inside(path):
        raise OutputError(f"{path!r} is not a path inside {out}")
    file = out / path
    # A path without links cannot lead out, and looking for links is cheaper than resolving the path.
    steps = accumulate((f"/{part}" for part in path.split("/")), initial=str(out))
    if any(map(os.path.islink, steps)) and not Path(os.path.realpath(file)).is_relative_to(os.path.realpath(out)):
        raise OutputError(f"{file} leads out of {out} through a symbolic link; remove the link")
    return file


def _create(stage: Path, content: bytes, file: Path) -> None:
    """Write the content of `file` to `stage`. An error names `file`, because the error of a full disk names none."""
    try:
        with stage.open("xb") as stream:
            stream.write(content)
    except OSError as error:
        error.filename = file
        raise


def _remove_empty(folder: Path, out: Path) -> None:
    """Remove `folder` and its parents below `out`, as far as they are empty."""
    while folder != out and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
