"""Raw documents, and the packages that the generator's command line makes of them."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.audit.dialect import Raw

SUFFIXES: Final[Mapping[str, Mapping[str, str]]] = {
    "rpc": {"request": "Request", "response": "Response"},
    "notification": {"response": "Notification"},
    "hook": {"request": "HookRequest", "response": "HookResponse"},
}
"""Kind of document -> the halves that have classes, and how the names of the classes end."""

_FACTS: Final = "urn:rpcschema:facts"
"""The $schema of documents that hold the facts of another's, without its prose."""


class AuditError(Exception):
    """A program that the audit needs failed; the text is what it said."""


@dataclass(frozen=True, slots=True)
class Document:
    """A document as it was read."""

    file: Path
    kind: str
    name: str
    raw: Raw

    def __str__(self) -> str:
        return self.name if self.kind == "rpc" else f"{self.kind} {self.name}"

    @property
    def has_pages(self) -> bool:
        """Whether man pages and docs are made of it: not of facts alone."""
        return self.raw.get("$schema") != _FACTS

    def halves(self) -> Iterator[tuple[str, Raw, str]]:
        """Yield, for each half that has a class: "request" or "response", what it declares, and the class's name."""
        stem = "".join(part[:1].upper() + part[1:] for part in re.split("[-_]", self.name))
        for half, suffix in SUFFIXES[self.kind].items():
            yield half, self.raw[half], stem + suffix


@dataclass(frozen=True, slots=True)
class Package:
    """A package that was made of some documents, and the pages beside it."""

    name: str
    folder: Path
    """Where the package, `man/` and `docs/` lie."""
    documents: tuple[Document, ...]

    def module(self, name: str) -> Any:
        """Return a module of the package, e.g. "types". The folder stays on the path, because modules load lazily."""
        if str(self.folder) not in sys.path:
            sys.path.insert(0, str(self.folder))
            importlib.invalidate_caches()
        return importlib.import_module(f"{self.name}.{name}")


def read(*folders: Path) -> tuple[Document, ...]:
    """Return the documents in `folders`."""
    return tuple(map(_read, (file for folder in folders for file in sorted(folder.rglob("*.json")))))


def described_once(documents: Sequence[Document]) -> tuple[Document, ...]:
    """Return `documents` without facts of documents that are also there in full."""
    full = {(document.kind, document.name) for document in documents if document.has_pages}
    return tuple(each for each in documents if each.has_pages or (each.kind, each.name) not in full)


def batches(documents: Iterable[Document]) -> list[tuple[Document, ...]]:
    """Return `documents` in batches that have no kind and name twice: that is an error, and one release has it."""
    found: list[dict[tuple[str, str], Document]] = []
    for document in documents:
        key = document.kind, document.name
        batch = next((batch for batch in found if key not in batch), None)
        if batch is None:
            found.append(batch := {})
        batch[key] = document
    return [tuple(batch.values()) for batch in found]


def generate(
    documents: Sequence[Document],
    name: str,
    folder: Path,
    *,
    jobs: int = 2,
    environment: Mapping[str, str] | None = None,
) -> Package:
    """Generate everything from `documents`, in the order given. Raises AuditError if that fails."""
    files = [str(document.file) for document in documents]
    run(
        "-m",
        "rpcschema",
        "generate",
        *files,
        "--package",
        name,
        "--out",
        str(folder),
        "--jobs",
        str(jobs),
        environment=environment,
    )
    return Package(name, folder, tuple(documents))


def run(*arguments: str, environment: Mapping[str, str] | None = None, python: str = sys.executable) -> str:
    """Return what Python prints when it runs with `arguments`, outside any project. Raises AuditError if it fails."""
    done = subprocess.run(
        [python, *arguments],
        cwd="/",
        env=os.environ | (environment or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise AuditError(f"{' '.join(arguments[:3])}: exit {done.returncode}\n{done.stderr or done.stdout}".rstrip())
    return done.stdout


def _read(file: Path) -> Document:
    raw = json.loads(file.read_bytes())
    kind = next(kind for kind in SUFFIXES if kind in raw)
    return Document(file, kind, raw[kind], raw)
