"""The documents that a mock serves, each loaded when it is first needed.

Without a folder they are those of this project, as a node follows them: Core Lightning's facts and our full documents,
with our corrections and without our extensions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Final

from clnrpc import RELEASE
from lnstandin.documents import DocumentsError, as_of, corrections_in, described, is_gone, with_enforced_rules
from rpcschema.model.nodes import Document, DocumentKind
from rpcschema.problems import Level, Problem
from rpcschema.read.corrections import Corrections
from rpcschema.read.load import File, Found, Source, find_files, load_file
from rpcschema.settings import schemas_dir

_LOADED: Final[dict[tuple[str, str], tuple[Source | None, tuple[Problem, ...]]]] = {}
"""What was loaded, by path and sum: tests start many mocks of the same documents in one process."""
_RELEASE: Final = re.compile(r"v[0-9]{2}\.[0-9]{2}(?:\.[0-9]+)?")


@dataclass(frozen=True)
class Documents:
    """Documents by kind and name, as a node of `release` would follow them."""

    found: Found
    corrections: Corrections
    asked: str | None = None
    """The release to imitate; None: the one that the documents describe."""
    own: str | None = None
    """The release that the documents describe, if it is known."""

    @classmethod
    def of(cls, schemas: Path | None = None, release: str | None = None) -> Documents:
        """Return the documents in a folder, by default this project's, whose files are found once in a process.

        Raises:
            DocumentsError: if the folder has none, or `release` does not name a release ("v24.08").
        """
        found, corrections = _shipped_files() if schemas is None else _files_in(schemas)
        return cls(found, corrections, own=RELEASE if schemas is None else None).at(release)

    def at(self, release: str | None) -> Documents:
        """Return the same documents as a node of another release follows them. Raises DocumentsError."""
        if release is not None and not _RELEASE.fullmatch(release):
            raise DocumentsError(f"{release!r} does not name a release: expected a year and a month, such as v24.08")
        return replace(self, asked=release)

    @cached_property
    def release(self) -> str:
        """The imitated release, which is the newest that the documents mention unless another was asked for."""
        return self.asked or self.own or described(self._all())

    def find(self, kind: DocumentKind, name: str) -> Document | None:
        """Return a document; None if there is none, if it has an error, or if the release does not have it."""
        key = (kind, name)
        if key not in self._made:
            file = self._files.get(key)
            document = None if file is None else self._loaded(file)
            if document is None or document.extension or is_gone(document, self.asked):
                self._made[key] = None
            else:
                self._made[key] = with_enforced_rules(as_of(document, self.asked), self.corrections)
        return self._made[key]

    def command(self, name: str) -> Document | None:
        """Return the document of a command, or None."""
        return self.find("rpc", name)

    @cached_property
    def commands(self) -> tuple[str, ...]:
        """The names of all commands of the release, sorted. All their documents are loaded for this."""
        return self.names("rpc")

    def names(self, kind: DocumentKind) -> tuple[str, ...]:
        """Return the names of all commands, notifications or hooks of the release, sorted."""
        names = sorted(name for other, name in self._files if other == kind)
        return tuple(name for name in names if self.find(kind, name) is not None)

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """What is wrong with the documents: each of these is left out. All documents are loaded for this."""
        met = (problem for file in self.found.files for problem in self._load(file)[1])
        return tuple(problem for problem in (*self.found.problems, *met) if problem.level is Level.ERROR)

    @cached_property
    def _files(self) -> Mapping[tuple[DocumentKind, str], File]:
        return {file.key: file for file in self.found.files if file.key is not None}

    @cached_property
    def _made(self) -> dict[tuple[DocumentKind, str], Document | None]:
        return {}

    def _loaded(self, file: File) -> Document | None:
        source, _ = self._load(file)
        return None if source is None else source.document

    def _load(self, file: File) -> tuple[Source | None, tuple[Problem, ...]]:
        key = (file.path, file.sha256)
        if key not in _LOADED:
            _LOADED[key] = load_file(file, self.corrections)
        return _LOADED[key]

    def _all(self) -> Iterator[Document]:
        return (document for file in self.found.files if (document := self._loaded(file)) is not None)


@cache
def _shipped_files() -> tuple[Found, Corrections]:
    return _files_in(schemas_dir())


def _files_in(folder: Path) -> tuple[Found, Corrections]:
    corrections = corrections_in(folder)
    found = find_files([folder], corrections)
    if not any(file.key for file in found.files):
        raise DocumentsError(f"{folder}: no rpc-schema documents there")
    return found, corrections
