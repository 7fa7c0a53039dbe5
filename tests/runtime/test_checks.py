"""What is refused, or warned of, before anything is sent."""

from __future__ import annotations

import asyncio
import json
import warnings
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from warnings import catch_warnings

import pytest

from rpcschema.runtime.client.aio import BaseAsyncClient
from rpcschema.runtime.client.blocking import BaseClient
from rpcschema.runtime.client.checks import check_parameters
from rpcschema.runtime.errors import ClientError, ParameterError
from tests.runtime import demo
from tests.runtime.node import Connection, Script, ScriptedNode, echo

HERE = Path(__file__)


class Client(BaseClient):
    """Its methods are as generated ones are."""

    rpc_package = demo.NAME
    rpc_commands = demo.COMMANDS

    def find(self, **params: Any) -> Any:
        return self.rpc_send("find", *(params.get(parameter.name) for parameter in demo.FIND.parameters))

    def old(self) -> Any:
        return self.rpc_send("old")


class AsyncClient(BaseAsyncClient):
    rpc_package = demo.NAME
    rpc_commands = demo.COMMANDS

    def find(self, **params: Any) -> Coroutine[Any, Any, Any]:
        return self.rpc_send("find", *(params.get(parameter.name) for parameter in demo.FIND.parameters))


def told(caught: Sequence[warnings.WarningMessage]) -> list[tuple[str, str]]:
    """Return the text of each warning, and the line of this file that it points at."""
    assert {Path(one.filename) for one in caught} == {HERE}
    lines = HERE.read_text().splitlines()
    return [(str(one.message), lines[one.lineno - 1].strip()) for one in caught]


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"label": "a", "hash": "b"}, "at most one of label and hash can be given, not label and hash"),
        ({"part": 0}, "part and group must be given together or not at all; missing: group"),
        ({"group": 1, "part": None}, "part and group must be given together or not at all; missing: part"),
        ({"start": 1, "index": None}, "start can only be given together with index"),
    ],
)
def test_refuses_parameters_that_cannot_stand_together_and_sends_nothing(
    params: dict[str, Any], why: str, socket_path: Path
) -> None:
    with Client(socket_path) as client, pytest.raises(ParameterError) as error:  # where nobody listens
        client.find(**params)
    assert str(error.value) == f"find: {why}; nothing was sent (rpc_call sends without this check)"
    assert isinstance(error.value, ClientError)
    assert isinstance(error.value, ValueError)


def noting(requests: list[str]) -> Script:
    """Return a script that notes the requests, and answers as a node that gives its release."""

    def script(connection: Connection) -> None:
        with suppress(EOFError):
            while True:
                request = connection.read()
                requests.append(f"{request['method']} {json.dumps(request['params'])}")
                connection.answer(request, {"version": "v26.09"})

    return script


def test_before_a_call_is_refused_the_node_is_asked_nothing_not_even_its_release(socket_path: Path) -> None:
    class Released(Client):
        rpc_release = "v26.09"

    requests: list[str] = []
    with ScriptedNode(socket_path, noting(requests)), Released(socket_path) as client:
        with pytest.raises(ParameterError):
            client.find(part=0)
        client.rpc_call("first", {})
        with pytest.raises(ParameterError):
            client.find(part=0)
        client.find(part=1, group=1)
    assert requests == ["first {}", "getinfo {}", 'find {"part": 1, "group": 1}']


def test_an_async_client_sends_nothing_either_before_it_refuses(socket_path: Path) -> None:
    class Released(AsyncClient):
        rpc_release = "v26.09"

    async def calls() -> None:
        async with Released(socket_path) as client:
            for name in ("first", "second"):
                with pytest.raises(ParameterError):
                    await client.find(part=0)
                await client.rpc_call(name, {})
            await client.find(part=1, group=1)

    requests: list[str] = []
    with ScriptedNode(socket_path, noting(requests)):
        asyncio.run(calls())
    assert requests == ["first {}", "second {}", "getinfo {}", 'find {"part": 1, "group": 1}']


def test_an_async_client_refuses_at_the_call_not_at_the_await(socket_path: Path) -> None:
    async def calls() -> None:
        with pytest.raises(ParameterError, match=r"^find: part and group"):
            AsyncClient(socket_path).find(part=1)

    asyncio.run(calls())


@pytest.mark.parametrize(
    "params",
    [{}, {"label": "a", "hash": None}, {"part": 0, "group": 0}, {"part": None, "group": None}, {"index": "created"}],
)
def test_lets_pass_what_the_document_allows(params: dict[str, Any]) -> None:
    with catch_warnings(action="error"):
        check_parameters(demo.FIND, params, stacklevel=1)


def test_the_untyped_call_checks_nothing(socket_path: Path) -> None:
    with ScriptedNode(socket_path, echo), Client(socket_path) as client:
        assert client.rpc_call("find", {"part": 0})["params"] == {"part": 0}


def test_a_deprecated_parameter_is_warned_of_at_the_callers_line(socket_path: Path) -> None:
    with (
        ScriptedNode(socket_path, echo),
        Client(socket_path) as client,
        catch_warnings(record=True, action="always") as caught,
    ):
        client.find(index="created", start=1)
    text = "the parameter start is deprecated since v26.06, and v27.03 is the last release that supports it"
    assert told(caught) == [(f"find: {text}", 'client.find(index="created", start=1)')]


def test_an_async_client_warns_at_the_line_that_makes_the_call_even_in_a_task(socket_path: Path) -> None:
    async def calls() -> None:
        async with AsyncClient(socket_path) as client:
            task = asyncio.create_task(client.find(limit=1))
            await task

    with ScriptedNode(socket_path, echo), catch_warnings(record=True, action="always") as caught:
        asyncio.run(calls())
    line = "task = asyncio.create_task(client.find(limit=1))"
    assert told(caught) == [("find: the parameter limit is deprecated", line)]


def test_a_deprecated_parameter_that_is_not_given_is_not_warned_of() -> None:
    with catch_warnings(action="error"):
        check_parameters(demo.FIND, {"start": None, "limit": None}, stacklevel=1)


def test_a_deprecated_command_is_warned_of(socket_path: Path) -> None:
    with (
        ScriptedNode(socket_path, echo),
        Client(socket_path) as client,
        catch_warnings(record=True, action="always") as caught,
    ):
        client.old()
    assert told(caught) == [("old is deprecated since v26.06", "client.old()")]
