"""Find the Python sources below some paths, and parse them. What cannot be read is a problem, and the rest goes on."""

from __future__ import annotations

import ast
import os
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rpcschema.problems import Level, Problem

MAX_BYTES: Final = 2 * 1024 * 1024
"""The most that is read of a file. Parsing takes several hundred times as much memory."""
_FOREIGN: Final = frozenset({"__pycache__", "node_modules", "site-packages"})
"""Folders with nobody's own sources. Virtual environments are recognised by a file of theirs."""
_SHEBANG_BYTES: Final = 100


@dataclass(frozen=True, slots=True)
class Source:
    """A parsed file."""

    path: str
    """As the user would write it."""
    tree: ast.Module


def sources(paths: Sequence[Path], problems: list[Problem]) -> Iterator[Source]:
    """Yield the parsed files among and below `paths`, one at a time, in the order of their names.

    In folders these are *.py, and files without a suffix that start with `#!` and a Python. Hidden folders, virtual
    environments and installed packages are skipped; symbolic links are followed, each file is read once. What cannot be
    read is added to `problems`.
    """
    seen: set[str] = set()
    for path in paths:
        for file in _files(path, problems):
            real = os.path.realpath(file)
            if real in seen:
                continue
            seen.add(real)
            source = _parsed(file, problems)
            if source is not None:
                yield source


def _files(path: Path, problems: list[Problem]) -> Iterator[Path]:
    if path.is_dir():
        yield from _below(path, problems)
    elif path.suffix == ".ipynb":
        _notebook(path, problems)
    elif path.is_file():
        yield path
    else:
        what = "neither a file nor a folder" if path.exists() else "there is no such file or folder"
        problems.append(Problem(str(path), "", what))


def _below(root: Path, problems: list[Problem]) -> Iterator[Path]:
    def unreadable(error: OSError) -> None:
        problems.append(Problem(str(error.filename), "", f"cannot be read: {error.strerror}"))

    seen = {os.path.realpath(root)}
    for folder, folders, names in os.walk(root, onerror=unreadable, followlinks=True):
        own = (Path(folder, name) for name in sorted(folders) if not name.startswith(".") and name not in _FOREIGN)
        # A link may lead to a folder that was already searched, or form a loop.
        real = {os.path.realpath(each): each.name for each in own if not (each / "pyvenv.cfg").exists()}
        folders[:] = [name for path, name in real.items() if path not in seen]
        seen.update(real)
        for name in sorted(names):
            file = Path(folder, name)
            if file.suffix == ".ipynb":
                _notebook(file, problems)
            elif _is_source(file):
                yield file


def _notebook(file: Path, problems: list[Problem]) -> None:
    message = "notebooks are not scanned; `jupyter nbconvert --to script` makes a file that can be"
    problems.append(Problem(str(file), "", message, level=Level.WARNING))


def _is_source(file: Path) -> bool:
    if file.suffix == ".py":
        return file.is_file() or file.is_symlink()  # that a link leads nowhere is reported
    if file.suffix or file.name.startswith(".") or not file.is_file():  # a pipe or a device would block
        return False
    try:
        with file.open("rb") as stream:
            first = stream.readline(_SHEBANG_BYTES)
    except OSError:
        return False
    return first.startswith(b"#!") and b"python" in first


def _parsed(file: Path, problems: list[Problem]) -> Source | None:
    """Return the parsed file; None if it cannot be parsed."""

    def cannot(message: str, place: str = "") -> None:
        problems.append(Problem(str(file), place, message))

    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            cannot(f"larger than {MAX_BYTES // 1024 // 1024} MiB, so it is not scanned")
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # doubtful syntax is not our subject
            return Source(file.as_posix(), ast.parse(data))
    except OSError as error:
        cannot(f"cannot be read: {error.strerror}")
    except SyntaxError as error:
        place = f"line {error.lineno}" if error.lineno else ""
        cannot(f"not Python that this interpreter can read: {error.msg}", place)
    except ValueError:  # such as a null byte
        cannot("not Python that this interpreter can read: it is no text")
    except (RecursionError, MemoryError):
        cannot("nested too deeply to be parsed")
    return None
