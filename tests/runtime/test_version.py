"""The node's version: asked for once, compared with the release of the types, and never in the way of a call."""

from __future__ import annotations

import asyncio
import json
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import clnrpc
from rpcschema.runtime.client.aio import BaseAsyncClient
from rpcschema.runtime.client.blocking import BaseClient
from rpcschema.runtime.client.version import NodeVersion, is_compatible
from rpcschema.runtime.errors import CannotConnectError, RpcTimeoutError, VersionWarning
from tests.runtime import demo
from tests.runtime.node import Connection, Script, ScriptedNode

OTHER = '{"result":{"version":"v25.12.1"}}'
SAME = '{"result":{"version":"v26.06-120-g0123abc"}}'
TEXT = (
    "the node runs v25.12.1, and tests.runtime.demo has the types of v26.06: commands, parameters and fields may differ"
)


class Client(BaseClient):
    rpc_package = demo.NAME
    rpc_commands = demo.COMMANDS
    rpc_release = "v26.06"

    def nothing(self) -> Any:
        return self.rpc_send("nothing")

    def getinfo(self) -> Any:
        return self.rpc_send("getinfo")


class AsyncClient(BaseAsyncClient):
    rpc_package = demo.NAME
    rpc_commands = demo.COMMANDS
    rpc_release = "v26.06"


def answering(getinfo: str, seen: list[str]) -> Script:
    """Return a script that answers getinfo with `getinfo` (without its id), all else with {}; `seen` gets methods."""

    def script(connection: Connection) -> None:
        try:
            while True:
                request = connection.read()
                seen.append(request["method"])
                reply = json.loads(getinfo) if request["method"] == "getinfo" else {"result": {}}
                connection.send(json.dumps({"jsonrpc": "2.0", "id": request["id"]} | reply))
        except EOFError:
            pass

    return script


SUITS = {
    "v26.06": (
        *("v26.06", "26.06", "v26.06.1", "v26.06rc2", "v26.06-modded"),
        *("v26.06-120-g0123abc", "v26.06.1-3-g0123abc-modded", "v26.06rc1-5-g0123abc"),
        "v26.04-300-g0123abc",  # on the way to v26.06
    ),
    "v26.09": ("v26.06-258-g090f4b0", "v26.06.2-1-g0123abc", "v26.09-lnoffers-0.1.0"),
    "v26.04": ("v25.12-1-g0123abc",),
    "v0.12": ("v0.12.1",),
    "v1.0": ("vd6fa78c", "0123abc-modded", ""),  # of no release, as far as one can tell
}
SUITS_NOT = {
    "v26.06": ("v26.04", "v26.09", "v26.09rc1", "v26.09-1-g0123abc", "v25.12.1", "v25.06-1-g0123abc", "v0.12.1"),
    "v26.09": ("v26.06", "v26.06.1", "v26.06rc2", "v26.06rc2-7-g0123abc", "v26.04-9-g0123abc", "v26.06-lnoffers-0.1.0"),
}


@pytest.mark.parametrize(("release", "version"), [(release, each) for release in SUITS for each in SUITS[release]])
def test_types_suit_their_release_and_the_builds_on_the_way_to_it(release: str, version: str) -> None:
    assert is_compatible(release, version)


@pytest.mark.parametrize(
    ("release", "version"), [(release, each) for release in SUITS_NOT for each in SUITS_NOT[release]]
)
def test_types_suit_no_other_release(release: str, version: str) -> None:
    assert not is_compatible(release, version)


@pytest.mark.parametrize("version", ["v26.06-258-g090f4b0", clnrpc.RELEASE])
def test_the_build_that_the_types_come_from_brings_no_warning(version: str, socket_path: Path) -> None:
    seen: list[str] = []
    getinfo = json.dumps({"result": {"version": version}})
    with ScriptedNode(socket_path, answering(getinfo, seen)), clnrpc.Client(socket_path) as client:
        client.stop()
        assert client.rpc_node_version == version
    assert seen == ["getinfo", "stop"]


def test_a_node_of_another_release_is_warned_of_once(socket_path: Path) -> None:
    seen: list[str] = []
    with ScriptedNode(socket_path, answering(OTHER, seen)), Client(socket_path) as client:
        assert client.rpc_node_version is None
        with pytest.warns(VersionWarning) as caught:
            client.nothing()
        client.nothing()
        client.getinfo()
        assert [(str(one.message), Path(one.filename)) for one in caught] == [(TEXT, Path(__file__))]
        assert client.rpc_node_version == "v25.12.1"
    assert seen == ["getinfo", "nothing", "nothing", "getinfo"]


def test_a_node_of_the_same_release_brings_no_warning(socket_path: Path) -> None:
    seen: list[str] = []
    with ScriptedNode(socket_path, answering(SAME, seen)), Client(socket_path) as client:
        client.nothing()
        assert client.rpc_node_version == "v26.06-120-g0123abc"
    assert seen == ["getinfo", "nothing"]


def test_a_first_call_of_getinfo_is_not_made_twice(socket_path: Path) -> None:
    seen: list[str] = []
    with ScriptedNode(socket_path, answering(OTHER, seen)), Client(socket_path) as client:
        with pytest.warns(VersionWarning, match="v25.12.1") as caught:
            client.getinfo()
        client.nothing()
        assert Path(caught[0].filename) == Path(__file__)
    assert seen == ["getinfo", "nothing"]


def test_untyped_calls_ask_nothing(socket_path: Path) -> None:
    seen: list[str] = []
    with ScriptedNode(socket_path, answering(OTHER, seen)), Client(socket_path) as client:
        client.rpc_call("nothing")
        client.rpc_call("getinfo")
    assert seen == ["nothing", "getinfo"]


def test_types_of_no_release_ask_nothing(socket_path: Path) -> None:
    class Unreleased(Client):
        rpc_release = None

    seen: list[str] = []
    with ScriptedNode(socket_path, answering(OTHER, seen)), Unreleased(socket_path) as client:
        client.nothing()
        assert client.rpc_node_version is None
        client.getinfo()
        assert client.rpc_node_version == "v25.12.1"
    assert seen == ["nothing", "getinfo"]


REFUSALS = [
    '{"error":{"code":-32601,"message":"Unknown command"}}',
    '{"error":{"code":1502,"message":"Not permitted"}}',
    '{"result":null}',
    '{"result":[]}',
    '{"result":{}}',
    '{"result":{"version":null}}',
    '{"result":{"version":26}}',
    '{"result":{"version":"0123abc"}}',
]


@pytest.mark.parametrize("getinfo", REFUSALS)
def test_a_node_that_does_not_tell_its_version_fails_no_call(getinfo: str, socket_path: Path) -> None:
    seen: list[str] = []
    with ScriptedNode(socket_path, answering(getinfo, seen)), Client(socket_path) as client:
        client.nothing()
        client.nothing()
    assert seen == ["getinfo", "nothing", "nothing"]


@given(st.binary())
def test_no_answer_whatever_breaks_what_is_learnt(answer: bytes) -> None:
    version = NodeVersion("mynode", "v26.06")
    with warnings.catch_warnings(action="ignore"):
        version.learn(answer, stacklevel=1)
    assert version.is_settled


def test_a_node_that_cannot_be_reached_is_asked_when_it_can(socket_path: Path) -> None:
    seen: list[str] = []
    with Client(socket_path) as client:
        with pytest.raises(CannotConnectError):
            client.nothing()
        with ScriptedNode(socket_path, answering(OTHER, seen)):
            with pytest.warns(VersionWarning):
                client.nothing()
            client.rpc_close()
    assert seen == ["getinfo", "nothing"]


def lost(connection: Connection) -> None:
    connection.read()


def test_a_connection_that_ends_over_the_question_fails_no_call(socket_path: Path) -> None:
    seen: list[str] = []
    with ScriptedNode(socket_path, lost, answering(SAME, seen)), Client(socket_path) as client:
        client.nothing()
        client.nothing()
    assert seen == ["nothing", "getinfo", "nothing"]


def test_question_and_call_share_one_timeout(socket_path: Path) -> None:
    def silent(connection: Connection) -> None:
        assert connection.read()["method"] == "getinfo"
        with pytest.raises(EOFError):
            connection.read()

    with (
        ScriptedNode(socket_path, silent),
        Client(socket_path, timeout=0.2) as client,
        pytest.raises(
            RpcTimeoutError, match=r"^nothing: no response within 0.2 seconds; the command was not carried out"
        ),
    ):
        client.nothing()


def test_threads_ask_once(socket_path: Path) -> None:
    seen: list[str] = []
    with (
        ScriptedNode(socket_path, answering(SAME, seen)),
        Client(socket_path, connections=1) as client,
        ThreadPoolExecutor(4) as pool,
    ):
        list(pool.map(lambda _: client.nothing(), range(20)))
    assert sorted(seen) == ["getinfo", *["nothing"] * 20]


def run(path: Path, calls: Callable[[AsyncClient], Any], **options: Any) -> None:
    async def main() -> None:
        async with AsyncClient(path, **options) as client:
            await calls(client)

    asyncio.run(asyncio.wait_for(main(), 20))


def test_concurrent_first_calls_share_one_question_and_go_out_in_their_order(socket_path: Path) -> None:
    params: list[Any] = []

    def script(connection: Connection) -> None:
        first = connection.read()
        assert first["method"] == "getinfo"
        connection.answer(first, {"version": "v25.12.1"})
        for _ in range(20):
            params.append((request := connection.read())["params"])
            connection.answer(request, {})

    async def calls(client: AsyncClient) -> None:
        await asyncio.gather(*(client.rpc_send("count", number) for number in range(20)))
        assert client.rpc_node_version == "v25.12.1"

    with ScriptedNode(socket_path, script), pytest.warns(VersionWarning) as caught:
        run(socket_path, calls)
    assert params == [{"number": number} for number in range(20)]
    assert [str(one.message) for one in caught] == [TEXT]


def test_a_first_call_that_is_cancelled_leaves_the_question_to_the_next(socket_path: Path) -> None:
    asked = asyncio.Event()

    def given_up(connection: Connection) -> None:
        connection.read()
        loop.call_soon_threadsafe(asked.set)
        with pytest.raises(EOFError):
            connection.read()

    def script(connection: Connection) -> None:
        again = connection.read()
        assert again["method"] == "getinfo"
        connection.answer(again, {"version": "v26.06"})
        request = connection.read()
        assert request["params"] == {"number": 2}
        connection.answer(request, {})

    async def calls(client: AsyncClient) -> None:
        nonlocal loop
        loop = asyncio.get_running_loop()
        first = asyncio.create_task(client.rpc_send("count", 1))
        second = asyncio.create_task(client.rpc_send("count", 2))
        await asked.wait()
        first.cancel()
        await second
        assert first.cancelled()

    loop: asyncio.AbstractEventLoop
    with ScriptedNode(socket_path, given_up, script):
        run(socket_path, calls)


@pytest.mark.parametrize("getinfo", REFUSALS)
def test_an_async_client_needs_no_version_either(getinfo: str, socket_path: Path) -> None:
    seen: list[str] = []

    async def calls(client: AsyncClient) -> None:
        await client.rpc_send("nothing")
        await client.rpc_send("nothing")

    with ScriptedNode(socket_path, answering(getinfo, seen)):
        run(socket_path, calls)
    assert seen == ["getinfo", "nothing", "nothing"]


def test_an_async_first_call_of_getinfo_is_not_made_twice(socket_path: Path) -> None:
    seen: list[str] = []

    async def calls(client: AsyncClient) -> None:
        with pytest.warns(VersionWarning) as caught:
            await client.rpc_send("getinfo")
        await client.rpc_send("nothing")
        assert Path(caught[0].filename) == Path(__file__)

    with ScriptedNode(socket_path, answering(OTHER, seen)):
        run(socket_path, calls)
    assert seen == ["getinfo", "nothing"]


def test_async_question_and_call_share_one_timeout(socket_path: Path) -> None:
    def silent(connection: Connection) -> None:
        assert connection.read()["method"] == "getinfo"
        with pytest.raises(EOFError):
            connection.read()

    async def calls(client: AsyncClient) -> None:
        text = r"^nothing: no response within 0.2 seconds; the command was not carried out"
        with pytest.raises(RpcTimeoutError, match=text):
            await client.rpc_send("nothing")

    with ScriptedNode(socket_path, silent):
        run(socket_path, calls, timeout=0.2)
