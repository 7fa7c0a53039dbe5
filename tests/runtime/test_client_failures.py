"""Calls of the blocking client that get no answer: why, in time, and whether the command may have been carried out."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from rpcschema.runtime.client.blocking import BaseClient
from rpcschema.runtime.errors import ConnectionLostError, RpcError, RpcTimeoutError
from tests.runtime.node import Connection, ScriptedNode, complain, echo, serve_one

LARGE = ["x" * 1_000_000]
"""Parameters that no socket holds: they go out only as they are read."""
MAY_HAVE_BEEN = "the command may have been carried out"
WAS_NOT = "the command was not carried out"


class Client(BaseClient):
    rpc_package = "none"


@pytest.fixture
def silent_listener(socket_path: Path) -> Iterator[socket.socket]:
    """Yield a listener to which anybody can connect and send, but that never answers."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(socket_path))
        listener.listen(100)
        yield listener


def close_until_done(client: BaseClient, calls: list[Future[Any]]) -> None:
    """Close again and again, because a thread may begin its call late."""
    while wait(calls, 0.01).not_done:
        client.rpc_close()


@pytest.mark.parametrize("timeout", [0, 0.1])
def test_a_node_that_accepts_nobody_is_told_when_the_time_is_up(
    full_listener: socket.socket, socket_path: Path, timeout: float
) -> None:
    with pytest.raises(
        RpcTimeoutError, match=r"lightning-rpc in time: the node's connection queue .* nothing was sent"
    ):
        Client(socket_path, timeout=timeout).rpc_call("a")


@pytest.mark.parametrize("timeout", [None, 10])
def test_a_call_waits_until_the_node_accepts_it(
    full_listener: socket.socket, socket_path: Path, timeout: float | None
) -> None:
    with ThreadPoolExecutor(1) as pool, Client(socket_path, timeout=timeout) as client:
        call = pool.submit(client.rpc_call, "a")
        assert not wait([call], 0.05).done
        node = threading.Thread(target=serve_one, args=(full_listener,))
        node.start()
        assert call.result(10)["method"] == "a"
        client.rpc_close()
        node.join(10)


def test_the_timeout_includes_the_wait_for_other_threads(silent_listener: socket.socket, socket_path: Path) -> None:
    begin = monotonic()
    with Client(socket_path, timeout=0.25, connections=1) as client, ThreadPoolExecutor(16) as pool:
        calls = [pool.submit(client.rpc_call, "wait") for _ in range(16)]
        assert all(isinstance(call.exception(10), RpcTimeoutError) for call in calls)
    assert monotonic() - begin < 0.25 * len(calls) / 2


def test_a_timeout_before_the_request_is_sent_in_full_says_so(
    silent_listener: socket.socket, socket_path: Path
) -> None:
    with Client(socket_path, timeout=0.1) as client, pytest.raises(RpcTimeoutError, match=WAS_NOT):
        client.rpc_call("a", LARGE)


def test_closing_ends_the_call_of_another_thread(socket_path: Path) -> None:
    arrived = threading.Event()

    def stay_silent(connection: Connection) -> None:
        connection.read()
        arrived.set()
        assert connection.socket.recv(1) == b""

    with ScriptedNode(socket_path, stay_silent, echo), Client(socket_path) as client, ThreadPoolExecutor(1) as pool:
        call = pool.submit(client.rpc_call, "a")
        assert arrived.wait(10)
        client.rpc_close()
        with pytest.raises(ConnectionLostError, match=f"^a: the client was closed .*; {MAY_HAVE_BEEN}"):
            call.result(10)
        assert client.rpc_call("b")["method"] == "b"


@pytest.mark.parametrize("connections", [1, 3, 32])
def test_closing_ends_calls_and_those_that_wait_for_their_turn(
    silent_listener: socket.socket, socket_path: Path, connections: int
) -> None:
    client = Client(socket_path, connections=connections)
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(client.rpc_call, "a") for _ in range(8)]
        close_until_done(client, calls)
        for call in calls:
            with pytest.raises(ConnectionLostError, match="the client was closed"):
                call.result()


def test_closing_ends_a_call_that_still_connects(full_listener: socket.socket, socket_path: Path) -> None:
    client = Client(socket_path)
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(client.rpc_call, "a")
        close_until_done(client, [call])
        with pytest.raises(ConnectionLostError, match=f"the client was closed .*; {WAS_NOT}"):
            call.result()


@pytest.mark.parametrize("connections", [1, 3])
def test_closing_at_any_moment_ends_calls_cleanly_and_leaves_no_socket_open(
    silent_listener: socket.socket, socket_path: Path, connections: int
) -> None:
    def answer(accepted: socket.socket) -> None:
        with accepted, suppress(OSError):
            echo(Connection(accepted))

    def serve() -> None:
        with suppress(OSError), ThreadPoolExecutor(64) as answering:  # at last the listener is shut down
            while True:
                answering.submit(answer, silent_listener.accept()[0])

    def call_until_stopped() -> None:
        while not stopped.is_set():
            try:
                assert client.rpc_call("a")["method"] == "a"
            except ConnectionLostError as error:
                assert "the client was closed" in str(error)  # noqa: PT017 # only one of two ways to end

    before = len(list(Path("/proc/self/fd").iterdir()))
    stopped, client = threading.Event(), Client(socket_path, connections=connections)
    with ThreadPoolExecutor(5) as pool:
        node = pool.submit(serve)
        callers = [pool.submit(call_until_stopped) for _ in range(4)]
        for _ in range(100):
            client.rpc_close()
            stopped.wait(0.002)
        stopped.set()
        for caller in callers:
            caller.result(10)
        client.rpc_close()
        silent_listener.shutdown(socket.SHUT_RDWR)
        node.result(10)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_the_reason_of_a_node_that_closes_at_once_is_told(socket_path: Path) -> None:
    for _ in range(20):
        with (
            ScriptedNode(socket_path, complain),
            Client(socket_path) as client,
            pytest.raises(RpcError, match="-32600: Too many"),
        ):
            client.rpc_call("a")


def test_the_reason_is_told_even_if_the_request_cannot_be_sent_in_full(socket_path: Path) -> None:
    with (
        ScriptedNode(socket_path, complain),
        Client(socket_path) as client,
        pytest.raises(RpcError, match="-32600: Too many"),
    ):
        client.rpc_call("a", LARGE)


def test_a_request_that_cannot_be_sent_in_full_is_tried_once_more_and_was_not_carried_out(socket_path: Path) -> None:
    def answer_one_and_go(connection: Connection) -> None:
        connection.answer(connection.read(), 1)
        connection.socket.recv(1)

    def go(connection: Connection) -> None:
        connection.socket.recv(1)

    with ScriptedNode(socket_path, answer_one_and_go, go, echo), Client(socket_path) as client:
        assert client.rpc_call("a") == 1
        with pytest.raises(ConnectionLostError, match=f"^b: .* before the request was sent in full; {WAS_NOT}"):
            client.rpc_call("b", LARGE)
        assert client.rpc_call("c")["method"] == "c"
