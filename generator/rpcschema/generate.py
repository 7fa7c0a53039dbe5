"""From documents to the changes that an output folder needs.

What stands from an earlier run is kept (`write.reuse`), the other documents are loaded (`read.load`), of these the
targets make pieces (`write.workers`), each target's pieces are joined to whole files (`write.join`), and all is
compared with what is there (`write.output`). Nothing here writes, and after an error nothing is to be written unless
that was asked for: a package of which a part is missing is worse than an old one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TypeAlias

from rpcschema.problems import Level, Problem, has_errors
from rpcschema.read.corrections import NONE, Corrections, read_corrections
from rpcschema.read.load import File, find, load_file
from rpcschema.settings import Settings
from rpcschema.targets import FULL_DOCUMENTS_ONLY
from rpcschema.write import manifest, output
from rpcschema.write.join import Joined, Piece, join, new_piece
from rpcschema.write.manifest import Manifest, maker
from rpcschema.write.output import Change
from rpcschema.write.reuse import Standing, standing
from rpcschema.write.workers import Task, started

Progress: TypeAlias = Callable[[int, int], None]
"""Is told (documents done, documents in all) after each document."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What is to be generated, and how."""

    roots: Sequence[Path]
    out: Path
    settings: Settings
    targets: Sequence[str]
    """Those to bring up to date."""
    corrections: Path | None = None
    """The file that says what nodes do otherwise than the documents say, if there is one."""
    keeps_others: bool = False
    """Whether the files of other targets are left alone, or removed."""
    trusts_manifest: bool = True
    """Whether what the manifest calls up to date is kept, if its files are as they were made; else all is made anew."""
    jobs: int | None = None
    """How many processes share the work, None for as many as make sense; no byte depends on it."""
    keeps_going: bool = False
    """Whether documents with errors are left out, as if they were not there, or stop everything."""


@dataclass(frozen=True, slots=True)
class Generated:
    """All that was met, sorted, and what is to be changed, which cannot be said if an error stopped everything."""

    problems: tuple[Problem, ...]
    changes: tuple[Change, ...] | None = None
    skipped: tuple[str, ...] = ()
    """The files of documents that were left out because of their errors."""


def generate(run: Run, progress: Progress = lambda *_: None) -> Generated:
    """The changes that bring the output folder up to date.

    Raises OutputError for a folder that cannot be worked on, OSError for one that cannot be read, BrokenExecutor if a
    process that shared the work died.
    """
    before = manifest.read(run.out)
    corrections = NONE if run.corrections is None else read_corrections(run.corrections)
    met: list[Problem] = []
    skipped: frozenset[str] = frozenset()
    while True:
        found = find(run.roots, corrections, without=skipped)
        joined, problems = _join(before, found.files, corrections, run, progress)
        problems = [*found.problems, *problems]
        met.extend(problems)
        faulty = {problem.file for problem in problems if problem.level is Level.ERROR}
        if not faulty and found.files:
            return Generated(_sorted(met), _changes(before, joined, run), tuple(sorted(skipped)))
        if not run.keeps_going or not faulty or not faulty <= found.paths:
            return Generated(_sorted(met))
        skipped |= faulty  # and all over again, as if they were not there


def _join(
    before: Manifest, files: Sequence[File], corrections: Corrections, run: Run, progress: Progress
) -> tuple[dict[str, Joined], list[Problem]]:
    """What becomes of each target, none of them after an error, and what is wrong with the documents in `files`."""
    made_by = maker(run.settings)
    stands = _standing(before, made_by, files, run)
    made, met = _make_missing(stands, files, corrections, run, progress)
    problems = [*met, *_known_warnings(stands, files)]
    joined: dict[str, Joined] = {}
    if has_errors(problems):
        return joined, problems
    for target in run.targets:
        pieces = {**stands[target].pieces, **made[target]}
        ordered = [(file, pieces[file.name]) for file in files if _covers(target, file)]
        joined[target] = join(target, ordered, run.settings, made_by, stands[target].entry)
        problems.extend(joined[target].problems)
    return joined, [*problems, *_made_twice(joined, files)]


def _standing(before: Manifest, made_by: str, files: Sequence[File], run: Run) -> dict[str, Standing]:
    """What need not be made again, by target."""
    entries = before.targets if run.trusts_manifest else {}
    stands = {}
    for target in run.targets:
        entry = entries.get(target)
        if entry is None or entry.maker != made_by:
            stands[target] = Standing()
        else:
            stands[target] = standing(run.out, entry, [file for file in files if _covers(target, file)])
    return stands


def _covers(target: str, file: File) -> bool:
    return not (file.is_facts and target in FULL_DOCUMENTS_ONLY)


def _known_warnings(stands: Mapping[str, Standing], files: Sequence[File]) -> Iterator[Problem]:
    """What was met when the pieces that stand were made: it is as true as then."""
    paths = {file.name: file.path for file in files}
    for each in stands.values():
        for name, piece in each.pieces.items():
            for pointer, message, detail in piece.record.warnings:
                yield Problem(paths[name], pointer, message, detail, Level.WARNING)


def _make_missing(
    stands: Mapping[str, Standing],
    files: Sequence[File],
    corrections: Corrections,
    run: Run,
    progress: Progress,
) -> tuple[dict[str, dict[str, Piece]], list[Problem]]:
    """The pieces that do not stand, by target and "KIND/ID", and what was wrong with their documents."""
    made: dict[str, dict[str, Piece]] = {target: {} for target in stands}
    lacking = {file: targets for file in files if (targets := _lacking(stands, file))}
    with started(len(lacking), set(chain.from_iterable(lacking.values())), run.jobs) as run_all:
        loaded = {file: load_file(file, corrections) for file in lacking}
        problems = [problem for _, met in loaded.values() for problem in met]
        if run.keeps_going and has_errors(problems):
            return made, problems
        sources = {file: source for file, (source, _) in loaded.items() if source is not None}
        tasks = [Task(source.document, file.path, lacking[file], run.settings) for file, source in sources.items()]
        results = zip(sources.items(), run_all(tasks), strict=True)
        for done, ((file, source), rendered) in enumerate(results, 1):
            _, met = loaded[file]
            for target, each in rendered.items():
                problems.extend(each.problems)
                made[target][file.name] = new_piece(each, source.sha256, (*met, *each.problems))
            progress(done, len(tasks))
    return made, problems


def _lacking(stands: Mapping[str, Standing], file: File) -> list[str]:
    """The targets of which no piece of the document in `file` stands."""
    return [name for name in stands if _covers(name, file) and file.name not in stands[name].pieces]


def _made_twice(joined: Mapping[str, Joined], files: Sequence[File]) -> Iterator[Problem]:
    """An error for each file that two makers make: neither may win."""
    paths = {file.name: file.path for file in files}
    makers: dict[str, str] = {}
    for target, each in joined.items():
        made = [(path, paths[name]) for name, record in each.entry.documents.items() for path in record.files]
        for path, source in (*made, *((path, "") for path in each.entry.files)):
            step = f"target {target} ({source})" if source else f"target {target}"
            # Many file systems, and so the users of a package, know no difference between `A` and `a`.
            other = makers.setdefault(path.casefold(), step)
            if other != step:
                yield Problem(source or path, "", f"{other} and {step} both make the file {path}")


def _changes(before: Manifest, joined: Mapping[str, Joined], run: Run) -> tuple[Change, ...]:
    others = {name: entry for name, entry in before.targets.items() if run.keeps_others and name not in joined}
    after = Manifest({**others, **{target: each.entry for target, each in joined.items()}})
    if after == before and not any(each.files for each in joined.values()):
        return ()
    wanted = {path: content for each in joined.values() for path, content in each.files.items()}
    left_alone = {path for entry in after.targets.values() for path in entry.paths} - wanted.keys()
    previous = {path for entry in before.targets.values() for path in entry.paths}
    wanted[manifest.NAME] = after.encode()
    return output.compare(run.out, wanted, previous - left_alone | {manifest.NAME})


def _sorted(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(set(problems)))
