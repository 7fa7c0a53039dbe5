"""What of an earlier run still stands: its documents and its maker are the same, and its files as they were made.

Nothing is believed without a look at the files: one that was edited by hand is made anew.
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
class Standing:
    """What need not be made again of one target."""

    pieces: Mapping[str, Piece] = field(default_factory=dict)
    """Of unchanged documents, by "KIND/ID"."""
    entry: TargetEntry | None = None
    """The earlier entry, if all files of no one document stand."""


def standing(out: Path, entry: TargetEntry, files: Sequence[File]) -> Standing:
    """What stands in `out` of `entry`, which is of the same maker, for the documents in `files`."""
    own = {path: _intact(out, path, made) for path, made in entry.files.items()}
    parts = {path: _parts(entry, path, content) for path in entry.heads if (content := own[path]) is not None}
    pieces = {}
    for file in files:
        record = entry.documents.get(file.name)
        if record is None or record.sha256 != file.sha256 or not parts.keys() >= record.parts.keys():
            continue
        if all(_intact(out, path, made) is not None for path, made in record.files.items()):
            pieces[file.name] = Piece(record, {path: parts[path][file.name] for path in record.parts})
    return Standing(pieces, None if None in own.values() else entry)


def _intact(out: Path, path: str, made: str) -> bytes | None:
    """The content of a file if it has the sum `made`."""
    content = output.read(out, path)
    return content if content is not None and sha256(content) == made else None


def _parts(entry: TargetEntry, path: str, content: bytes) -> dict[str, bytes]:
    """The parts that documents have of a shared file."""
    parts = {}
    at = entry.heads[path]
    for name, record in sorted(entry.documents.items()):
        if path in record.parts:
            end = at + record.parts[path]
            parts[name] = content[at:end]
            at = end
    return parts
