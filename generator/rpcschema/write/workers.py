"""Render documents with their targets, one after the other or in several processes.

The number of processes does not change the output.
"""

from __future__ import annotations

import gc
import multiprocessing
import multiprocessing.context
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import count
from threading import Thread
from typing import TYPE_CHECKING, Final, TypeAlias

from rpcschema.model.nodes import Document
from rpcschema.problems import Problem
from rpcschema.settings import Settings
from rpcschema.targets import Made, load_target
from rpcschema.targets.render import attempt
from rpcschema.write.interrupts import signals_blocked, unblock_sigterm

if TYPE_CHECKING:
    from rpcschema.targets.subject import Subject

_SLOW: Final = ("jinja2", "rpcschema.targets.subject")
_SLOW_FOR_CLASSES: Final = ("black", "datamodel_code_generator.config", "datamodel_code_generator.parser.jsonschema")
"""Imports of tasks, which take longer than most tasks."""
_WORTH_A_PROCESS: Final = 10
"""Documents per process; fewer are finished before another process has started."""
_TASKS_PER_COLLECTION: Final = 60
"""Python would collect garbage far more often, which takes a twelfth of the time; a task leaves 250 kB."""
_tasks_begun: Final = count(1)


@dataclass(frozen=True, slots=True)
class Task:
    """One document, and the targets that are to render it."""

    document: Document
    path: str
    """The file as the user gave it, for problems."""
    targets: Sequence[str]
    settings: Settings


Rendered: TypeAlias = Mapping[str, Made]
"""What was made of a document, by target."""


def run(task: Task) -> Rendered:
    """Render one document."""
    from rpcschema.targets.subject import Subject  # noqa: PLC0415 # 0085: slow

    subject = Subject(task.document, task.settings)
    return {target: _render(target, subject, task.path) for target in task.targets}


@contextmanager
def worker_pool(
    tasks: int, targets: Collection[str], jobs: int | None
) -> Iterator[Callable[[Sequence[Task]], Iterator[Rendered]]]:
    """Yield a function that runs up to `tasks` tasks for `targets`; it returns their results in order.

    `jobs` processes share the work; None chooses a number. They start while the caller prepares the tasks. The function
    raises BrokenExecutor if a process dies.
    """
    processes = _sensible(tasks) if jobs is None else min(jobs, tasks)
    if processes <= 1:
        yield lambda given: map(run, given)
        return
    with _pool(processes, targets) as pool:
        yield lambda given: (future.result() for future in [_submit(pool, task) for task in given])


def _render(target: str, subject: Subject, path: str) -> Made:
    made = attempt(lambda: load_target(target).document(subject), subject.settings)
    if isinstance(made, Made):
        return replace(made, problems=tuple(replace(problem, file=path) for problem in made.problems))
    return Made(problems=(Problem(path, "", f"target {target} failed: {made}"),))


def _sensible(tasks: int) -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, tasks // _WORTH_A_PROCESS)


@contextmanager
def _pool(processes: int, targets: Collection[str]) -> Iterator[ProcessPoolExecutor]:
    """Yield worker processes, which end with the block, and at once if it fails."""
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(processes, mp_context=_context(targets), initializer=_begin)
    try:
        yield pool
    except BaseException:
        for child in set(multiprocessing.active_children()) - others:
            child.kill()  # they write no files, and a starting process ignores anything else
        raise
    finally:
        # Without waiting, this process could end with a half-closed pool.
        pool.shutdown(cancel_futures=True)


def _context(targets: Collection[str]) -> multiprocessing.context.BaseContext:
    """Return a context that forks processes, where possible, from one that has already imported the slow modules.

    This process itself is never forked, because it may have threads.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    from multiprocessing import forkserver, resource_tracker  # noqa: PLC0415 # 0085: platform

    context = multiprocessing.get_context("forkserver")
    renders_classes = not {"python", "client"}.isdisjoint(targets)
    context.set_forkserver_preload([__name__, *_SLOW, *(_SLOW_FOR_CLASSES if renders_classes else ())])
    resource_tracker.ensure_running()  # it unblocks signals when it has started, so signals must not be blocked
    with signals_blocked():
        forkserver.ensure_running()  # or it would start with the first task
    return context


def _begin() -> None:
    unblock_sigterm()  # the pool ends its processes by SIGTERM; Ctrl-C is for the main process
    gc.disable()  # see _run_and_collect
    # Otherwise it would wait forever for work if the main process is killed.
    Thread(target=_end_with_the_parent, daemon=True).start()


def _end_with_the_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run_and_collect(task: Task) -> Rendered:
    """Run a task in a worker process, and collect garbage now and then."""
    if next(_tasks_begun) % _TASKS_PER_COLLECTION == 0:
        gc.collect(0)
    return run(task)


def _submit(pool: ProcessPoolExecutor, task: Task) -> Future[Rendered]:
    with signals_blocked():  # this may start a process, and only the main process should be interrupted
        return pool.submit(_run_and_collect, task)
