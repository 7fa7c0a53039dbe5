"""The asyncio client stays usable after a call is given up: cancelled, or its time is up."""

from __future__ import annotations

import asyncio
import gc
import threading
import warnings
from pathlib import Path
from typing import Any

import pytest

from rpcschema.runtime.client.aio import BaseAsyncClient
from rpcschema.runtime.errors import ConnectionLostError, RpcTimeoutError
from tests.runtime import demo
from tests.runtime.loops import run
from tests.runtime.node import Connection, ManyNode, ScriptedNode, echo

LARGE = ["x" * 5_000_000]
"""Parameters that no socket holds: they go out only as they are read."""


class Client(BaseAsyncClient):
    rpc_package = demo.NAME


async def waiting(client: Client, node: ManyNode, number: int = 1) -> asyncio.Task[Any]:
    """Return a call that waits at the node."""
    call = asyncio.create_task(client.rpc_call("wait"))
    await asyncio.to_thread(node.until, lambda: [method for _, method in node.calls].count("wait") == number)
    return call


async def cancelled(call: asyncio.Task[Any]) -> None:
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


@pytest.mark.parametrize("in_order", [True, False], ids=["in order", "like lightningd"])
def test_other_calls_are_answered_after_a_wait_is_cancelled(socket_path: Path, in_order: bool) -> None:
    async def calls() -> None:
        async with Client(socket_path) as client:
            assert await client.rpc_call("before", [0]) == [0]
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.rpc_call("wait"), 0.05)
            for number in range(3):
                assert await client.rpc_call("after", [number]) == [number]
            await cancelled(await waiting(client, node, 2))
            assert await client.rpc_call("after", [3]) == [3]

    with ManyNode(socket_path, in_order=in_order) as node:
        run(calls())


@pytest.mark.parametrize("in_order", [True, False], ids=["in order", "like lightningd"])
def test_other_calls_are_answered_after_the_time_of_one_is_up(socket_path: Path, in_order: bool) -> None:
    async def calls() -> None:
        async with Client(socket_path, timeout=0.3) as client:
            with pytest.raises(RpcTimeoutError, match=r"^wait: no response within 0.3 seconds"):
                await client.rpc_call("wait")
            assert await client.rpc_with(timeout=30).rpc_call("after", [1]) == [1]

    with ManyNode(socket_path, in_order=in_order) as node:
        run(calls())
        assert len({number for number, _ in node.calls}) == 2


def test_several_calls_are_answered_on_one_connection_while_one_waits(socket_path: Path) -> None:
    async def calls() -> None:
        async with Client(socket_path) as client:
            wait = await waiting(client, node)
            assert await asyncio.gather(*(client.rpc_call("a", [n]) for n in range(20))) == [[n] for n in range(20)]
            assert not wait.done()
            node.release()
            assert await wait == "released"

    with ManyNode(socket_path) as node:
        run(calls())
        assert {number for number, _ in node.calls} == {1}


def test_calls_in_flight_beside_a_cancelled_one_get_their_answers_and_its_late_answer_is_dropped(
    socket_path: Path,
) -> None:
    arrived, ended = threading.Event(), threading.Event()

    def answer_all_backwards(connection: Connection) -> None:
        requests = [connection.read() for _ in range(3)]
        arrived.set()
        assert cancelled_one.wait(10)
        for request in reversed(requests):
            connection.answer(request, request["method"])
        assert connection.socket.recv(1) == b""  # nobody waits here any more
        ended.set()

    async def calls() -> None:
        async with Client(socket_path) as client:
            first, second, third = (asyncio.create_task(client.rpc_call(name)) for name in ("first", "second", "third"))
            assert await asyncio.to_thread(arrived.wait, 10)
            await cancelled(second)
            cancelled_one.set()
            assert [await first, await third] == ["first", "third"]
            assert await asyncio.to_thread(ended.wait, 10)
            assert (await client.rpc_call("fourth"))["method"] == "fourth"

    cancelled_one = threading.Event()
    with ScriptedNode(socket_path, answer_all_backwards, echo):
        run(calls())


def test_the_connection_of_a_cancelled_call_closes_at_once_if_nobody_else_waits_there(socket_path: Path) -> None:
    async def calls() -> None:
        async with Client(socket_path) as client:
            await cancelled(await waiting(client, node))
            await asyncio.to_thread(node.until, lambda: not node.open)

    with ManyNode(socket_path) as node:
        run(calls())


def test_calls_that_are_given_up_leave_nothing_behind(socket_path: Path) -> None:
    async def calls() -> None:
        async with Client(socket_path) as client:
            wait = await waiting(client, node)
            for number in range(100):
                await cancelled(await waiting(client, node, number + 2))
            assert await client.rpc_call("a", [1]) == [1]
            await asyncio.to_thread(node.until, lambda: len(node.open) <= 2)  # the wait's, and the last one
            session = client._rpc_transport._session
            assert session is not None
            assert sum(len(connection._waiting) for connection in session._connections) == 1
            assert len(session._connections) <= 3
            node.release()
            assert await wait == "released"
            await asyncio.to_thread(node.until, lambda: len(node.open) == 1)

    with ManyNode(socket_path) as node:
        run(calls())


def test_a_call_that_is_cancelled_half_sent_is_no_obstacle(socket_path: Path) -> None:
    def read_little(connection: Connection) -> None:
        connection.socket.recv(1)
        arrived.set()
        assert released.wait(10)

    async def calls() -> None:
        async with Client(socket_path) as client:
            call = asyncio.create_task(client.rpc_call("a", LARGE))
            assert await asyncio.to_thread(arrived.wait, 10)
            await cancelled(call)
            released.set()
            assert (await client.rpc_call("b"))["method"] == "b"

    arrived, released = threading.Event(), threading.Event()
    with ScriptedNode(socket_path, read_little, echo):
        run(calls())


def test_closing_ends_the_calls_on_all_connections(socket_path: Path) -> None:
    async def calls() -> None:
        client = Client(socket_path)
        waits = []
        for number in range(1, 7, 2):
            waits.append(await waiting(client, node, number))
            await cancelled(await waiting(client, node, number + 1))
        assert await client.rpc_call("a", [1]) == [1]
        await client.rpc_close()
        for wait in waits:
            with pytest.raises(ConnectionLostError, match=r"^wait: the client was closed"):
                await wait
        await asyncio.to_thread(node.until, lambda: not node.open)

    with ManyNode(socket_path) as node:
        run(calls())


def test_a_client_left_open_by_an_event_loop_that_is_closed_serves_the_next_one(socket_path: Path) -> None:
    client = Client(socket_path)

    async def call(number: int) -> None:
        assert await asyncio.gather(*(client.rpc_call("a", [number]) for _ in range(3))) == [[number]] * 3

    async def close() -> None:
        await client.rpc_close()

    with ManyNode(socket_path) as node, warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # asyncio's, for what the event loops leave open
        for number in range(3):
            asyncio.run(call(number))
        asyncio.run(close())
        gc.collect()
        node.until(lambda: not node.open)


def test_it_is_the_same_on_uvloop(socket_path: Path) -> None:
    uvloop = pytest.importorskip("uvloop")

    async def calls() -> None:
        async with Client(socket_path) as client:
            wait = await waiting(client, node)
            assert await asyncio.gather(*(client.rpc_call("a", [n]) for n in range(9))) == [[n] for n in range(9)]
            await cancelled(await waiting(client, node, 2))
            assert await client.rpc_call("b", [1]) == [1]
            node.release()
            assert await wait == "released"

    with ManyNode(socket_path) as node, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(asyncio.wait_for(calls(), 30))
        node.until(lambda: not node.open)
