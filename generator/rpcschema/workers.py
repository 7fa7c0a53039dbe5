"""Files at work, one after the other or in several processes: each is loaded, and targets render its document.

The number of processes changes no byte.
"""

from __future__ import annotations

import gc
import multiprocessing
import multiprocessing.context
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from rpcschema.interrupts import held_back
from rpcschema.load import File, load_file
from rpcschema.model.nodes import Document
from rpcschema.problems import Problem
from rpcschema.render import attempt
from rpcschema.settings import Settings
from rpcschema.targets import Made, load_target

_SLOW: Final = ("jinja2", "jsonschema", "markdown_it")
_SLOW_FOR_PYTHON: Final = ("black", "datamodel_code_generator.config", "datamodel_code_generator.parser.openapi")
"""What tasks import, which takes longer than most tasks."""
_WORTH_A_PROCESS: Final = 10
"""Files; fewer are done before another process has begun."""


@dataclass(frozen=True, slots=True)
class Task:
    """One file, and the targets that are to render its document."""

    file: File
    targets: Sequence[str]
    settings: Settings


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a task."""

    sha256: str = ""
    """Of the bytes that were read, in hexadecimal."""
    made: Mapping[str, Made] = field(default_factory=dict)
    """By target; nothing if the file holds no document."""
    problems: tuple[Problem, ...] = ()
    """What was met in loading; files in these and in what was made are as the user named them."""


def run(task: Task) -> Result:
    """Does one task."""
    source, problems = load_file(task.file)
    if source is None:
        return Result(problems=problems)
    made = {target: _render(source.document, target, task) for target in task.targets}
    return Result(source.sha256, made, problems)


def run_all(tasks: Sequence[Task], jobs: int | None) -> Iterator[Result]:
    """The results, in order, worked out by `jobs` processes; None is for as many as make sense.

    Raises BrokenExecutor if one of the processes dies.
    """
    processes = _sensible(len(tasks)) if jobs is None else min(jobs, len(tasks))
    if processes <= 1:
        yield from map(run, tasks)
        return
    with _pool(processes, {target for task in tasks for target in task.targets}) as pool:
        for future in [_submit(pool, task) for task in tasks]:
            yield future.result()


def _render(document: Document, target: str, task: Task) -> Made:
    made = attempt(lambda: load_target(target).document(document, task.settings))
    if isinstance(made, Made):
        return replace(made, problems=tuple(replace(problem, file=task.file.path) for problem in made.problems))
    return Made(problems=(Problem(task.file.path, "", f"target {target} failed: {made}"),))


def _sensible(tasks: int) -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, tasks // _WORTH_A_PROCESS)


@contextmanager
def _pool(processes: int, targets: Collection[str]) -> Iterator[ProcessPoolExecutor]:
    """Processes that end with the block, at once if it fails."""
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(processes, mp_context=_context(targets), initializer=_begin)
    try:
        yield pool
    except BaseException:
        for child in set(multiprocessing.active_children()) - others:
            child.terminate()
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _context(targets: Collection[str]) -> multiprocessing.context.BaseContext:
    """Where it can be, processes are forked from one that has imported what is slow to import, once for all.

    This process itself is not forked: it may have threads.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, *_SLOW, *(_SLOW_FOR_PYTHON if "python" in targets else ())])
    return context


def _begin() -> None:
    # What was imported stays, and so does most of what is made.
    gc.freeze()
    gc.set_threshold(50_000)


def _submit(pool: ProcessPoolExecutor, task: Task) -> Future[Result]:
    with held_back():  # this may start a process, and only the one that waits for it is to be interrupted
        return pool.submit(run, task)
