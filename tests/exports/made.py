"""Raw documents, and what the exports make of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator

from rpcschema.errorcodes import read_error_table
from rpcschema.read.load import load
from rpcschema.settings import Settings
from rpcschema.targets import EXPORTS
from tests.audit.documents import Document, batches, described_once, read
from tests.generator.rendering import render_all
from tests.shared import ROOT

SETTINGS: Final = Settings(
    package="node", targets=EXPORTS, release="v26.09", errors=read_error_table(ROOT / "schemas/errors.toml")
)
HALVES: Final[Mapping[str, Mapping[str, str]]] = {
    "rpc": {"request": "request", "response": "response"},
    "notification": {"response": "payload"},
    "hook": {"request": "payload", "response": "response"},
}
"""Kind of document -> a half, and what its file is called."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was made of some documents."""

    documents: Sequence[Document]
    files: Mapping[str, bytes]

    def json(self, path: str) -> Any:
        """Return the content of a file."""
        return json.loads(self.files[path])

    def halves(self) -> Iterator[tuple[Document, str, Any]]:
        """Yield each half that has a JSON Schema of its own, and that schema."""
        for document in self.documents:
            for half, name in HALVES[document.kind].items():
                yield document, half, self.json(f"jsonschema/{document.kind}/{document.name}.{name}.json")

    def validators(self) -> Mapping[tuple[str, str, str], Draft202012Validator]:
        """Return the validators by kind, name and half."""
        return {
            (document.kind, document.name, half): Draft202012Validator(schema)
            for document, half, schema in self.halves()
        }


@cache
def exported(folder: Path) -> Exported:
    """Return what all exports make of the documents in a folder; of two with one name, of the first."""
    described = batches(described_once(read(folder)))[0]
    loaded = load([document.file for document in described])
    assert not [problem for problem in loaded.problems if problem.level == "error"], loaded.problems
    files: dict[str, bytes] = {}
    for target in EXPORTS:
        made, problems = render_all(target, loaded.documents, SETTINGS)
        assert not problems
        files |= made
    return Exported(described, files)
