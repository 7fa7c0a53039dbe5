"""Target `model`: the generator's model of each document, as JSON (see `rpcschema.model.dump`), and its JSON Schema."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rpcschema import model
from rpcschema.model.dump import dump
from rpcschema.settings import Settings
from rpcschema.targets import Collected, DocumentSummary, Made, Target
from rpcschema.targets.subject import Subject

_SCHEMA: Final = Path(model.__file__).with_name("schema.json")


def _document(subject: Subject) -> Made:
    document = subject.document
    return Made(files={f"model/{document.kind}/{document.name}.json": dump(document)})


def _collection(_: Sequence[DocumentSummary], __: Settings) -> Collected:
    return Collected(files={"model/schema.json": _SCHEMA.read_bytes()})


TARGET: Final = Target(name="model", document=_document, collection=_collection)
