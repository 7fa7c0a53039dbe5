"""Target `model`: the generator's model of each document, as JSON (see `rpcschema.model.dump`)."""

from __future__ import annotations

from typing import Final

from rpcschema.model.dump import dump
from rpcschema.targets import Made, Target
from rpcschema.targets.subject import Subject


def _document(subject: Subject) -> Made:
    document = subject.document
    return Made(files={f"model/{document.kind}/{document.name}.json": dump(document)})


TARGET: Final = Target(name="model", document=_document)
