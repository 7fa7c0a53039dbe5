"""The server on both event loops, asyncio's own and uvloop."""

from __future__ import annotations

import json
import signal
import socket
from importlib.util import find_spec

import pytest

from tests.service.program import SECONDS, Program, Wire, request

LOOPS = [
    pytest.param(False, id="asyncio"),
    pytest.param(True, id="uvloop", marks=pytest.mark.skipif(not find_spec("uvloop"), reason="uvloop is missing")),
]


@pytest.mark.parametrize("uvloop", LOOPS)
def test_uvloop_is_used_where_it_is_installed(program: Program, uvloop: bool) -> None:
    with program.served("--log-level", "debug", under=() if uvloop else program.without_uvloop()) as server:
        server.terminate()
        _, errors = server.communicate(timeout=SECONDS)
    assert f"DEBUG The event loop is that of {'uvloop' if uvloop else 'asyncio'}\n" in errors


@pytest.mark.parametrize("uvloop", LOOPS)
def test_either_loop_answers_in_order_and_what_it_has_accepted_before_it_stops(program: Program, uvloop: bool) -> None:
    with program.served(under=() if uvloop else program.without_uvloop()) as server:
        with Wire(program.socket) as wire, Wire(program.socket) as waiting, Wire(program.socket) as stopping:
            waiting.send(request("waitanyinvoice"))
            wire.send(b"".join(request("help", identity=number) for number in range(100)))
            wire.socket.shutdown(socket.SHUT_WR)
            assert [json.loads(wire.answer())["id"] for _ in range(100)] == [*range(100)]
            assert wire.is_closed()
            assert stopping.ask("stop")["result"] == {"result": "Shutdown complete"}
            assert "error" in json.loads(waiting.answer())
        assert server.wait(SECONDS) == 0
    assert not program.socket.exists()


@pytest.mark.parametrize("uvloop", LOOPS)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_either_loop_ends_by_a_signal(program: Program, uvloop: bool, number: signal.Signals) -> None:
    with program.served(under=() if uvloop else program.without_uvloop()) as server, Wire(program.socket) as wire:
        assert "result" in wire.ask("getinfo")
        server.send_signal(number)
        assert server.wait(SECONDS) == 0
