"""A release in one file: a JSON array of documents of facts, compressed with gzip. Some are shipped with this package.

`rpcschema pack` writes such a file (`facts.pack`); `rpcschema diff` reads it.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rpcschema.model.releases import order
from rpcschema.settings import SettingsError

SUFFIX: Final = ".json.gz"
MAX_BYTES: Final = 32 * 1024 * 1024
"""The most that a file may hold; the documents of Core Lightning take a hundredth of it."""
_FOLDER: Final = Path(__file__).resolve().parent.parent / "releases"


def shipped() -> Mapping[str, Path]:
    """Return the files of the shipped releases by name, the oldest first."""
    files = {file.name.removesuffix(SUFFIX): file for file in _FOLDER.glob(f"*{SUFFIX}")}
    return {name: files[name] for name in sorted(files, key=order)}


def unpack(packed: Path, folder: Path) -> None:
    """Write the documents of a packed release to `folder`, one file for each.

    Raises:
        SettingsError: if the file is not a packed release, or holds more than MAX_BYTES.
        OSError: if it cannot be read, or the folder cannot be written to.
    """
    for number, document in enumerate(documents(packed)):
        (folder / f"{number}.json").write_text(json.dumps(document), encoding="utf-8")


def documents(packed: Path) -> list[dict[str, Any]]:
    """Return the documents of a packed release. Raises what `unpack` raises."""
    try:
        with gzip.open(packed) as stream:
            text = stream.read(MAX_BYTES + 1)
        found = json.loads(text) if len(text) <= MAX_BYTES else None
    except (gzip.BadGzipFile, EOFError, zlib.error, ValueError, RecursionError):
        found = None
    if not isinstance(found, list):
        raise SettingsError(f"{packed}: not a release that rpcschema pack has written")
    return found
