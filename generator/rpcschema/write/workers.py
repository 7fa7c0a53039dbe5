"""Documents at work, one after the other or in several processes: targets render them.

The number of processes changes no byte.
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
from threading import Thread
from typing import TYPE_CHECKING, Final, TypeAlias

from rpcschema.model.nodes import Document
from rpcschema.problems import Problem
from rpcschema.settings import Settings
from rpcschema.targets import Made, load_target
from rpcschema.targets.render import attempt
from rpcschema.write.interrupts import held_back, let_terminate

if TYPE_CHECKING:
    from rpcschema.targets.subject import Subject

_SLOW: Final = ("jinja2", "rpcschema.targets.subject")
_SLOW_FOR_CLASSES: Final = ("black", "datamodel_code_generator.config", "datamodel_code_generator.parser.jsonschema")
"""What tasks import, which takes longer than most tasks."""
_WORTH_A_PROCESS: Final = 10
"""Documents; fewer are done before another process has begun."""


@dataclass(frozen=True, slots=True)
class Task:
    """One document, and the targets that are to render it."""

    document: Document
    path: str
    """Its file as the user named it, for problems."""
    targets: Sequence[str]
    settings: Settings


Rendered: TypeAlias = Mapping[str, Made]
"""What was made of a document, by target."""


def run(task: Task) -> Rendered:
    """Does one task."""
    from rpcschema.targets.subject import Subject  # noqa: PLC0415 # slow to import

    subject = Subject(task.document, task.settings)
    return {target: _render(target, subject, task.path) for target in task.targets}


@contextmanager
def started(
    tasks: int, targets: Collection[str], jobs: int | None
) -> Iterator[Callable[[Sequence[Task]], Iterator[Rendered]]]:
    """Gives a function that does up to `tasks` tasks, each for some of `targets`; its results come in their order.

    `jobs` processes share the work, None is for as many as make sense. They get ready while the caller prepares the
    tasks. The function raises BrokenExecutor if one of them dies.
    """
    processes = _sensible(tasks) if jobs is None else min(jobs, tasks)
    if processes <= 1:
        yield lambda given: map(run, given)
        return
    with _pool(processes, targets) as pool:
        yield lambda given: (future.result() for future in [_submit(pool, task) for task in given])


def _render(target: str, subject: Subject, path: str) -> Made:
    made = attempt(lambda: load_target(target).document(subject))
    if isinstance(made, Made):
        return replace(made, problems=tuple(replace(problem, file=path) for problem in made.problems))
    return Made(problems=(Problem(path, "", f"target {target} failed: {made}"),))


def _sensible(tasks: int) -> int:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, tasks // _WORTH_A_PROCESS)


@contextmanager
def _pool(processes: int, targets: Collection[str]) -> Iterator[ProcessPoolExecutor]:
    """Processes that have ended when the block has, at once if it fails."""
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(processes, mp_context=_context(targets), initializer=_begin)
    try:
        yield pool
    except BaseException:
        for child in set(multiprocessing.active_children()) - others:
            child.kill()  # they write no files, and one that is just starting would not hear anything else
        raise
    finally:
        # Not to wait would leave that to the end of this process, where it can meet a pool that is half closed.
        pool.shutdown(cancel_futures=True)


def _context(targets: Collection[str]) -> multiprocessing.context.BaseContext:
    """Where it can be, processes are forked from one that has imported what is slow to import, once for all.

    This process itself is not forked: it may have threads.
    """
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    from multiprocessing import forkserver, resource_tracker  # noqa: PLC0415 # not for Windows

    context = multiprocessing.get_context("forkserver")
    renders_classes = not {"python", "client"}.isdisjoint(targets)
    context.set_forkserver_preload([__name__, *_SLOW, *(_SLOW_FOR_CLASSES if renders_classes else ())])
    resource_tracker.ensure_running()  # lets signals through when it has begun, so not held back
    with held_back():
        forkserver.ensure_running()  # or it would begin with the first task
    return context


def _begin() -> None:
    let_terminate()  # the pool ends its processes so; Ctrl-C is for the one that waits for them
    # What was imported stays, and so does most of what is made.
    gc.freeze()
    gc.set_threshold(50_000)
    # Else it would wait for work for ever if the process that it works for is killed.
    Thread(target=_end_with_the_parent, daemon=True).start()


def _end_with_the_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _submit(pool: ProcessPoolExecutor, task: Task) -> Future[Rendered]:
    with held_back():  # this may start a process, and only the one that waits for it is to be interrupted
        return pool.submit(run, task)
