"""Nodes in processes of their own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.shared import ROOT

Start = Callable[..., str]


@pytest.fixture
def start() -> Iterator[Start]:
    """Return a function that starts a node (`tests.fetching.node`, or `hostile`) and returns its address."""
    with ExitStack() as stack:

        def run(*arguments: object, kind: str = "node") -> str:
            command = [sys.executable, "-m", f"tests.fetching.{kind}", *map(str, arguments)]
            process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
            stack.callback(process.wait)
            stack.callback(process.kill)
            assert process.stdout is not None
            stack.callback(process.stdout.close)
            address = process.stdout.readline().strip()
            assert address, f"{command} did not start"
            return address

        yield run
