"""Compute the changes that an output folder needs, from the documents.

`write.reuse` keeps what an earlier run made and is still valid. `read.load` loads the other documents, `write.workers`
renders their pieces with each target, `write.join` joins each target's pieces to whole files, and `write.output`
compares these with the folder. This module writes nothing. After an error it returns no changes, unless the caller
asked to keep going: a package with a missing part is worse than an old one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from rpcschema.model.nodes import Document
from rpcschema.problems import Level, Problem, has_errors
from rpcschema.read.corrections import NONE, Corrections, read_corrections
from rpcschema.read.load import File, find_files, load_file
from rpcschema.settings import Settings
from rpcschema.targets import FULL_DOCUMENTS_ONLY, TARGETS, Made
from rpcschema.write import manifest, output
from rpcschema.write.join import Joined, Piece, join, new_piece
from rpcschema.write.manifest import Manifest, TargetEntry, maker, maker_of
from rpcschema.write.output import Change, OutputError
from rpcschema.write.reuse import Reusable, all_or_nothing, find_reusable
from rpcschema.write.workers import Task, worker_pool

Progress: TypeAlias = Callable[[int, int], None]
"""Called with (documents done, all documents) after each document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What to generate, and how."""

    roots: Sequence[Path]
    out: Path
    settings: Settings
    targets: Sequence[str]
    """The targets to bring up to date."""
    corrections: Path | None = None
    """The table of corrections, if there is one."""
    keeps_others: bool = False
    """Whether to keep the files of other targets."""
    trusts_manifest: bool = True
    """Whether to keep unchanged files that the manifest calls up to date; otherwise everything is made again."""
    jobs: int | None = None
    """The number of processes; None chooses it. The output does not depend on it."""
    keeps_going: bool = False
    """Whether to leave out documents with errors, as if they did not exist; otherwise an error stops the run."""


@dataclass(frozen=True, slots=True)
class Generated:
    """All problems, sorted, and the changes; None if an error stopped the run."""

    problems: tuple[Problem, ...]
    changes: tuple[Change, ...] | None = None
    skipped: tuple[str, ...] = ()
    """The files of documents that were left out because of their errors."""


def generate(run: Run, progress: Progress = lambda *_: None) -> Generated:
    """Return the changes that bring the output folder up to date.

    Raises OutputError if the folder cannot be used or holds another package, OSError if it cannot be read, and
    BrokenExecutor if a worker process died.
    """
    before = manifest.read(run.out)
    package = run.settings.package
    if before.package is not None and before.package != package:  # this run would remove its files
        raise OutputError(
            f"{run.out} holds the package {before.package}: choose another --out for {package}, or remove {run.out} to"
            " rename the package"
        )
    corrections = NONE if run.corrections is None else read_corrections(run.corrections)
    met: list[Problem] = []
    skipped: frozenset[str] = frozenset()
    while True:
        found = find_files(run.roots, corrections, without=skipped)
        joined, problems = _join(before, found.files, corrections, run, progress)
        problems = [*found.problems, *problems]
        met.extend(problems)
        faulty = {problem.file for problem in problems if problem.level is Level.ERROR}
        if not faulty and found.files:
            return Generated(_sorted(met), _changes(before, joined, run), tuple(sorted(skipped)))
        if not run.keeps_going or not faulty or not faulty <= found.paths:
            return Generated(_sorted(met))
        skipped |= faulty  # start again without them


def _join(
    before: Manifest, files: Sequence[File], corrections: Corrections, run: Run, progress: Progress
) -> tuple[dict[str, Joined], list[Problem]]:
    """Return the joined files by target, none after an error, and the problems of the documents in `files`."""
    generator = maker(run.settings)
    makers = {target: maker_of(target, generator) for target in run.targets}
    reusable = _reusable(before, makers, files, run)
    made, documents, met = _make_missing(reusable, files, corrections, run, progress)
    problems = [*met, *_known_warnings(reusable, files)]
    joined: dict[str, Joined] = {}
    if has_errors(problems):
        return joined, problems
    for target in run.targets:
        pieces = {**reusable[target].pieces, **made[target]}
        ordered = [(file, pieces[file.name]) for file in files if _covers(target, file)]
        joined[target] = join(
            target, ordered, run.settings, makers[target], reusable[target].entry, documents=documents
        )
        problems.extend(joined[target].problems)
    return joined, [*problems, *_made_twice(_entries(before, joined, run), files)]


def _reusable(before: Manifest, makers: Mapping[str, str], files: Sequence[File], run: Run) -> dict[str, Reusable]:
    """Return, by target, what is still valid from an earlier run."""
    entries = before.targets if run.trusts_manifest else {}
    reusable = {}
    for target in run.targets:
        entry = entries.get(target)
        if entry is None or entry.maker != makers[target]:
            reusable[target] = Reusable()
        else:
            found = find_reusable(run.out, entry, [file for file in files if _covers(target, file)])
            reusable[target] = found if target in TARGETS else all_or_nothing(found, files)
    return reusable


def _covers(target: str, file: File) -> bool:
    return not (file.is_facts and target in FULL_DOCUMENTS_ONLY)


def _known_warnings(reusable: Mapping[str, Reusable], files: Sequence[File]) -> Iterator[Problem]:
    """Yield the warnings of the pieces that are still valid: they still hold too."""
    paths = {file.name: file.path for file in files}
    for each in reusable.values():
        for name, piece in each.pieces.items():
            for pointer, message, detail in piece.record.warnings:
                yield Problem(paths[name], pointer, message, detail, Level.WARNING)


def _make_missing(
    reusable: Mapping[str, Reusable],
    files: Sequence[File],
    corrections: Corrections,
    run: Run,
    progress: Progress,
) -> tuple[dict[str, dict[str, Piece]], list[Document], list[Problem]]:
    """Return the pieces that must be made, by target and "KIND/ID", their documents, and the problems of these.

    A target of another package gets whole documents, so its pieces are empty.
    """
    made: dict[str, dict[str, Piece]] = {target: {} for target in reusable}
    lacking = {file: targets for file in files if (targets := _lacking(reusable, file))}
    ours = {file: [target for target in targets if target in TARGETS] for file, targets in lacking.items()}
    with worker_pool(sum(map(bool, ours.values())), set(chain.from_iterable(ours.values())), run.jobs) as run_all:
        loaded = {file: load_file(file, corrections) for file in lacking}
        problems = [problem for _, met in loaded.values() for problem in met]
        if run.keeps_going and has_errors(problems):
            return made, [], problems
        sources = {file: source for file, (source, _) in loaded.items() if source is not None}
        tasks = [Task(source.document, file.path, ours[file], run.settings) for file, source in sources.items()]
        results = zip(sources.items(), run_all(tasks), strict=True)
        for done, ((file, source), rendered) in enumerate(results, 1):
            _, met = loaded[file]
            for target, each in {**dict.fromkeys(lacking[file], Made()), **rendered}.items():
                problems.extend(each.problems)
                made[target][file.name] = new_piece(each, source.sha256, (*met, *each.problems))
            progress(done, len(tasks))
    return made, [source.document for source in sources.values()], problems


def _lacking(reusable: Mapping[str, Reusable], file: File) -> list[str]:
    """Return the targets that have no valid piece of the document in `file`."""
    return [name for name in reusable if _covers(name, file) and file.name not in reusable[name].pieces]


def _entries(before: Manifest, joined: Mapping[str, Joined], run: Run) -> dict[str, TargetEntry]:
    """Return what belongs into the output folder: what was joined, and what the run leaves as it is."""
    others = {name: entry for name, entry in before.targets.items() if run.keeps_others and name not in joined}
    return {**others, **{target: each.entry for target, each in joined.items()}}


def _made_twice(entries: Mapping[str, TargetEntry], files: Sequence[File]) -> Iterator[Problem]:
    """Yield an error for each path that two makers need, as a file or as a folder: neither may win."""
    paths = {file.name: file.path for file in files}
    makers = {manifest.NAME: "the generator"}
    folders: dict[str, str] = {}
    for target, entry in entries.items():
        made = [(path, paths.get(name, name)) for name, record in entry.documents.items() for path in record.files]
        for path, source in (*made, *((path, "") for path in entry.files)):
            step = f"target {target} ({source})" if source else f"target {target}"
            # Many file systems do not distinguish `A` from `a`.
            other = makers.setdefault(path.casefold(), step)
            if other != step:
                yield Problem(source or path, "", f"{other} and {step} both make the file {path}")
            folders |= {parent.as_posix(): step for parent in PurePosixPath(path.casefold()).parents}
    for path, step in makers.items():
        if path in folders:
            yield Problem(path, "", f"{step} makes the file {path}, which is a folder for {folders[path]}")


def _changes(before: Manifest, joined: Mapping[str, Joined], run: Run) -> tuple[Change, ...]:
    after = Manifest(_entries(before, joined, run), run.settings.package)
    if after == before and not any(each.files for each in joined.values()):
        return ()
    wanted = {path: content for each in joined.values() for path, content in each.files.items()}
    left_alone = {path for entry in after.targets.values() for path in entry.paths} - wanted.keys()
    previous = {path for entry in before.targets.values() for path in entry.paths}
    wanted[manifest.NAME] = after.encode()
    return output.compare(run.out, wanted, previous - left_alone | {manifest.NAME})


def _sorted(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(set(problems)))
