"""More clients than there is room for: they are told so, and the others are served."""

from __future__ import annotations

import json
import resource
import socket
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from clnrpc import Client, RpcError
from lnoffers.service.listening import BACKLOG
from lnoffers.service.server import MAX_CONNECTIONS, MAX_REFUSED
from tests.service.program import Program, Wire, request, run, while_served

needs_prlimit = pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits another process, as Linux can")
TOO_MANY = {"code": -1, "message": "Too many connections: 2 are open"}


def filled(stack: ExitStack, program: Program, count: int) -> list[Wire]:
    """That many connections, all of which the server has seen."""
    wires = [stack.enter_context(Wire(program.socket)) for _ in range(count)]
    for wire in wires:
        assert "result" in wire.ask("help", ["stop"])
    return wires


def test_who_asks_on_one_connection_too_many_is_answered_why(program: Program) -> None:
    def ask() -> None:
        with ExitStack() as stack:
            first, _ = filled(stack, program, 2)
            for _ in range(3 * MAX_REFUSED):
                with Wire(program.socket) as late:
                    time.sleep(0.01)  # the server has seen it before it asks
                    assert late.ask("getinfo") == {"jsonrpc": "2.0", "id": 0, "error": TOO_MANY}
                    assert late.is_closed()
            with Client(program.socket) as client, pytest.raises(RpcError, match="Too many connections"):
                client.getinfo()
            assert "result" in first.ask("getinfo")
        assert program.call("getinfo").code == 0

    while_served(program, ask, max_connections=2)


def test_who_asks_nothing_on_one_too_many_is_told_after_a_moment(program: Program) -> None:
    def ask() -> None:
        with ExitStack() as stack:
            filled(stack, program, 2)
            late = [stack.enter_context(Wire(program.socket)) for _ in range(2 * MAX_REFUSED)]
            late[0].send(b'{"jsonrpc":')
            late[1].socket.shutdown(socket.SHUT_WR)
            for wire in late:
                assert json.loads(wire.answer()) == {"jsonrpc": "2.0", "id": None, "error": TOO_MANY}
                assert wire.is_closed()

    while_served(program, ask, max_connections=2)


def test_the_program_serves_as_many_as_it_says(program: Program) -> None:
    assert BACKLOG >= MAX_CONNECTIONS
    with program.served(), ExitStack() as stack:
        filled(stack, program, MAX_CONNECTIONS)
        with Wire(program.socket) as late:
            assert late.ask("getinfo")["error"]["message"] == f"Too many connections: {MAX_CONNECTIONS} are open"


@needs_prlimit
def test_the_limit_of_open_files_is_raised_as_far_as_it_goes_and_decides(program: Program) -> None:
    with program.served(under=("sh", "-c", 'ulimit -Sn 40; exec "$@"', "sh")) as server:
        soft, hard = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        assert soft == min(1024, hard)
    with program.served(under=("sh", "-c", 'ulimit -n 48; exec "$@"', "sh")), ExitStack() as stack:
        filled(stack, program, 16)
        with Wire(program.socket) as late:
            assert late.ask("getinfo")["error"]["message"] == "Too many connections: 16 are open"


@needs_prlimit
def test_a_server_without_room_for_connections_says_so(program: Program) -> None:
    refused = run("serve", *program.flags, under=("sh", "-c", 'ulimit -n 30; exec "$@"', "sh"))
    assert refused.code == 2
    assert refused.err.endswith("only 30 files may be open (ulimit -n): a server needs more than 32\n")
    assert "Traceback" not in refused.err


@needs_prlimit
def test_a_server_that_can_open_no_more_files_says_so_once_and_goes_on(program: Program, tmp_path: Path) -> None:
    with program.served() as server, ExitStack() as stack:
        [wire] = filled(stack, program, 1)
        assert "result" in wire.ask("getinfo")
        _, hard = limits = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (3, hard))
        waiting = [stack.enter_context(Wire(program.socket)) for _ in range(5)]
        for late in waiting:
            late.send(request("getinfo"))
        time.sleep(0.1)
        assert "result" in wire.ask("getinfo")
        assert all(late.is_silent(0) for late in waiting)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, limits)
        assert all("result" in json.loads(late.answer()) for late in waiting)
        server.terminate()
        _, errors = server.communicate()
    assert errors.count("New connections have to wait: Too many open files") == 1
    assert errors.count("\n") <= 2  # and the new secret
