"""The command `sync`: update a folder of facts from another checkout of Core Lightning.

The facts come from upstream, the words are ours. Nothing is written here: the result is a list of changed files, and
the caller writes none of them if there is an error, because half of a release is worse than an old one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rpcschema.facts import compare
from rpcschema.facts.reduce import Words, facts, lost, place_words, placeholder, to_bytes, words_of
from rpcschema.model.build import build
from rpcschema.model.nodes import KIND_FOLDERS, Document
from rpcschema.problems import Problem, has_errors
from rpcschema.read.corrections import NONE, Corrections
from rpcschema.read.load import Loaded, load
from rpcschema.write import output
from rpcschema.write.output import Change


@dataclass(frozen=True, slots=True)
class Synced:
    """The changes to write, and the report about them."""

    changes: tuple[Change, ...] = ()
    """Paths are relative to the folder of facts; none if there are errors."""
    report: tuple[str, ...] = ()
    """Readable lines: what was added, removed and changed, document by document."""
    problems: tuple[Problem, ...] = ()


def sync(upstream: Path, folder: Path, corrections: Corrections = NONE) -> Synced:
    """Return the changes that bring `folder` to the facts of `upstream`, a checkout of Core Lightning or its documents.

    The report also names the `corrections` that no longer apply.

    Raises OutputError or OSError if the folder cannot be used.
    """
    if upstream.is_file():  # all other facts would be removed
        message = "a file; expected a checkout of Core Lightning, or the folder of all its documents"
        return Synced(problems=(Problem(str(upstream), "", message),))
    nested = upstream / "doc" / "schemas"
    theirs = load([nested if nested.is_dir() else upstream])
    ours = load([folder]) if folder.is_dir() and any(folder.rglob("*.json")) else Loaded((), ())
    problems = (*theirs.problems, *ours.problems, *_written_by_hand(ours, folder), *corrections.problems)
    if has_errors(problems):
        return Synced(problems=problems)
    new = {(each.kind, each.name): each for each in theirs.documents}
    old = {(each.kind, each.name): each for each in ours.documents}
    words = {key: words_of(old[key]) if key in old else Words(title=placeholder(new[key])) for key in new}
    made = {_path(document): facts(document, words[key]) for key, document in new.items()}
    wanted = {path: to_bytes(raw) for path, raw in made.items()}
    changes = output.compare(folder, wanted, [document.file for document in old.values()])
    report = [line for key, document in old.items() if key not in new for line in _removed(document)]
    for change in changes:
        if change.new is not None:
            after = build(made[change.path], change.path)
            key = (after.kind, after.name)
            report.extend(_reported(old.get(key), after, words[key]))
    outdated = corrections.outdated({key: made[_path(document)] for key, document in new.items()})
    report.extend(f"{each.file}: {each.message}" for each in outdated)
    return Synced(changes, tuple(report), problems)


def _path(document: Document) -> str:
    return f"{KIND_FOLDERS[document.kind]}{document.name}.json"


def _written_by_hand(ours: Loaded, folder: Path) -> Iterator[Problem]:
    """Yield an error for each document in the folder that holds more than facts, because the rest would be lost."""
    for source in ours.sources:
        if not source.document.is_facts:
            message = f"a document in full, which sync does not replace; is {folder} the folder of facts?"
            yield Problem(source.path, "", message)


def _removed(document: Document) -> Iterator[str]:
    """Yield the report on a removed document. It keeps the words, in case the document was only renamed."""
    yield f"removed {document.kind} {document.name}"
    words = words_of(document)
    if words.title != placeholder(document):
        yield f"    ! words dropped, for their document is gone: title: {words.title}"
    described = {("description",): words.description, **words.fields}
    for place, lines in described.items():
        if lines:
            yield f"    ! words dropped, for their document is gone: {place_words(place)}: {' '.join(lines)}"


def _reported(old: Document | None, new: Document, words: Words) -> Iterator[str]:
    """Yield the report on a document that is written; `old` and `new` are reduced to facts."""
    if old is None:
        yield f"added {new.kind} {new.name}: it needs a title and descriptions of our own"
        return
    yield f"changed {new.kind} {new.name}"
    lines = [*compare.changes(old, new), *_dropped(words, new)]
    yield from (f"    {line}" for line in lines or ["~ written differently, with the same meaning"])


def _dropped(words: Words, new: Document) -> Iterator[str]:
    for place in lost(words, new):
        yield f"! words dropped, for their field is gone: {place_words(place)}: {' '.join(words.fields[place])}"
