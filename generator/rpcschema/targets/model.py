"""The target `model`: what the generator understood of each document, as JSON (see `rpcschema.model.dump`)."""

from __future__ import annotations

from typing import Final

from rpcschema.model.dump import dump
from rpcschema.model.nodes import Document
from rpcschema.settings import Settings
from rpcschema.targets import Made, Target


def _document(document: Document, _: Settings) -> Made:
    return Made(files={f"model/{document.kind}/{document.name}.json": dump(document)})


TARGET: Final = Target(name="model", document=_document)
