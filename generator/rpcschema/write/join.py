"""Join each target's pieces to whole files, and describe them for the manifest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rpcschema.model.nodes import Document
from rpcschema.problems import Problem, RenderError
from rpcschema.read.load import File
from rpcschema.settings import Settings
from rpcschema.targets import TARGETS, Collected, DocumentSummary, Files, Made, installed, load_target
from rpcschema.targets.clashes import clashes
from rpcschema.targets.render import attempt
from rpcschema.write.manifest import DocumentRecord, TargetEntry, sha256
from rpcschema.write.output import stays_inside


@dataclass(frozen=True, slots=True)
class Piece:
    """What a target made of one document."""

    record: DocumentRecord
    parts: Files
    files: Files = field(default_factory=dict)
    """The document's own files, if they were made now; those of an earlier run are in the output folder."""


@dataclass(frozen=True, slots=True)
class Joined:
    """The files of one target."""

    entry: TargetEntry
    files: Files
    """The files that were made now."""
    problems: tuple[Problem, ...] = ()


def new_piece(made: Made, sha256_of_document: str, warnings: Sequence[Problem]) -> Piece:
    """Return the piece that was just made of a document."""
    record = DocumentRecord(
        sha256=sha256_of_document,
        files={path: sha256(content) for path, content in made.files.items()},
        parts={path: len(part) for path, part in made.parts.items()},
        summary=made.summary,
        warnings=tuple((problem.pointer, problem.message, problem.detail) for problem in warnings),
    )
    return Piece(record, made.parts, made.files)


def join(  # noqa: PLR0913 # one parameter per input
    target: str,
    pieces: Sequence[tuple[File, Piece]],
    settings: Settings,
    maker: str,
    earlier: TargetEntry | None,
    *,
    documents: Sequence[Document] = (),
) -> Joined:
    """Return the files of `target`; those of `earlier`, an entry with intact files, if the documents are the same.

    `documents` is for a target of another package, which gets them all.
    """
    records = {file.name: piece.record for file, piece in pieces}
    files = {path: content for _, piece in pieces for path, content in piece.files.items()}
    if earlier is not None and earlier.documents == records:
        return Joined(earlier, files)
    if target in TARGETS:
        collected = _collect(target, [_summary(file, piece) for file, piece in pieces], settings)
    else:
        collected = _collect_installed(target, documents, settings)
    own = dict(collected.files)
    for path, frame in collected.frames.items():
        own[path] = frame.around(piece.parts[path] for _, piece in pieces if path in piece.parts)
    entry = TargetEntry(
        maker=maker,
        documents=records,
        files={path: sha256(content) for path, content in own.items()},
        frames={path: (len(frame.head), len(frame.between)) for path, frame in collected.frames.items()},
    )
    return Joined(entry, files | own, collected.problems)


def _collect(target: str, summaries: Sequence[DocumentSummary], settings: Settings) -> Collected:
    collection = load_target(target).collection
    if collection is None:
        return Collected()
    if problems := clashes(summaries):
        return Collected(problems=problems)
    collected = attempt(lambda: collection(summaries, settings), settings)
    if isinstance(collected, Collected):
        return collected
    return Collected(problems=(Problem("all documents", "", f"target {target} failed: {collected}"),))


def _collect_installed(target: str, documents: Sequence[Document], settings: Settings) -> Collected:
    """Return what a target of another package makes."""
    try:
        files = installed.render(target, documents, settings)
    except RenderError as error:
        return Collected(problems=(Problem("all documents", "", f"target {target} failed: {error}"),))
    message = f"target {target} makes a file whose path does not stay inside the output folder"
    faults = tuple(Problem("all documents", "", message, repr(path)) for path in files if not stays_inside(path))
    return Collected(files={} if faults else files, problems=faults)


def _summary(file: File, piece: Piece) -> DocumentSummary:
    kind, name = file.key or ("rpc", "")
    return DocumentSummary(file.path, kind, name, piece.record.summary)
