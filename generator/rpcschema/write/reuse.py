"""Find what is still valid from an earlier run: same document, same maker, and files unchanged since.

The files are always checked: one that was edited by hand is made again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rpcschema.read.load import File
from rpcschema.write import output
from rpcschema.write.join import Piece
from rpcschema.write.manifest import TargetEntry, sha256


@dataclass(frozen=True, slots=True)
class Reusable:
    """What need not be made again for one target."""

    pieces: Mapping[str, Piece] = field(default_factory=dict)
    """The pieces of unchanged documents, by "KIND/ID"."""
    entry: TargetEntry | None = None
    """The earlier entry, if the files that are not a document's own are intact."""


def find_reusable(out: Path, entry: TargetEntry, files: Sequence[File]) -> Reusable:
    """Return what is still valid in `out` for the documents in `files`; `entry` has the current maker."""
    own = {path: _intact(out, path, made) for path, made in entry.files.items()}
    parts = {path: _parts(entry, path, content) for path in entry.frames if (content := own[path]) is not None}
    pieces = {}
    for file in files:
        record = entry.documents.get(file.name)
        if record is None or record.sha256 != file.sha256 or not parts.keys() >= record.parts.keys():
            continue
        if all(_intact(out, path, made) is not None for path, made in record.files.items()):
            pieces[file.name] = Piece(record, {path: parts[path][file.name] for path in record.parts})
    return Reusable(pieces, None if None in own.values() else entry)


def all_or_nothing(found: Reusable, files: Sequence[File]) -> Reusable:
    """Return `found` if the whole output is valid for the documents in `files`, else nothing.

    For a target of another package, which makes all its files at once.
    """
    names = {file.name for file in files}
    is_valid = found.entry is not None and found.pieces.keys() == names == found.entry.documents.keys()
    return found if is_valid else Reusable()


def _intact(out: Path, path: str, made: str) -> bytes | None:
    """Return the content of a file if it has the sum `made`."""
    content = output.read(out, path)
    return content if content is not None and sha256(content) == made else None


def _parts(entry: TargetEntry, path: str, content: bytes) -> dict[str, bytes]:
    """Return the documents' parts of a shared file."""
    parts = {}
    at, between = entry.frames[path]
    for name, record in sorted(entry.documents.items()):
        if path in record.parts:
            end = at + record.parts[path]
            parts[name] = content[at:end]
            at = end + between
    return parts
