"""Files to documents: find, read, check, correct, build. All that is wrong comes back as problems; nothing raises."""

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
from rpcschema.read.corrections import NONE, Correction, Corrections

MAX_BYTES: Final = 1024 * 1024
"""Size of one file; the largest of Core Lightning's is a tenth of that."""

# An id becomes part of file names, so it may hold nothing that a path or a shell gives a meaning to.
_ID: Final = re.compile(r"(?!\.)[A-Za-z0-9_.-]{1,100}")
# Windows takes these for devices, whatever follows after a dot, so that nobody there could check out the output.
_DEVICE: Final = re.compile(r"(?:aux|con|nul|prn|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class File:
    """A file that should hold a document, before anything in it is checked."""

    path: str
    """As the user named it."""
    file: str
    """Relative to its root, with forward slashes."""
    sha256: str
    """Of its bytes, and of its corrections if it has any, in hexadecimal."""
    key: tuple[DocumentKind, str] | None
    """The document's kind and id; None for what will turn out to be no document."""
    is_facts: bool
    """Whether it holds only facts, so that a full document of its kind and id takes its place."""

    @property
    def name(self) -> str:
        """The key as "KIND/ID"; empty without one."""
        return "/".join(self.key) if self.key else ""


@dataclass(frozen=True, slots=True)
class Found:
    """The files below some roots, those of documents sorted by kind and id, the others last."""

    files: tuple[File, ...]
    problems: tuple[Problem, ...]
    paths: frozenset[str]
    """All files that were looked at, as the user named them."""


@dataclass(frozen=True, slots=True)
class Source:
    """A document and where it came from."""

    document: Document
    path: str
    """The file as the user named it."""
    sha256: str
    """As of its file."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """All documents below some roots, sorted by kind and name, and all that was wrong with them."""

    sources: tuple[Source, ...]
    problems: tuple[Problem, ...]

    @property
    def documents(self) -> tuple[Document, ...]:
        """The documents alone, in the same order."""
        return tuple(source.document for source in self.sources)


def load(roots: Sequence[Path], corrections: Corrections = NONE) -> Loaded:
    """The documents in `roots`: files, or folders that are searched for `*.json` at any depth, but not
    in what is hidden. Symbolic links are followed. Documents are read as `corrections` say.

    A file with an error gives no document. Of two that have one kind and id, a full document wins over one of facts,
    which is not even loaded then; any other pair is an error.
    """
    found = find(roots, corrections)
    sources: list[Source] = []
    problems = list(found.problems)
    for file in found.files:
        source, met = load_file(file, corrections)
        problems.extend(met)
        if source is not None:
            sources.append(source)
    return Loaded(tuple(sources), tuple(sorted(problems)))


def find(roots: Sequence[Path], corrections: Corrections = NONE, without: Collection[str] = ()) -> Found:
    """The files to load, but for the paths `without`: of those that say they are the same document, the one that
    counts.
    """
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
    """The document in `file` if there is one, as `corrections` say, and what is wrong with it, files as the user named
    them.
    """
    from rpcschema.read.consistency import inconsistencies  # noqa: PLC0415 # slow to import, and not needed to find files

    try:
        data = _read(Path(file.path))
        raw = strictjson.parse(data)
    except OSError as error:
        return None, (Problem(file.path, "", f"cannot be read: {error.strerror}"),)
    except strictjson.JsonError as error:
        return None, (Problem(file.path, error.place, error.message),)
    if faults := dict.fromkeys(bounded(_faults(raw))):
        return None, tuple(fault.of(file.path) for fault in faults)
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


def _json_files(roots: Sequence[Path], problems: list[Problem]) -> dict[Path, Path]:
    """The files to read, each with its root; one that several roots hold only once."""
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
        # What version control, editors and file systems keep beside documents is often named like one.
        found = {os.path.realpath(Path(folder, name)): name for name in sorted(folders) if not name.startswith(".")}
        # A link may lead to a folder that was searched already, or back to where it came from.
        folders[:] = (name for real, name in found.items() if real not in seen)
        seen.update(found)
        for name in names:
            file = Path(folder, name)
            if name.startswith("."):
                continue
            # A pipe or a device of that name would block or never end. A dangling link will be reported.
            if file.suffix == ".json" and (file.is_file() or not file.exists()):
                yield file
            elif file.is_symlink() and not file.exists():
                message = "a symbolic link to nothing; if that was a folder, its documents are missing"
                problems.append(Problem(str(file), "", message, level=Level.WARNING))


def _look_at(place: Path, root: Path, corrections: Corrections) -> File:
    """What `place` seems to hold; what is wrong with it comes out when it is loaded."""
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
    """All that keeps `raw` from being a document."""
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
    """The kind and id of a document, if it has one of each."""
    kinds = _kinds(raw)
    if len(kinds) != 1:
        return None
    name = raw[kinds[0]]
    return (kinds[0], name) if isinstance(name, str) and _ID.fullmatch(name) else None
