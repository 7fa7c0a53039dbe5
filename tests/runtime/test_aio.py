"""The asyncio client against real sockets: concurrent calls on one connection, matched by id."""

from __future__ import annotations

import asyncio
import json
import threading
from pathlib import Path

import pytest

from rpcschema.runtime.client.aio import BaseAsyncClient
from rpcschema.runtime.errors import (
    CannotConnectError,
    ConnectionLostError,
    DecodeError,
    ProtocolError,
    RpcError,
)
from tests.runtime import demo
from tests.runtime.demo.types.greet import GreetResponse
from tests.runtime.loops import run
from tests.runtime.node import Connection, Script, ScriptedNode, echo


class Client(BaseAsyncClient):
    rpc_package = demo.NAME
    rpc_commands = demo.COMMANDS


def once(text: str) -> Script:
    def script(connection: Connection) -> None:
        connection.send(text.replace("ID", json.dumps(connection.read()["id"])))

    return script


def test_a_filter_goes_with_the_calls_of_the_client_made_for_it(socket_path: Path) -> None:
    def script(connection: Connection) -> None:
        for only in ({"greeting": True}, None):
            request = connection.read()
            assert request.get("filter") == only
            connection.answer(request, 1)

    async def main() -> None:
        async with Client(socket_path) as client:
            assert await client.rpc_filtered({"greeting": True}).rpc_call("a") == 1
            assert await client.rpc_call("b") == 1

    with ScriptedNode(socket_path, script):
        run(main())


def test_concurrent_calls_share_a_connection_and_are_matched_by_id(socket_path: Path) -> None:
    def answer_backwards(connection: Connection) -> None:
        requests = [connection.read() for _ in range(50)]
        assert len({request["id"] for request in requests}) == 50
        for request in reversed(requests):
            connection.send('{"method":"message","params":{}}\n\n{"id":"other","result":1}{"id":{},"result":1}')
            connection.answer(request, request["params"])

    async def calls() -> None:
        async with Client(socket_path) as client:
            found = await asyncio.gather(*(client.rpc_call("a", [n]) for n in range(50)))
            assert found == [[n] for n in range(50)]

    with ScriptedNode(socket_path, answer_backwards):
        run(calls())


def test_a_typed_call_returns_the_response_class(socket_path: Path) -> None:
    def script(connection: Connection) -> None:
        request = connection.read()
        assert request["params"] == {"name": "you"}
        connection.answer(request, {"greeting": "hi", "amount_msat": 1})
        connection.answer(connection.read(), [])

    async def calls() -> None:
        async with Client(socket_path) as client:
            response = await client.rpc_send("greet", "you", None, None, None)
            assert response == GreetResponse(greeting="hi", amount_msat=1)
            with pytest.raises(DecodeError, match=r"^greet: "):
                await client.rpc_send("greet", None, None, None, None)

    with ScriptedNode(socket_path, script):
        run(calls())


def test_an_error_is_raised_and_the_connection_stays(socket_path: Path) -> None:
    def script(connection: Connection) -> None:
        once('{"id":ID,"error":{"code":-1,"message":"no","data":[1]}}')(connection)
        echo(connection)

    async def calls() -> None:
        async with Client(socket_path) as client:
            with pytest.raises(RpcError, match=r"^a: -1: no$") as error:
                await client.rpc_call("a")
            assert error.value.data == [1]
            assert (await client.rpc_call("b"))["method"] == "b"

    with ScriptedNode(socket_path, script):
        run(calls())


def test_calls_that_wait_when_the_connection_breaks_are_told_and_not_sent_again(socket_path: Path) -> None:
    def read_and_go(connection: Connection) -> None:
        connection.read()
        connection.read()

    async def calls() -> None:
        async with Client(socket_path) as client:
            lost = await asyncio.gather(client.rpc_call("a"), client.rpc_call("b"), return_exceptions=True)
            assert all(isinstance(error, ConnectionLostError) for error in lost)
            assert str(lost[1]).startswith("b: ")
            assert (await client.rpc_call("c"))["method"] == "c"

    with ScriptedNode(socket_path, read_and_go, echo):
        run(calls())


def test_it_connects_anew_when_the_idle_connection_was_closed(socket_path: Path) -> None:
    async def calls() -> None:
        async with Client(socket_path) as client:
            with ScriptedNode(socket_path, once('{"id":ID,"result":1}')):
                assert await client.rpc_call("a") == 1
            with ScriptedNode(socket_path, once('{"id":ID,"result":2}')):
                assert await client.rpc_call("a") == 2

    run(calls())


def test_a_call_in_another_event_loop_is_refused_until_the_client_is_closed(socket_path: Path) -> None:
    client = Client(socket_path)

    async def call() -> None:
        assert (await client.rpc_call("a"))["method"] == "a"

    async def call_and_close() -> None:
        async with client:
            await call()

    with ScriptedNode(socket_path, echo, echo), asyncio.Runner() as first:
        first.run(call())
        with pytest.raises(RuntimeError, match="belongs to the event loop that used it first"):
            run(call())
        first.run(call_and_close())
        run(call_and_close())


def test_nobody_at_the_path_is_told_with_what_to_do(socket_path: Path) -> None:
    async def calls() -> None:
        with pytest.raises(CannotConnectError, match=r"lightning-rpc: No such file .* is the node running"):
            await Client(socket_path).rpc_call("a")

    run(calls())


def test_an_answer_that_only_its_plugin_understands_fails_its_own_call_alone(socket_path: Path) -> None:
    def script(connection: Connection) -> None:
        requests = [connection.read(), connection.read()]
        bad, good = sorted(requests, key=lambda request: str(request["method"]))
        connection.send(f'{{"id":"{bad["id"]}","error":"out of sats"}}')
        connection.answer(good, 1)

    async def calls() -> None:
        async with Client(socket_path) as client:
            outcomes = await asyncio.gather(client.rpc_call("a"), client.rpc_call("b"), return_exceptions=True)
            assert isinstance(outcomes[0], ProtocolError)
            assert outcomes[1] == 1

    with ScriptedNode(socket_path, script):
        run(calls())


@pytest.mark.parametrize("text", ["hello", "[]", '{"id":ID,"result":1,}'])
def test_what_is_no_answer_is_told_and_ends_the_connection(socket_path: Path, text: str) -> None:
    async def calls() -> None:
        async with Client(socket_path) as client:
            with pytest.raises(ProtocolError, match=r"^a: the response is not JSON-RPC: "):
                await client.rpc_call("a")
            assert (await client.rpc_call("b"))["method"] == "b"

    with ScriptedNode(socket_path, once(text), echo):
        run(calls())


def test_an_error_without_an_id_goes_to_all_that_wait(socket_path: Path) -> None:
    def script(connection: Connection) -> None:
        connection.read()
        connection.read()
        connection.send('{"id":null,"error":{"code":-32600,"message":"No id"}}')
        echo(connection)

    async def calls() -> None:
        async with Client(socket_path) as client:
            failed = await asyncio.gather(client.rpc_call("a"), client.rpc_call("b"), return_exceptions=True)
            assert [str(error) for error in failed] == ["a: -32600: No id", "b: -32600: No id"]
            assert all(isinstance(error, RpcError) for error in failed)
            assert (await client.rpc_call("c"))["method"] == "c"

    with ScriptedNode(socket_path, script):
        run(calls())


def test_closing_fails_the_calls_that_wait_and_a_later_call_connects_again(socket_path: Path) -> None:
    arrived = threading.Event()

    def stay_silent(connection: Connection) -> None:
        connection.read()
        arrived.set()
        assert connection.socket.recv(1) == b""

    async def calls() -> None:
        client = Client(socket_path)
        await client.rpc_close()
        waiting = asyncio.create_task(client.rpc_call("a"))
        assert await asyncio.to_thread(arrived.wait, 10)
        await client.rpc_close()
        with pytest.raises(ConnectionLostError):
            await waiting
        assert (await client.rpc_call("b"))["method"] == "b"
        await client.rpc_close()

    with ScriptedNode(socket_path, stay_silent, echo):
        run(calls())


def test_a_large_answer_is_read(socket_path: Path) -> None:
    text = "x" * 5_000_000

    async def calls() -> None:
        async with Client(socket_path) as client:
            assert await client.rpc_call("a") == {"text": text}

    with ScriptedNode(socket_path, once(f'{{"id":ID,"result":{{"text":"{text}"}}}}\n\n')):
        run(calls())
