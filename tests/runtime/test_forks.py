"""A forked child process has connections of its own, and its parent keeps those that it has."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from tests.runtime.forking import PROGRAMS, Client
from tests.runtime.node import ManyNode
from tests.runtime.restserver import RestServer
from tests.shared import ROOT

THREADS = "ignore:This process:DeprecationWarning"
"""From Python 3.12 on a process with threads that forks is warned: the child may wait for a lock of another thread."""


OVER_REST = [name for name in PROGRAMS if name.startswith("over_rest")]


def run(program: str, place: str) -> None:
    """Run a program of `forking`."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-W", THREADS, "-m", "tests.runtime.forking", program, place],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("program", OVER_REST)
def test_parent_and_children_have_connections_of_their_own_over_rest(program: str, tmp_path: Path) -> None:
    with RestServer(tmp_path) as server:
        run(program, f"{server.url} {server.ca}")
    callers = defaultdict(set)
    for request in server.requests:
        callers[request.connection].add(request.method)
    assert all(len(names) == 1 for names in callers.values()), callers


@pytest.mark.parametrize("program", [name for name in PROGRAMS if name not in OVER_REST])
def test_parent_and_children_have_connections_of_their_own(program: str, socket_path: Path) -> None:
    with ManyNode(socket_path) as node:
        run(program, str(socket_path))
        callers = defaultdict(set)
        for number, method in node.calls:
            callers[number].add("parent" if method in {"wait", "closed"} else method)
        assert all(len(names - {"release"}) == 1 for names in callers.values()), callers
        node.until(lambda: not node.open)


def test_a_pickled_client_has_the_same_path_timeout_and_filter(socket_path: Path) -> None:
    with ManyNode(socket_path), Client(socket_path, timeout=30) as client:
        client.rpc_call("a")
        with pickle.loads(pickle.dumps(client.rpc_filtered({"a": True}))) as twin:
            assert twin.rpc_call("b", [1]) == [1]
            assert twin._rpc_settings[:2] == (30, b'{"a":true}')
            assert twin._rpc_transport is not client._rpc_transport
