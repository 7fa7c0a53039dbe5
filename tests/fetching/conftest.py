"""Nodes in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.shared import ROOT

Start = Callable[..., str]


@contextmanager
def running(*arguments: object, kind: str = "node") -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run a node (`tests.fetching.node`, or `hostile`); return its address and its process."""
    command = [sys.executable, "-m", f"tests.fetching.{kind}", *map(str, arguments)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            assert address, f"{command} did not start"
            yield address, process
        finally:
            process.kill()


@pytest.fixture
def start() -> Iterator[Start]:
    """Return a function that starts a node as `running` does, and returns its address."""
    with ExitStack() as stack:
        yield lambda *arguments, **given: stack.enter_context(running(*arguments, **given))[0]
