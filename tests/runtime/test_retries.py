"""Calls that are made again after their connection failed: only of commands that read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from rpcschema.runtime.client import retries
from rpcschema.runtime.client.aio import BaseAsyncClient
from rpcschema.runtime.client.blocking import BaseClient
from rpcschema.runtime.client.retries import pause_before_retry
from rpcschema.runtime.command import Command
from rpcschema.runtime.errors import CannotConnectError, ConnectionLostError, RpcError, TransportError
from tests.runtime import demo
from tests.runtime.loops import run
from tests.runtime.node import Connection, ScriptedNode, echo
from tests.runtime.restserver import RUNE, Request, RestServer, response

READS = Command("look", "Look", read_only=True)
PAYS = Command("pay", "Pay")
COMMANDS = {each.name: each for each in (READS, PAYS)}


class Client(BaseClient):
    rpc_package = demo.NAME
    rpc_commands = COMMANDS


class AsyncClient(BaseAsyncClient):
    rpc_package = demo.NAME
    rpc_commands = COMMANDS


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_PAUSE", 0.001)


def read_and_go(connection: Connection) -> None:
    connection.read()


def call_blocking(node: Any, method: str, **options: Any) -> Any:
    with Client(node, **options) as client:
        return client.rpc_call(method)


def call_async(node: Any, method: str, **options: Any) -> Any:
    found = []

    async def main() -> None:
        async with AsyncClient(node, **options) as client:
            found.append(await client.rpc_call(method))

    run(main())
    return found[0]


both = pytest.mark.parametrize("call", [call_blocking, call_async], ids=["blocking", "asyncio"])


@both
def test_a_command_that_reads_is_repeated_after_a_lost_connection(call: Callable[..., Any], socket_path: Path) -> None:
    with ScriptedNode(socket_path, read_and_go, read_and_go, echo):
        assert call(socket_path, "look", retries=2)["method"] == "look"


@both
def test_it_is_repeated_only_as_often_as_allowed(call: Callable[..., Any], socket_path: Path) -> None:
    with ScriptedNode(socket_path, read_and_go, read_and_go), pytest.raises(ConnectionLostError):
        call(socket_path, "look", retries=1)


@both
@pytest.mark.parametrize("method", ["pay", "unknown"])
def test_no_other_command_is_ever_repeated(call: Callable[..., Any], socket_path: Path, method: str) -> None:
    with ScriptedNode(socket_path, read_and_go), pytest.raises(ConnectionLostError):
        call(socket_path, method, retries=9)
    with pytest.raises(CannotConnectError):
        call(socket_path, method, retries=9)


@both
def test_by_default_nothing_is_repeated(call: Callable[..., Any], socket_path: Path) -> None:
    with ScriptedNode(socket_path, read_and_go), pytest.raises(ConnectionLostError):
        call(socket_path, "look")


@both
def test_the_nodes_own_errors_are_not_repeated(call: Callable[..., Any], socket_path: Path) -> None:
    def refuse(connection: Connection) -> None:
        identity = connection.read()["id"]
        connection.send(f'{{"id":"{identity}","error":{{"code":1,"message":"no"}}}}')

    with ScriptedNode(socket_path, refuse), pytest.raises(RpcError, match="look: 1: no"):
        call(socket_path, "look", retries=9)


@both
def test_a_proxy_that_does_not_reach_the_node_is_asked_again(call: Callable[..., Any], tmp_path: Path) -> None:
    def at_last(request: Request) -> bytes:
        return response("here") if len(server.requests) == 3 else response(b"Bad Gateway", 502)

    with RestServer(tmp_path, at_last) as server:
        assert call(server.url, "look", rune=RUNE, ca=server.ca, retries=2) == "here"


@both
def test_the_timeout_ends_the_attempts(call: Callable[..., Any], socket_path: Path) -> None:
    with pytest.raises(TransportError):
        call(socket_path, "look", retries=10**9, timeout=0.2)


def test_closing_ends_the_pause(socket_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "FIRST_PAUSE", 1000.0)
    monkeypatch.setattr(retries, "LONGEST_PAUSE", 1000.0)
    with ThreadPoolExecutor(1) as pool:
        client = Client(socket_path, retries=9)
        call = pool.submit(client.rpc_call, "look")
        while not call.done():
            client.rpc_close()
        assert isinstance(call.exception(), CannotConnectError)

    async def main() -> None:
        waiting = AsyncClient(socket_path, retries=9)
        task = asyncio.create_task(waiting.rpc_call("look"))
        await asyncio.sleep(0.01)
        await waiting.rpc_close()
        with pytest.raises(CannotConnectError):
            await task

    run(main())


def test_pauses_grow_up_to_a_limit_and_fit_into_the_time() -> None:
    for attempts in range(1, 40):
        pause = pause_before_retry(READS, attempts, 99, None)
        assert pause is not None
        assert 0.5 <= pause / min(retries.FIRST_PAUSE * 2 ** (attempts - 1), retries.LONGEST_PAUSE) <= 1
    assert pause_before_retry(READS, 30, 99, 1.0) is None


def test_a_copy_of_a_client_can_repeat(socket_path: Path) -> None:
    with ScriptedNode(socket_path, read_and_go, echo), Client(socket_path) as client:
        assert client.rpc_with(retries=1).rpc_call("look")["method"] == "look"
