"""From documents to the changes that an output folder needs: all targets are rendered in memory, then compared.

Nothing here writes. Whoever does must not write if any document or target has an error: a package of which a part is
missing is worse than an old one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path
from typing import TypeAlias

from rpcschema import manifest, output
from rpcschema.load import Loaded
from rpcschema.manifest import Entry, Manifest
from rpcschema.model.nodes import Document
from rpcschema.output import Change
from rpcschema.problems import Problem, RenderError
from rpcschema.render import template_errors
from rpcschema.settings import Settings
from rpcschema.targets import Rendered, load_target

Progress: TypeAlias = Callable[[int, int], None]
"""Is told (steps done, steps in all) after each step."""


@dataclass(frozen=True, slots=True)
class Made:
    """What the targets made, in memory: each target's files by path, and what could not be expressed."""

    files: Mapping[str, Mapping[str, bytes]]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class _Step:
    """One call of a target: for one document, or for all of them."""

    target: str
    document: Document | None
    call: Callable[[], Rendered]

    def __str__(self) -> str:
        return f"target {self.target}" + (f" ({self.document.file})" if self.document else "")


def render(
    loaded: Loaded, settings: Settings, targets: Sequence[str], *, jobs: int = 1, progress: Progress | None = None
) -> Made:
    """All files of `targets` for the documents; `jobs` processes share the work, and their number changes no byte.

    Two steps that make the same file are a problem too: neither may win.
    """
    files: dict[str, dict[str, bytes]] = {target: {} for target in targets}
    makers: dict[str, _Step] = {}
    problems: list[Problem] = []
    steps = _steps(loaded.documents, settings, targets)
    for done, (step, rendered) in enumerate(zip(steps, _run(steps, jobs), strict=True), 1):
        problems.extend(rendered.problems)
        for path, content in rendered.files.items():
            # Many file systems, and so the users of a package, know no difference between `A` and `a`.
            other = makers.setdefault(path.casefold(), step)
            if other is not step:
                message = f"{other} and {step} both make the file {path}"
                problems.append(Problem(step.document.file if step.document else path, "", message))
            files[step.target][path] = content
        if progress is not None:
            progress(done, len(steps))
    return Made(files, tuple(_as_named(problems, loaded)))


def changes(loaded: Loaded, settings: Settings, out: Path, made: Made, *, keep_others: bool) -> tuple[Change, ...]:
    """What to change in `out` so that it holds what was made of `loaded`, and the manifest that says so.

    Files of targets that made nothing now are left alone if `keep_others`, else removed. Raises OutputError for a
    folder that cannot be worked on, OSError for one that cannot be read.
    """
    before = manifest.read(out).targets
    documents = {f"{source.document.kind}/{source.document.name}": source.sha256 for source in loaded.sources}
    after = {name: entry for name, entry in before.items() if keep_others and name not in made.files}
    kept = {path for entry in after.values() for path in entry.files}
    for name, files in made.files.items():
        after[name] = Entry(
            generator=version("clnrpc"),
            package=settings.package,
            documents=documents,
            files={path: manifest.sha256(content) for path, content in files.items()},
        )
    wanted = {path: content for files in made.files.values() for path, content in files.items()}
    wanted[manifest.NAME] = Manifest(after).encode()
    previous = {path for entry in before.values() for path in entry.files}
    return output.compare(out, wanted, previous - kept | {manifest.NAME})


def _steps(documents: Sequence[Document], settings: Settings, targets: Sequence[str]) -> list[_Step]:
    steps: list[_Step] = []
    for name in targets:
        target = load_target(name)
        covered = [document for document in documents if target.covers_facts or not document.is_facts]
        if target.document is not None:
            steps.extend(_Step(name, document, partial(target.document, document, settings)) for document in covered)
        if target.collection is not None:
            steps.append(_Step(name, None, partial(target.collection, covered, settings)))
    return steps


def _run(steps: Sequence[_Step], jobs: int) -> Iterator[Rendered]:
    """What each step makes, in order."""
    if jobs == 1:
        yield from map(_call, steps)
        return
    # Spawned, not forked: this process may have threads, and every system can do it.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        elsewhere = pool.map(_call, (step for step in steps if step.document is not None), chunksize=8)
        for step in steps:
            yield _call(step) if step.document is None else next(elsewhere)


def _call(step: _Step) -> Rendered:
    try:
        with template_errors():
            return step.call()
    except RenderError as error:
        where = step.document.file if step.document else "all documents"
        return Rendered(problems=(Problem(where, "", f"target {step.target} failed: {error}"),))


def _as_named(problems: Sequence[Problem], loaded: Loaded) -> list[Problem]:
    """The targets' problems with files as the user named them."""
    paths = {source.document.file: source.path for source in loaded.sources}
    # Several targets may meet the same fault.
    return sorted({replace(problem, file=paths.get(problem.file, problem.file)) for problem in problems})
