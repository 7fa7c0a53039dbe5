"""The end of a server: all accepted calls are answered, all locks are released, and `stop` is answered last."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import signal
import sys
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from clnrpc import Client
from lnoffers.service import Node, Options, Server
from lnoffers.service.serving import server as server_module
from tests.service.program import SECONDS, Outcome, Program, Wire, request, run, while_served

SIGNALLED = """
import os, sys

def send(event, arguments):
    if event == "import" and arguments[0] == {module!r}:
        os.kill(os.getpid(), {number})

sys.addaudithook(send)
"""
"""Sends the process a signal when it begins to load a module. Python runs it first under the name sitecustomize."""

LEFT = ["hsm_secret", "lnoffers.sqlite3", "lnoffers.sqlite3.fence", "lnoffers.sqlite3.payers"]
"""What is left when a server has stopped; the last is the folder of the locks of those that pay, empty then."""


FIRST, BEFORE_FILES, BEFORE_LOOP = "lnoffers.service.cli.program", "lnoffers.service.serving.server", "uvloop"
"""What a server loads at different moments of its start."""


def signalled(folder: Path, module: str, name: str) -> tuple[str, str]:
    """Return the command to run a server `under` so that it gets a signal when it begins to load a module."""
    (folder / "sitecustomize.py").write_text(SIGNALLED.format(module=module, number=int(signal.Signals[name])))
    return ("env", f"PYTHONPATH={os.pathsep.join([str(folder), *sys.path])}")


@pytest.mark.parametrize(
    ("name", "module"),
    [(name, FIRST) for name in ("SIGINT", "SIGTERM", "SIGQUIT", "SIGUSR1", "SIGUSR2")] + [("SIGTERM", BEFORE_FILES)],
)
def test_a_signal_before_a_server_has_made_anything_ends_it_without_a_trace(
    no_node: Program, tmp_path: Path, module: str, name: str
) -> None:
    assert run("serve", *no_node.flags, under=signalled(tmp_path, module, name)) == Outcome(0, "", "")
    assert list(no_node.directory.iterdir()) == []


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_a_signal_before_a_server_listens_ends_it_with_everything_whole(
    no_node: Program, tmp_path: Path, name: str
) -> None:
    outcome = run("serve", *no_node.flags, under=signalled(tmp_path, BEFORE_LOOP, name))
    assert (outcome.code, outcome.out) == (0, "")
    left = sorted(path.name for path in no_node.network_dir.iterdir())
    assert left == [name for name in LEFT if not name.endswith(".fence")], "which is made when the server starts"
    with no_node.served():
        pass


def test_a_sighup_while_a_server_starts_does_nothing(program: Program, tmp_path: Path) -> None:
    with program.served(under=signalled(tmp_path, FIRST, "SIGHUP")), Wire(program.socket) as wire:
        assert "result" in wire.ask("getinfo")


def test_stop_is_answered_when_everything_is_given_back(program: Program) -> None:
    with program.served() as server:
        with Client(program.socket) as client:
            client.invoicerequest(amount=1, description="x")
            assert client.stop().result == "Shutdown complete"
        assert sorted(path.name for path in program.network_dir.iterdir()) == LEFT
        assert [*(program.network_dir / LEFT[-1]).iterdir()] == []
        with (program.directory / "lnoffers-regtest.pid").open() as lock:
            assert lock.read() == ""
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        assert server.wait(SECONDS) == 0


def test_the_next_server_can_start_at_once(program: Program) -> None:
    for _ in range(3):
        with program.served(), Wire(program.socket) as wire:
            assert wire.ask("stop")["result"] == {"result": "Shutdown complete"}
            with program.served():
                assert program.call("getinfo").code == 0


def test_what_was_accepted_is_answered_before_stop(program: Program) -> None:
    with program.served() as server, Wire(program.socket) as wire, Wire(program.socket) as other:
        other.send(b'{"jsonrpc":"2.0","id":')
        wire.send(b"".join([request("stop", [], "end"), *(request("help", ["stop"], n) for n in range(100))]))
        answers = [json.loads(wire.answer()) for _ in range(101)]
        assert [answer["id"] for answer in answers] == [*range(100), "end"]
        assert wire.is_closed()
        assert other.is_closed()
        assert server.wait(SECONDS) == 0


def test_everyone_who_calls_stop_is_answered(program: Program) -> None:
    with program.served() as server, Wire(program.socket) as one, Wire(program.socket) as two:
        for wire in (one, two):
            wire.ask("help", ["stop"])  # whoever is not accepted by the time of the stop is turned away
        server.send_signal(signal.SIGSTOP)  # so that it finds all of them together
        for wire in (one, two):
            wire.send(request("stop") * 2)
        server.send_signal(signal.SIGCONT)
        for wire in (one, two, one, two):
            assert json.loads(wire.answer())["result"] == {"result": "Shutdown complete"}
        assert server.wait(SECONDS) == 0


def test_who_calls_stop_need_not_wait_for_the_answer(program: Program) -> None:
    with program.served() as server:
        with Wire(program.socket) as wire:
            wire.send(request("stop"))
        assert server.wait(SECONDS) == 0


def test_a_client_that_reads_nothing_cannot_hold_up_a_stop(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "GRACE_SECONDS", 0.2)
    asked = request("nope" * 100_000) * 40  # the answers repeat the name: more than any buffer between us holds

    async def serve() -> None:
        with Node.open(Options(lightning_dir=program.directory, network="regtest")) as node:
            server = Server(node)
            listening = asyncio.Event()
            running = asyncio.create_task(server.run(listening.set))
            await listening.wait()
            with Wire(program.socket) as deaf:
                await asyncio.get_running_loop().run_in_executor(None, send_all_that_fits, deaf, asked)
                server.stop()
                await asyncio.wait_for(running, SECONDS)

    asyncio.run(serve())


def test_a_stop_ends_as_soon_as_its_clients_have_their_answers(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "GRACE_SECONDS", 2 * SECONDS)  # longer than a stop may take here
    with ExitStack() as stack:

        def ask() -> None:
            idle, waiting, half = (stack.enter_context(Wire(program.socket)) for _ in range(3))
            assert "result" in idle.ask("getinfo")
            waiting.send(request("getinfo") + request("waitanyinvoice"))
            assert b'"result"' in waiting.answer()
            half.send(request("getinfo") + b"{")
            assert b'"result"' in half.answer()

        while_served(program, ask)


def send_all_that_fits(wire: Wire, data: bytes) -> None:
    wire.socket.settimeout(0.5)
    with suppress(TimeoutError):
        wire.send(data)
