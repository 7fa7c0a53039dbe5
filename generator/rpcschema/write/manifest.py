"""`manifest.json`: what the generator made, from which documents, and with which version of itself.

It tells a later run which files it may remove, and what it need not make again. It contains no times and no machine
names, so the same input gives the same bytes:

    {"sum": SHA256, "format": 3, "package": NAME, "targets": {TARGET: {
        "maker": SHA256,
        "documents": {"KIND/ID": {"sha256": SHA256, "files": {PATH: SHA256}, "parts": {PATH: LENGTH},
                                  "summary": {...}, "warnings": [[POINTER, MESSAGE, DETAIL]]}},
        "files": {PATH: SHA256},
        "frames": {PATH: [LENGTH, LENGTH]}}}}

A shared file consists of a head with the first length, the parts of the documents in order, with separators of the
second length between them, and a tail. Each target
lists its own documents, because a run may be limited to some targets. `sum` covers everything after it; if it is wrong,
after an edit by hand or a merge, only the list of files is used.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from rpcschema.read import strictjson
from rpcschema.settings import Settings, template_file, template_names
from rpcschema.targets import TARGETS, installed
from rpcschema.write.output import OutputError, stays_inside

NAME: Final = "manifest.json"
FORMAT: Final = 3
_PINNED: Final = ("black", "datamodel-code-generator")
"""The tools whose releases affect generated code."""
_SUM: Final = b'{\n "sum": "'
_ADVICE: Final = "restore it, or remove it together with the files that it listed"


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentRecord:
    """What one target made of one document. SHA-256 sums are hexadecimal, over the bytes of a file."""

    sha256: str
    """The sum of the document."""
    files: Mapping[str, str]
    """The sums of the document's own files, by path relative to the output folder."""
    parts: Mapping[str, int]
    """The lengths, in bytes, of its parts of shared files."""
    summary: Mapping[str, Any]
    warnings: tuple[tuple[str, str, str], ...]
    """(JSON pointer, message, detail) of each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetEntry:
    """What one target made."""

    maker: str
    """Identifies the generator and its settings: nothing made by another one is up to date."""
    documents: Mapping[str, DocumentRecord]
    """The records by "KIND/ID"."""
    files: Mapping[str, str]
    """The sums of all other files, including shared ones, by path."""
    frames: Mapping[str, tuple[int, int]]
    """The lengths, in bytes, of the heads of shared files, and of what separates their parts."""

    @property
    def paths(self) -> Iterator[str]:
        """All files, relative to the output folder."""
        yield from self.files
        for record in self.documents.values():
            yield from record.files


@dataclass(frozen=True, slots=True)
class Manifest:
    """The content of an output folder, by target."""

    targets: Mapping[str, TargetEntry] = field(default_factory=dict)
    package: str | None = None
    """The import name of the package; None in manifests of earlier generators."""

    def encode(self) -> bytes:
        """Return the bytes of the file."""
        targets = _lines({name: _lines(_members(entry)) for name, entry in sorted(self.targets.items())})
        body = f' "format": {FORMAT},\n "package": {_json(self.package)},\n "targets": {targets}\n}}\n'.encode()
        return _SUM + sha256(body).encode() + b'",\n' + body


def maker(settings: Settings) -> str:
    """Return a hexadecimal SHA-256 sum over this package, the templates, the pinned tools and `settings`.

    It is the same on every machine, and for a wheel and a checkout.
    """
    package = Path(__file__).resolve().parent.parent
    files = [file for pattern in ("*.py", "*.json") for file in package.rglob(pattern)]
    # A wheel has schemas/ in this package, for `rpcschema scan`; nothing is generated from it.
    sources = [(file.relative_to(package), file) for file in files if package / "schemas" not in file.parents]
    sources += [(Path("templates", name), template_file(name, settings.templates)) for name in template_names()]
    made_by = hashlib.sha256()
    for name, file in sorted(sources):
        content = file.read_bytes()
        made_by.update(f"{name.as_posix()} {len(content)}\n".encode())
        made_by.update(content)
    # The content of the user's templates counts, but not where they are.
    rest = [*((tool, version(tool)) for tool in _PINNED), asdict(replace(settings, templates=None))]
    made_by.update(repr(rest).encode())
    return made_by.hexdigest()


def maker_of(target: str, generator: str) -> str:
    """Return the sum that identifies the maker of `target`; `generator` is what `maker` returned."""
    return generator if target in TARGETS else sha256(f"{generator} {installed.fingerprint(target)}".encode())


def sha256(data: bytes) -> str:
    """Return the hexadecimal SHA-256 sum of `data`."""
    return hashlib.sha256(data).hexdigest()


def read(out: Path) -> Manifest:
    """Return the manifest of `out`; an empty one if there is none.

    Raises OutputError if the file is not a manifest or has a later format, OSError if it cannot be read.
    """
    file = out / NAME
    try:
        data = file.read_bytes()
        is_whole = _is_whole(data)
        raw = json.loads(data) if is_whole else strictjson.parse(data)
    except FileNotFoundError:
        return Manifest()
    except strictjson.JsonError as error:
        raise OutputError(f"{file}: {error.place}: {error.message}; {_ADVICE}") from None
    if not isinstance(raw, dict) or not isinstance(raw.get("format"), int):
        raise OutputError(f"{file}: not a manifest; {_ADVICE}")
    if raw["format"] > FORMAT:
        raise OutputError(f"{file}: written by a newer generator; use that one")
    targets = raw.get("targets")
    if not isinstance(targets, dict):
        raise OutputError(f"{file}: not a manifest of format {FORMAT}; {_ADVICE}")
    read_entry = _entry if is_whole and raw["format"] == FORMAT else _listed
    try:
        manifest = Manifest({name: read_entry(entry) for name, entry in targets.items()}, raw.get("package"))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise OutputError(f"{file}: not a manifest of format {FORMAT}; {_ADVICE}") from error
    for path in (path for entry in manifest.targets.values() for path in entry.paths):
        if not stays_inside(path):
            raise OutputError(f"{file}: lists {path!r}, which is not a path inside {out}; {_ADVICE}")
    return manifest


def _members(entry: TargetEntry) -> dict[str, str]:
    """Return the JSON of an entry's members, with one line per document and per file."""
    documents = {key: _json(_as_dict(record)) for key, record in sorted(entry.documents.items())}
    files = {path: _json(made) for path, made in sorted(entry.files.items())}
    return {
        "documents": _lines(documents),
        "files": _lines(files),
        "frames": _json(entry.frames),
        "maker": _json(entry.maker),
    }


def _as_dict(record: DocumentRecord) -> dict[str, Any]:
    return {each.name: getattr(record, each.name) for each in fields(record)}


def _lines(members: Mapping[str, str]) -> str:
    """Return the JSON of an object, one member per line; `members` are JSON already."""
    return "{\n" + ",\n".join(f"{_json(key)}: {value}" for key, value in members.items()) + "\n}"


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _is_whole(data: bytes) -> bool:
    """Return whether the manifest is as a generator wrote it."""
    at = len(_SUM) + 64
    return data.startswith(_SUM) and data[len(_SUM) : at] == sha256(data[at + 3 :]).encode()


def _entry(raw: Mapping[str, Any]) -> TargetEntry:
    documents = {
        key: DocumentRecord(**{**record, "warnings": tuple(map(tuple, record["warnings"]))})
        for key, record in raw["documents"].items()
    }
    frames = {path: (head, between) for path, (head, between) in raw["frames"].items()}
    return TargetEntry(**{**raw, "documents": documents, "frames": frames})


def _listed(raw: Mapping[str, Any]) -> TargetEntry:
    """Return only the files of an entry that is not trusted, or of an earlier format."""
    # In format 1, documents had no files of their own.
    records = [record for record in raw["documents"].values() if isinstance(record, Mapping)]
    sums: dict[str, str] = {}
    for files in (raw["files"], *(record["files"] for record in records)):
        sums |= dict.fromkeys(files.keys(), "")
    return TargetEntry(maker="", documents={}, files=sums, frames={})
