"""Files to documents: find, read, check, build. All that is wrong comes back as problems; nothing raises."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rpcschema import dialect, strictjson, upstream
from rpcschema.model.build import KINDS, build
from rpcschema.model.nodes import Document
from rpcschema.model.walk import oddities
from rpcschema.problems import Level, Problem, bounded

MAX_BYTES: Final = 1024 * 1024
"""Size of one file; the largest of Core Lightning's is a tenth of that."""

# An id becomes part of file names, so it may hold nothing that a path or a shell gives a meaning to.
_ID: Final = re.compile(r"(?!\.)[A-Za-z0-9_.-]{1,100}")
# Windows takes these for devices, whatever follows after a dot, so that nobody there could check out the output.
_DEVICE: Final = re.compile(r"(?:aux|con|nul|prn|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Source:
    """A document and where it came from."""

    document: Document
    path: str
    """The file as the user named it."""
    sha256: str
    """Of the file's bytes, in hexadecimal."""

    @property
    def is_facts(self) -> bool:
        """Whether the document holds only facts, so that a full one of its kind and id takes its place."""
        return self.document.is_facts


@dataclass(frozen=True, slots=True)
class Loaded:
    """All documents below some roots, sorted by kind and name, and all that was wrong with them."""

    sources: tuple[Source, ...]
    problems: tuple[Problem, ...]

    @property
    def documents(self) -> tuple[Document, ...]:
        """The documents alone, in the same order."""
        return tuple(source.document for source in self.sources)


def load(roots: Sequence[Path]) -> Loaded:
    """The documents in `roots`: files, or folders that are searched for `*.json` at any depth.

    A file with an error gives no document. Of two that have one kind and id, a full document wins over one of facts;
    any other pair is an error.
    """
    sources: dict[tuple[str, str, bool], Source] = {}
    problems: list[Problem] = []
    for file, root in _json_files(roots, problems).items():
        source, found = _load_file(file, root)
        problems.extend(found)
        if source is None:
            continue
        key = (source.document.kind, source.document.name, source.is_facts)
        first = sources.setdefault(key, source)
        if first is not source:
            message = f"{key[0]} {key[1]!r} is described twice, here and in {first.path}"
            problems.append(Problem(source.path, f"/{key[0]}", message))
    winners = [key for key in sorted(sources) if not (key[2] and (*key[:2], False) in sources)]
    return Loaded(tuple(sources[key] for key in winners), tuple(sorted(problems)))


def _json_files(roots: Sequence[Path], problems: list[Problem]) -> dict[Path, Path]:
    """The files to read, each with its root; one that several roots hold only once."""
    found: dict[str, tuple[Path, Path]] = {}
    for root in roots:
        try:
            files = [root] if root.is_file() else sorted(_walk(root))
        except OSError as error:
            problems.append(Problem(str(error.filename), "", f"cannot be read: {error.strerror}"))
            continue
        if not files:
            problems.append(Problem(str(root), "", "no *.json file in it"))
        for file in files:
            found.setdefault(os.path.realpath(file), (file, root))
    return dict(found.values())


def _walk(root: Path) -> Iterator[Path]:
    def stop(error: OSError) -> None:
        raise error

    for folder, _, names in os.walk(root, onerror=stop):
        for name in names:
            file = Path(folder, name)
            # A pipe or a device of that name would block or never end. A dangling link will be reported.
            if file.suffix == ".json" and (file.is_file() or not file.exists()):
                yield file


def _load_file(file: Path, root: Path) -> tuple[Source | None, list[Problem]]:
    path = file.as_posix()
    try:
        data = _read(file)
        raw = strictjson.parse(data)
    except OSError as error:
        return None, [Problem(path, "", f"cannot be read: {error.strerror}")]
    except strictjson.JsonError as error:
        return None, [Problem(path, error.place, error.message)]
    found = [Problem(path, pointer, message) for pointer, message in dict.fromkeys(bounded(_faults(raw)))]
    if found:
        return None, found
    document = build(raw, file.name if file == root else file.relative_to(root).as_posix())
    odd = (*bounded(upstream.faults(raw)), *bounded(oddities(document)))
    warnings = [Problem(path, pointer, message, Level.WARNING) for pointer, message in odd]
    return Source(document, path, hashlib.sha256(data).hexdigest()), warnings


def _read(file: Path) -> bytes:
    with file.open("rb") as stream:
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise strictjson.JsonError("", f"larger than {MAX_BYTES // 1024 // 1024} MiB, so it is not read")
    return data


def _faults(raw: Any) -> Iterator[tuple[str, str]]:
    """(JSON pointer, message) of all that keeps `raw` from being a document."""
    kinds = [kind for kind in KINDS if kind in raw] if isinstance(raw, dict) else []
    if not kinds:
        yield "", "not an rpc-schema document: it has none of the keys rpc, notification and hook"
        return
    if len(kinds) > 1:
        yield "", f"it says that it is several things at once: {' and '.join(kinds)}"
        return
    name = raw[kinds[0]]
    if not isinstance(name, str) or not _ID.fullmatch(name):
        yield f"/{kinds[0]}", "expected a name of letters, digits, _, - and ., at most 100, the first not a dot"
    elif _DEVICE.fullmatch(name):
        yield f"/{kinds[0]}", f"{name!r} is the name of a device on Windows, which has no files of that name; rename it"
    else:
        yield from dialect.faults(raw)
