"""`manifest.json`: what the generator made, of what, by which version of itself.

It is how a later run knows which files are its own to remove. It holds no times and no names of machines, so that the
same input gives the same bytes:

    {"format": 1, "targets": {TARGET: {"generator": VERSION, "package": NAME,
                                       "documents": {"KIND/ID": SHA256, ...}, "files": {PATH: SHA256, ...}}}}

The input is told for each target on its own because a run may be limited to some targets.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from rpcschema import strictjson
from rpcschema.output import OutputError, stays_inside

NAME: Final = "manifest.json"
FORMAT: Final = 1
_ADVICE: Final = "restore it, or remove it together with the files that it listed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What one target made. SHA-256 sums are in hexadecimal, over the bytes of a file."""

    generator: str
    package: str
    documents: Mapping[str, str]
    """The sums of the documents, by "KIND/ID"."""
    files: Mapping[str, str]
    """The sums of the files, by path relative to the output folder."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What stands in an output folder, by target."""

    targets: Mapping[str, Entry] = field(default_factory=dict)

    def encode(self) -> bytes:
        """The bytes of the file."""
        value = {"format": FORMAT, "targets": {name: asdict(entry) for name, entry in self.targets.items()}}
        return (json.dumps(value, indent=2, sort_keys=True) + "\n").encode()


def sha256(data: bytes) -> str:
    """The SHA-256 sum of `data` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def read(out: Path) -> Manifest:
    """The manifest of `out`; an empty one if there is none.

    Raises OutputError for a file that is no manifest or one of a later format, OSError for one that cannot be read.
    """
    file = out / NAME
    try:
        raw = strictjson.parse(file.read_bytes())
    except FileNotFoundError:
        return Manifest()
    except strictjson.JsonError as error:
        raise OutputError(f"{file}: {error.place}: {error.message}; {_ADVICE}") from None
    if not isinstance(raw, dict) or not isinstance(raw.get("format"), int):
        raise OutputError(f"{file}: not a manifest; {_ADVICE}")
    if raw["format"] > FORMAT:
        raise OutputError(f"{file}: written by a newer generator; use that one")
    targets = raw.get("targets")
    if not isinstance(targets, dict) or not all(_is_entry(entry) for entry in targets.values()):
        raise OutputError(f"{file}: not a manifest of format {FORMAT}; {_ADVICE}")
    for path in (path for entry in targets.values() for path in entry["files"]):
        if not stays_inside(path):
            raise OutputError(f"{file}: lists {path!r}, which is no path inside of {out}; {_ADVICE}")
    return Manifest({name: Entry(**entry) for name, entry in targets.items()})


def _is_entry(raw: Any) -> bool:
    if not isinstance(raw, dict) or raw.keys() != {member.name for member in fields(Entry)}:
        return False
    sums = (raw["documents"], raw["files"])
    texts = (raw["generator"], raw["package"])
    return all(isinstance(part, dict) for part in sums) and all(
        isinstance(text, str) for text in (*texts, *(entry for part in sums for entry in part.values()))
    )
