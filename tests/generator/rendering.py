"""What a target makes, without the command line."""

from __future__ import annotations

from collections.abc import Sequence

from rpcschema.model.nodes import Document
from rpcschema.problems import Problem
from rpcschema.read.load import File
from rpcschema.settings import Settings
from rpcschema.targets import Made, load_target
from rpcschema.targets.subject import Subject
from rpcschema.write.join import join, new_piece


def render_one(target: str, document: Document, settings: Settings) -> Made:
    """Return what `target` makes of one document."""
    return load_target(target).document(Subject(document, settings))


def render_all(
    target: str, documents: Sequence[Document], settings: Settings
) -> tuple[dict[str, bytes], tuple[Problem, ...]]:
    """Return all files that `target` makes of `documents`, and all problems."""
    pieces = []
    problems: list[Problem] = []
    for document in documents:
        made = render_one(target, document, settings)
        problems.extend(made.problems)
        file = File(document.file, document.file, "", (document.kind, document.name), document.is_facts)
        pieces.append((file, new_piece(made, "", made.problems)))
    joined = join(target, pieces, settings, "", None)
    return dict(joined.files), (*problems, *joined.problems)
