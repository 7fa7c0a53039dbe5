"""Load documents from files: find, read, check, correct, build. Problems are returned; nothing raises."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rpcschema.model.build import KINDS, build
from rpcschema.model.nodes import FACTS, Document, DocumentKind
from rpcschema.problems import Fault, Level, Problem, bounded, has_errors
from rpcschema.read import dialect, strictjson, upstream
from rpcschema.read.consistency import inconsistencies
from rpcschema.read.corrections import NONE, Correction, Corrections

MAX_BYTES: Final = 1024 * 1024
"""The largest file; Core Lightning's largest is a tenth of it."""

# An id becomes part of file names, so characters with a meaning in paths or shells are forbidden.
_ID: Final = re.compile(r"(?!\.)[A-Za-z0-9_.-]{1,100}")
# These are device names on Windows, with any suffix, so the output could not be checked out there.
_DEVICE: Final = re.compile(r"(?:aux|con|nul|prn|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class File:
    """A file that should hold a document; its content is not checked yet."""

    path: str
    """The path as the user gave it."""
    file: str
    """The path relative to its root, with forward slashes."""
    sha256: str
    """The hexadecimal sum over its bytes and its corrections."""
    key: tuple[DocumentKind, str] | None
    """The document's kind and id; None if it cannot be a document."""
    is_facts: bool
    """Whether it holds only facts, so that a full document with the same kind and id takes precedence."""

    @property
    def name(self) -> str:
        """The key as "KIND/ID"; empty without one."""
        return "/".join(self.key) if self.key else ""


@dataclass(frozen=True, slots=True)
class Found:
    """The files below some roots: documents sorted by kind and id, then the others."""

    files: tuple[File, ...]
    problems: tuple[Problem, ...]
    paths: frozenset[str]
    """All files that were read, as the user gave them."""


@dataclass(frozen=True, slots=True)
class Source:
    """A document and its file."""

    document: Document
    path: str
    """The file as the user gave it."""
    sha256: str
    """The sum of its File."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """All documents below some roots, sorted by kind and name, and all their problems."""

    sources: tuple[Source, ...]
    problems: tuple[Problem, ...]

    @property
    def documents(self) -> tuple[Document, ...]:
        """The documents alone, in the same order."""
        return tuple(source.document for source in self.sources)


def load(roots: Sequence[Path], corrections: Corrections = NONE) -> Loaded:
    """Return the documents in `roots`, which are files, or folders that are searched recursively for `*.json`.

    Hidden files and folders are skipped, symbolic links are followed, and `corrections` are applied. A file with an
    error gives no document. If two files have the same kind and id, a full document takes precedence over a document of
    facts, which is not even loaded; any other pair is an error.
    """
    found = find_files(roots, corrections)
    sources: list[Source] = []
    problems = list(found.problems)
    for file in found.files:
        source, met = load_file(file, corrections)
        problems.extend(met)
        if source is not None:
            sources.append(source)
    return Loaded(tuple(sources), tuple(sorted(problems)))


def find_files(roots: Sequence[Path], corrections: Corrections = NONE, without: Collection[str] = ()) -> Found:
    """Return the files to load, except the paths in `without`; of files with the same document, the one that counts."""
    problems = list(corrections.problems)
    first: dict[tuple[DocumentKind, str, bool], File] = {}
    unknown: list[File] = []
    places = _json_files(roots, problems)
    for place, root in places.items():
        if place.as_posix() in without:
            continue
        file = _look_at(place, root, corrections)
        if file.key is None:
            unknown.append(file)
        elif (other := first.setdefault((*file.key, file.is_facts), file)) is not file:
            kind, name = file.key
            message = f"{kind} {name!r} is described twice, here and in {other.path}"
            problems.append(Problem(file.path, f"/{kind}", message))
    count = [first[key] for key in sorted(first) if not (key[2] and (*key[:2], False) in first)]
    if not without:
        problems.extend(corrections.unmatched([file.key for file in count if file.key]))
    return Found((*count, *unknown), tuple(problems), frozenset(place.as_posix() for place in places))


def load_file(file: File, corrections: Corrections = NONE) -> tuple[Source | None, tuple[Problem, ...]]:
    """Return the document in `file`, with `corrections` applied, and its problems; None if it cannot be used."""
    data, raw, problems = read_raw(file)
    if problems:
        return None, problems
    odd = tuple(bounded(upstream.faults(raw)))
    if entries := corrections.of(file.key):
        raw, failed = corrections.apply(raw, entries)
        made = (f"{file.name}, as corrected, at {fault.pointer}: {fault.message}" for fault in bounded(_faults(raw)))
        if failed := failed or tuple(Problem(corrections.file, "", message) for message in made):
            return None, failed
    document = build(raw, file.file)
    problems = tuple(finding.of(file.path) for finding in (*odd, *bounded(inconsistencies(document))))
    source = Source(document, file.path, _sum(data, entries))
    return None if has_errors(problems) else source, problems


def read_raw(file: File) -> tuple[bytes, Any, tuple[Problem, ...]]:
    """Return the bytes of a file, the JSON in it, and the reasons why that is no document."""
    data = b""
    try:
        data = _read(Path(file.path))
        raw = strictjson.parse(data)
    except OSError as error:
        return data, None, (Problem(file.path, "", f"cannot be read: {error.strerror}"),)
    except strictjson.JsonError as error:
        return data, None, (Problem(file.path, error.place, error.message),)
    return data, raw, tuple(fault.of(file.path) for fault in dict.fromkeys(bounded(_faults(raw))))


def _json_files(roots: Sequence[Path], problems: list[Problem]) -> dict[Path, Path]:
    """Return the files to read, each with its root, and each once."""
    found: dict[str, tuple[Path, Path]] = {}
    for root in roots:
        try:
            files = [root] if root.is_file() else sorted(_walk(root, problems))
        except OSError as error:
            problems.append(Problem(str(error.filename), "", f"cannot be read: {error.strerror}"))
            continue
        if not files:
            problems.append(Problem(str(root), "", "no *.json file in it"))
        for file in files:
            found.setdefault(os.path.realpath(file), (file, root))
    return dict(found.values())


def _walk(root: Path, problems: list[Problem]) -> Iterator[Path]:
    def stop(error: OSError) -> None:
        raise error

    seen = {os.path.realpath(root)}
    for folder, folders, names in os.walk(root, onerror=stop, followlinks=True):
        # Hidden files of version control, editors and file systems often have the suffix of documents.
        found = {os.path.realpath(Path(folder, name)): name for name in sorted(folders) if not name.startswith(".")}
        # A link may lead to a folder that was already searched, or form a loop.
        folders[:] = (name for real, name in found.items() if real not in seen)
        seen.update(found)
        for name in names:
            file = Path(folder, name)
            if name.startswith("."):
                continue
            # A pipe or a device with that name would block. A dangling link is reported later.
            if file.suffix == ".json" and (file.is_file() or not file.exists()):
                yield file
            elif file.is_symlink() and not file.exists():
                message = "a symbolic link to nothing; if that was a folder, its documents are missing"
                problems.append(Problem(str(file), "", message, level=Level.WARNING))


def _look_at(place: Path, root: Path, corrections: Corrections) -> File:
    """Return what `place` seems to hold; loading it reports its problems."""
    try:
        data = _read(place)
        raw = json.loads(data)
    except (OSError, ValueError, RecursionError):
        data, raw = b"", None
    key = _key(raw)
    return File(
        path=place.as_posix(),
        file=place.name if place == root else place.relative_to(root).as_posix(),
        sha256=_sum(data, corrections.of(key)),
        key=key,
        is_facts=key is not None and raw.get("$schema") == FACTS,
    )


def _sum(data: bytes, corrections: Sequence[Correction]) -> str:
    return hashlib.sha256(data + b"".join(repr(each.edits).encode() for each in corrections)).hexdigest()


def _read(file: Path) -> bytes:
    with file.open("rb") as stream:
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise strictjson.JsonError("", f"larger than {MAX_BYTES // 1024 // 1024} MiB, so it is not read")
    return data


def _faults(raw: Any) -> Iterator[Fault]:
    """Yield the reasons why `raw` is not a document."""
    kinds = _kinds(raw)
    if not kinds:
        yield Fault("", "not an rpc-schema document: it has none of the keys rpc, notification and hook")
        return
    if len(kinds) > 1:
        yield Fault("", f"several documents in one: it has the keys {' and '.join(kinds)}; keep one")
        return
    key = _key(raw)
    if key is None:
        message = "expected a name of letters, digits, _, - and ., at most 100, the first not a dot"
        yield Fault(f"/{kinds[0]}", message)
    elif _DEVICE.fullmatch(key[1]):
        message = f"{key[1]!r} is the name of a device on Windows, which has no files of that name; rename it"
        yield Fault(f"/{kinds[0]}", message)
    else:
        yield from dialect.faults(raw)


def _kinds(raw: Any) -> list[DocumentKind]:
    return [kind for kind in KINDS if kind in raw] if isinstance(raw, dict) else []


def _key(raw: Any) -> tuple[DocumentKind, str] | None:
    """Return the kind and id of a document, if it has one of each."""
    kinds = _kinds(raw)
    if len(kinds) != 1:
        return None
    name = raw[kinds[0]]
    return (kinds[0], name) if isinstance(name, str) and _ID.fullmatch(name) else None
