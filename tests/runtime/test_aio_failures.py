"""Calls of the asyncio client that get no answer: why, in time, and whether the command may have been carried out."""

from __future__ import annotations

import asyncio
import socket
import threading
from pathlib import Path

import pytest

from rpcschema.runtime.client.aio import BaseAsyncClient
from rpcschema.runtime.errors import ConnectionLostError, EncodeError, RpcError, RpcTimeoutError
from tests.runtime.loops import run
from tests.runtime.node import Connection, ScriptedNode, complain, echo, serve_one

LARGE = ["x" * 1_000_000]
"""Parameters that no socket holds: they go out only as they are read."""
MAY_HAVE_BEEN = "the command may have been carried out"
WAS_NOT = "the command was not carried out"
COMPLAINT = '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Too many"}}'


class Client(BaseAsyncClient):
    rpc_package = "none"


@pytest.mark.parametrize("steps", range(4))
def test_a_cancelled_close_harms_no_later_call(socket_path: Path, steps: int) -> None:
    async def calls() -> None:
        client = Client(socket_path)
        assert (await client.rpc_call("a"))["method"] == "a"
        closing = asyncio.create_task(client.rpc_close())
        for _ in range(steps):
            await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait([closing])
        await client.rpc_close()
        assert (await client.rpc_call("b"))["method"] == "b"
        await client.rpc_close()

    with ScriptedNode(socket_path, echo, echo):
        run(calls())


def test_a_node_that_accepts_nobody_is_told_when_the_time_is_up(
    full_listener: socket.socket, socket_path: Path
) -> None:
    async def calls() -> None:
        client = Client(socket_path, timeout=0.1)
        failed = await asyncio.gather(client.rpc_call("a"), client.rpc_call("b"), return_exceptions=True)
        for error in failed:
            assert isinstance(error, RpcTimeoutError)
            assert "in time: the node's connection queue is full; nothing was sent" in str(error)

    run(calls())


@pytest.mark.parametrize("timeout", [None, 10])
def test_a_call_waits_until_the_node_accepts_it(
    full_listener: socket.socket, socket_path: Path, timeout: float | None
) -> None:
    async def calls() -> None:
        async with Client(socket_path, timeout=timeout) as client:
            call = asyncio.create_task(client.rpc_call("a"))
            await asyncio.sleep(0.05)
            assert not call.done()
            node.start()
            assert (await call)["method"] == "a"

    node = threading.Thread(target=serve_one, args=(full_listener,))
    run(calls())
    node.join(10)


def test_closing_ends_calls_that_still_connect(full_listener: socket.socket, socket_path: Path) -> None:
    async def calls() -> None:
        client = Client(socket_path)
        waiting = [asyncio.create_task(client.rpc_call("a")) for _ in range(3)]
        await asyncio.sleep(0.05)
        await client.rpc_close()
        for call in waiting:
            with pytest.raises(ConnectionLostError, match=f"^a: the client was closed .*; {WAS_NOT}"):
                await call

    run(calls())


def test_closing_ends_calls_that_wait_for_answers(socket_path: Path) -> None:
    arrived = threading.Event()

    def stay_silent(connection: Connection) -> None:
        connection.read()
        arrived.set()
        assert connection.socket.recv(1) == b""

    async def calls() -> None:
        async with Client(socket_path) as client:
            call = asyncio.create_task(client.rpc_call("a"))
            assert await asyncio.to_thread(arrived.wait, 10)
            await client.rpc_close()
            with pytest.raises(ConnectionLostError, match=f"^a: the client was closed .*; {MAY_HAVE_BEEN}"):
                await call

    with ScriptedNode(socket_path, stay_silent):
        run(calls())


@pytest.mark.parametrize("params", [[], LARGE], ids=["small", "large"])
def test_the_reason_of_a_node_that_closes_at_once_is_told(socket_path: Path, params: list[str]) -> None:
    async def calls() -> None:
        async with Client(socket_path) as client:
            with pytest.raises(RpcError, match="-32600: Too many"):
                await client.rpc_call("a", params)

    for _ in range(10):
        with ScriptedNode(socket_path, complain):
            run(calls())


def test_a_reason_that_comes_before_the_call_is_told_if_the_node_then_closes(socket_path: Path) -> None:
    complained = threading.Event()

    def complain_early(connection: Connection) -> None:
        connection.answer(connection.read(), 1)
        connection.send(COMPLAINT)
        complained.set()
        connection.read()

    async def calls() -> None:
        async with Client(socket_path) as client:
            assert await client.rpc_call("a") == 1
            assert await asyncio.to_thread(complained.wait, 10)
            await asyncio.sleep(0.01)
            with pytest.raises(RpcError, match="-32600: Too many"):
                await client.rpc_call("b")

    with ScriptedNode(socket_path, complain_early):
        run(calls())


def test_a_complaint_counts_no_more_once_the_node_answers(socket_path: Path) -> None:
    complained = threading.Event()

    def complain_and_go_on(connection: Connection) -> None:
        connection.answer(connection.read(), 1)
        connection.send(COMPLAINT)
        complained.set()
        connection.answer(connection.read(), 2)
        connection.read()

    async def calls() -> None:
        async with Client(socket_path) as client:
            assert await client.rpc_call("a") == 1
            assert await asyncio.to_thread(complained.wait, 10)
            await asyncio.sleep(0.01)
            assert await client.rpc_call("b") == 2
            with pytest.raises(ConnectionLostError, match=MAY_HAVE_BEEN):
                await client.rpc_call("c")

    with ScriptedNode(socket_path, complain_and_go_on):
        run(calls())


def test_a_request_that_was_not_sent_in_full_was_not_carried_out(socket_path: Path) -> None:
    def go(connection: Connection) -> None:
        connection.socket.recv(1)

    async def calls() -> None:
        async with Client(socket_path) as client:
            with pytest.raises(ConnectionLostError, match=f"^a: .* before the request was sent in full; {WAS_NOT}"):
                await client.rpc_call("a", LARGE)
            assert (await client.rpc_call("b"))["method"] == "b"

    with ScriptedNode(socket_path, go, echo):
        run(calls())


def test_a_large_request_that_went_out_may_have_been_carried_out(socket_path: Path) -> None:
    def read_and_go(connection: Connection) -> None:
        connection.read()

    async def calls() -> None:
        async with Client(socket_path) as client:
            with pytest.raises(ConnectionLostError, match=f"^a: .*; {MAY_HAVE_BEEN}"):
                await client.rpc_call("a", LARGE)

    with ScriptedNode(socket_path, read_and_go):
        run(calls())


def test_what_json_cannot_say_is_refused_before_anything_is_sent(socket_path: Path) -> None:
    async def calls() -> None:
        with pytest.raises(EncodeError, match="JSON cannot represent"):
            await Client(socket_path).rpc_call("a", ["\ud800"])

    run(calls())
