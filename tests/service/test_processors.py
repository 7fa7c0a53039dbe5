"""The threads of a server stay on one processor, which the system chooses among those that it may use."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.service.program import Program, Wire, children, until
from tests.service.worst import rune

if sys.platform != "linux":
    pytest.skip("only Linux can be told where threads run", allow_module_level=True)

needs_two = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="there is one processor only")


def processors(process: int) -> set[frozenset[int]]:
    """Where the threads of a process may run, each difference once."""
    tasks = Path(f"/proc/{process}/task").iterdir()
    return {frozenset(os.sched_getaffinity(int(task.name))) for task in tasks}


def are_together(process: int) -> bool:
    found = processors(process)
    return len(found) == 1 and len(*found) == 1


@contextmanager
def on_one_processor() -> Iterator[int]:
    """Start processes that may use one processor only."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield max(before)
    finally:
        os.sched_setaffinity(0, before)


@needs_two
def test_the_threads_of_a_server_are_kept_together_and_let_go_now_and_then(program: Program) -> None:
    everywhere = {frozenset(os.sched_getaffinity(0))}
    with program.served() as server:
        for _ in range(2):
            until(lambda: are_together(server.pid))
            until(lambda: processors(server.pid) == everywhere)


@needs_two
def test_the_process_that_decodes_long_strings_may_run_elsewhere(program: Program) -> None:
    with program.served() as server, Wire(program.socket) as wire:
        until(lambda: are_together(server.pid))
        assert "result" in wire.ask("decode", [rune(1_000)])
        [process] = children(server.pid)
        assert processors(process) == {frozenset(os.sched_getaffinity(0))}


def test_a_server_stays_where_it_was_started(program: Program) -> None:
    with on_one_processor() as only, program.served() as server, Wire(program.socket) as wire:
        assert "result" in wire.ask("decode", [rune(1_000)])
        for process in (server.pid, *children(server.pid)):
            assert processors(process) == {frozenset([only])}
