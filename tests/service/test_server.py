"""The server: framing, order of answers, limits, and the socket."""

from __future__ import annotations

import json
import socket
import stat
import threading
import time
from contextlib import suppress
from typing import Any

import pytest

from clnrpc import Client, RpcError
from lnoffers.service.serving.connection import CALLS_AT_ONCE, MAX_MESSAGE_BYTES
from tests.service.program import SECONDS, Program, Wire, request, run, while_served

ONE = '{"jsonrpc":"2.0","id":"%s","method":"listinvoicerequests","params":{}}'
EMPTY = '{"jsonrpc":"2.0","id":"%s","result":{"invoicerequests":[]}}\n\n'


def test_answers_follow_in_the_order_of_the_requests(program: Program) -> None:
    count = 3 * CALLS_AT_ONCE + 1
    with program.served(), Wire(program.socket) as wire:
        wire.send("".join(ONE % number for number in range(count)).encode())
        assert [wire.answer().decode() for _ in range(count)] == [EMPTY % number for number in range(count)]


def test_a_request_may_come_in_any_pieces(program: Program) -> None:
    with program.served(), Wire(program.socket) as wire:
        for byte in f" \n{ONE % 'é'}".encode():
            wire.send(bytes([byte]))
        assert wire.answer().decode() == EMPTY % "é"


def test_a_client_that_ends_its_side_gets_its_answers_then_the_end(program: Program) -> None:
    with program.served(), Wire(program.socket) as wire:
        wire.send(((ONE % 1) * 100).encode())
        wire.socket.shutdown(socket.SHUT_WR)
        assert [wire.answer().decode() for _ in range(100)] == [EMPTY % 1] * 100
        assert wire.is_closed()


def test_requests_before_a_malformed_one_are_answered_and_those_after_it_are_not(program: Program) -> None:
    with program.served(), Wire(program.socket) as wire:
        wire.send(f"{ONE % 1}{{oops{ONE % 2}".encode())
        assert wire.answer().decode() == EMPTY % 1
        assert json.loads(wire.answer())["error"]["code"] == -32600
        assert wire.is_closed()


@pytest.mark.parametrize(
    "text",
    ['{"a":"\xff"}', '{"a":"' + "x" * MAX_MESSAGE_BYTES + '"}', '{"a":' + "[" * 10_000, '{"a":' + "9" * 10_000 + "}"],
    ids=["not UTF-8", "too long", "too deep", "too long a number"],
)
def test_hostile_input_gets_an_error_and_the_others_are_served(program: Program, text: str) -> None:
    with program.served(), Wire(program.socket) as hostile, Wire(program.socket) as other:
        with suppress(BrokenPipeError, ConnectionResetError):  # the server need not read it all
            hostile.send(text.encode("latin-1"))
        assert json.loads(hostile.answer())["error"]["code"] == -32600
        assert hostile.is_closed()
        assert other.ask("help")["result"]["help"]


def test_a_client_that_does_not_read_is_not_served_further_and_loses_nothing(program: Program) -> None:
    big = request("nope" * 50_000)  # an answer repeats the name
    with program.served(), Wire(program.socket) as slow, Wire(program.socket) as other:
        sender = threading.Thread(target=slow.send, args=(big * 100,))
        sender.start()
        deadline = time.monotonic() + 1
        while time.monotonic() < deadline:
            assert other.ask("getinfo")["result"]
        assert sender.is_alive(), "the server took in 20 MB without being able to answer"
        assert {json.loads(slow.answer())["error"]["code"] for _ in range(100)} == {-32601}
        sender.join(SECONDS)


def test_the_socket_is_for_its_owner_alone(program: Program) -> None:
    with program.served():
        mode = program.socket.stat().st_mode
    assert stat.S_ISSOCK(mode)
    assert mode & 0o777 == 0o600


def test_a_signal_ends_it_gracefully_with_clients_connected(program: Program) -> None:
    with program.served() as server, Wire(program.socket) as idle, Wire(program.socket) as half:
        assert "result" in idle.ask("getinfo")
        half.send(b'{"jsonrpc":')
        server.terminate()
        assert idle.is_closed()
        assert half.is_closed()
        assert server.wait(SECONDS) == 0


def test_refuses_a_directory_that_is_served_and_leaves_the_server_alone(program: Program) -> None:
    with program.served() as server:
        second = run("serve", *program.flags)
        assert second.code == 2
        assert f"process {server.pid}" in second.err
        assert program.call("getinfo").code == 0


def test_refuses_a_socket_that_somebody_else_serves(program: Program) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(program.socket))
        other.listen()
        refused = run("serve", *program.flags)
    assert refused.code == 2
    assert "in use by a running server" in refused.err
    assert program.socket.exists()


def test_takes_over_a_socket_that_a_crash_left_behind(program: Program) -> None:
    with program.served() as server:
        server.kill()
        server.wait(SECONDS)
        assert program.socket.exists()
        with program.served():
            assert program.call("getinfo").code == 0


def test_does_not_replace_a_file_that_is_no_socket(program: Program) -> None:
    program.socket.write_text("precious")
    refused = run("serve", *program.flags)
    assert refused.code == 2
    assert "is no socket" in refused.err
    assert program.socket.read_text() == "precious"


def test_refuses_a_path_too_long_for_a_socket(program: Program) -> None:
    refused = run("serve", *program.flags, "--rpc-file", "x" * 120)
    assert (refused.code, refused.out) == (2, "")
    assert "too long for a socket" in refused.err


def test_a_relative_rpc_file_lies_in_the_network_s_directory(program: Program) -> None:
    with program.served("--rpc-file", "other"), Wire(program.network_dir / "other") as wire:
        assert "result" in wire.ask("getinfo")


def test_developer_mode_shows_bad_tokens_and_otherwise_they_are_hidden(program: Program) -> None:
    def complaint() -> str:
        with Client(program.socket) as client, pytest.raises(RpcError) as caught:
            client.rpc_call("listinvoicerequests", {"invreq_id": "secret"})
        return caught.value.message

    with program.served():
        assert complaint() == "invreq_id: should be a 32 byte hex value: invalid token (see logs for details)"
    with program.served("--developer"):
        assert complaint() == "invreq_id: should be a 32 byte hex value: invalid token '\"secret\"'"


def test_dev_inject_is_unknown_to_a_server_that_injects_nothing(program: Program) -> None:
    with program.served(), Wire(program.socket) as wire:
        assert wire.ask("dev-inject")["error"] == {"code": -32601, "message": "Unknown command 'dev-inject'"}


class FaultyEntropy:
    """Gives once, then shows that it was never finished."""

    def __init__(self) -> None:
        self._left = [bytes(16)]

    def draw(self, size: int) -> bytes:
        assert size == 16
        return self._left.pop()

    def mark(self) -> bytes:
        return b""


def test_a_bug_in_a_command_is_an_error_answer_and_harms_no_other_call(
    program: Program, caplog: pytest.LogCaptureFixture
) -> None:
    def ask() -> list[dict[str, Any]]:
        with Wire(program.socket) as wire:
            make = [request("invoicerequest", [1000, "x"], number) for number in range(2)]
            wire.send(b"".join([*make, request("listinvoicerequests", [], 2)]))
            return [json.loads(wire.answer()) for _ in range(3)]

    first, faulty, last = while_served(program, ask, entropy=FaultyEntropy())
    assert faulty == {"jsonrpc": "2.0", "id": 1, "error": {"code": -1, "message": "Internal error"}}
    assert [item["invreq_id"] for item in last["result"]["invoicerequests"]] == [first["result"]["invreq_id"]]
    assert "pop from empty list" in caplog.text
