"""A service at a socket, in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from rpcschema.runtime.errors import RpcError
from tests.runtime.demo.plugin import Client
from tests.shared import ROOT

SECONDS: Final = 60
PROGRAM: Final = """
import sys
from tests.runtime.demo.greeter import Greeter
Greeter().rpc_serve(sys.argv[1])
"""


@pytest.fixture
def path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="serve") as folder:
        yield Path(folder, "rpc")


def start(path: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", PROGRAM, str(path)], cwd=ROOT, stderr=subprocess.PIPE)


@pytest.fixture
def server(path: Path) -> Iterator[subprocess.Popen[bytes]]:
    with start(path) as process:
        try:
            while not listens(path):
                assert process.poll() is None
                time.sleep(0.01)
            yield process
        finally:
            process.kill()


def listens(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


@pytest.fixture
def client(server: subprocess.Popen[bytes], path: Path) -> Iterator[Client]:
    with Client(path, timeout=SECONDS) as connected:
        yield connected


def test_class_of_a_plugin_answers_calls_at_a_socket(client: Client) -> None:
    assert client.rpc_call("greet", {"name": "you", "amount": "1sat"}) == {"greeting": "hello you", "amount_msat": 1000}


def test_errors_are_those_of_lightningd(client: Client) -> None:
    for params, code in (({"name": "nobody", "amount": 1}, 7), ({"name": "you"}, -32602)):
        with pytest.raises(RpcError) as error:
            client.rpc_call("greet", params)
        assert error.value.code == code


def test_bug_is_logged_and_the_next_call_answered(server: subprocess.Popen[bytes], client: Client) -> None:
    with pytest.raises(RpcError, match="Internal error"):
        client.rpc_call("greet", {"name": "bug", "amount": 1})
    assert client.rpc_call("greet", {"name": "you", "amount": 1})["greeting"] == "hello you"
    server.terminate()
    assert b"LookupError: not this time" in server.communicate()[1]


def test_async_calls_do_not_wait_for_each_other(client: Client, path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(SECONDS)
        connection.connect(str(path))
        ask(connection, 1, "pay-all", [[{"pay-to": "you", "amount": 5}]])
        ask(connection, 2, "greet", ["you", 1])
        assert answer(connection)["id"] == 2
        with pytest.raises(RpcError, match="nothing to pay"):
            client.rpc_call("pay-all", [[]])
        assert answer(connection)["result"]["paid"] == 5


def test_client_that_has_sent_all_gets_its_answer(client: Client, path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(SECONDS)
        connection.connect(str(path))
        ask(connection, 1, "pay-all", [[{"pay-to": "you", "amount": 5}]])
        connection.shutdown(socket.SHUT_WR)
        with pytest.raises(RpcError, match="nothing to pay"):
            client.rpc_call("pay-all", [[]])
        assert answer(connection)["result"]["paid"] == 5
        assert connection.recv(1) == b""


def test_what_is_no_request_ends_its_connection_only(client: Client, path: Path) -> None:
    for sent in (b"hello", b"{}"):
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(SECONDS)
            connection.connect(str(path))
            connection.sendall(sent)
            assert answer(connection)["error"]["code"] == -32600
            assert connection.recv(1) == b""
    assert client.rpc_call("greet", ["you", 1])["greeting"] == "hello you"


def test_only_its_owner_can_connect(server: subprocess.Popen[bytes], path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_the_server_and_removes_the_socket(
    server: subprocess.Popen[bytes], path: Path, number: signal.Signals
) -> None:
    os.kill(server.pid, number)
    assert (server.wait(SECONDS), path.exists()) == (0, False)


def test_socket_of_a_killed_server_is_replaced(server: subprocess.Popen[bytes], path: Path) -> None:
    server.kill()
    server.wait(SECONDS)
    with start(path) as second:
        while not listens(path):
            assert second.poll() is None
            time.sleep(0.01)
        second.terminate()


def test_second_server_at_a_socket_is_refused(server: subprocess.Popen[bytes], path: Path) -> None:
    with start(path) as second:
        assert b"FileExistsError: another process listens at" in second.communicate()[1]
    assert listens(path)


def test_file_at_the_path_is_left_alone(path: Path) -> None:
    path.write_text("mine")
    with start(path) as process:
        assert b"exists and is no socket" in process.communicate()[1]
    assert path.read_text() == "mine"


def ask(connection: socket.socket, identity: int, method: str, params: Any) -> None:
    connection.sendall(json.dumps({"jsonrpc": "2.0", "id": identity, "method": method, "params": params}).encode())


def answer(connection: socket.socket) -> Any:
    data = b""
    while not data.endswith(b"\n\n"):
        data += connection.recv(1)
    return json.loads(data)
