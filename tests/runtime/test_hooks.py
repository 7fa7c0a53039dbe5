"""Hooks that observe calls."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from rpcschema.runtime.client.aio import BaseAsyncClient
from rpcschema.runtime.client.blocking import BaseClient
from rpcschema.runtime.client.hooks import CallHooks, CallRecord
from rpcschema.runtime.errors import CannotConnectError
from tests.runtime import demo
from tests.runtime.loops import run
from tests.runtime.node import ManyNode, ScriptedNode, echo


class Client(BaseClient):
    rpc_package = demo.NAME


class AsyncClient(BaseAsyncClient):
    rpc_package = demo.NAME


class Seen(CallHooks):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, int, int, str]] = []
        self.records: list[CallRecord] = []

    def _note(self, event: str, call: CallRecord) -> None:
        self.events.append((event, call.method, call.request_bytes, call.response_bytes, type(call.error).__name__))
        self.records.append(call)

    def before(self, call: CallRecord) -> None:
        assert call.seconds == 0
        self._note("before", call)

    def after(self, call: CallRecord) -> None:
        self._note("after", call)

    def failed(self, call: CallRecord) -> None:
        self._note("failed", call)


def test_a_call_is_observed_before_and_after(socket_path: Path) -> None:
    seen = Seen()
    with ScriptedNode(socket_path, echo), Client(socket_path, on_call=[seen]) as client:
        client.rpc_call("a", {"b": 1})
    response = len('{"method": "a", "params": {"b": 1}}')
    assert seen.events == [("before", "a", 7, 0, "NoneType"), ("after", "a", 7, response, "NoneType")]
    assert seen.records[0] is seen.records[1]
    assert seen.records[0].seconds > 0
    assert seen.records[0].attempts == 1


def test_a_failure_is_observed_with_its_error(socket_path: Path) -> None:
    seen = Seen()
    with Client(socket_path, on_call=[seen]) as client, pytest.raises(CannotConnectError) as raised:
        client.rpc_call("a")
    assert seen.events == [("before", "a", 2, 0, "NoneType"), ("failed", "a", 2, 0, "CannotConnectError")]
    assert seen.records[1].error is raised.value


def test_calls_of_asyncio_are_observed_each_and_cancellations_too(socket_path: Path) -> None:
    seen = Seen()

    async def main() -> None:
        async with AsyncClient(socket_path, on_call=[seen]) as client:
            wait = asyncio.create_task(client.rpc_call("wait"))
            await asyncio.sleep(0)
            assert await client.rpc_call("a", [1]) == [1]
            wait.cancel()
            await asyncio.gather(wait, return_exceptions=True)

    with ManyNode(socket_path):
        run(main())
    assert [(event, method, error) for event, method, _, _, error in seen.events] == [
        *(("before", "wait", "NoneType"), ("before", "a", "NoneType"), ("after", "a", "NoneType")),
        ("failed", "wait", "CancelledError"),
    ]


def test_several_hooks_end_in_the_reverse_order(socket_path: Path) -> None:
    order: list[str] = []

    class Named(CallHooks):
        def __init__(self, name: str) -> None:
            self.name = name

        def before(self, call: CallRecord) -> None:
            order.append(f"{self.name} before {call.method}")

        def after(self, call: CallRecord) -> None:
            order.append(f"{self.name} after {call.method}")

    with ScriptedNode(socket_path, echo), Client(socket_path, on_call=[Named("1"), Named("2")]) as client:
        client.rpc_call("a")
    assert order == ["1 before a", "2 before a", "2 after a", "1 after a"]


class Broken(CallHooks):
    def after(self, call: CallRecord) -> None:
        raise KeyError(call.method)

    failed = after


def test_an_error_after_the_call_is_logged_and_the_caller_gets_the_result(
    socket_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with ScriptedNode(socket_path, echo), Client(socket_path, on_call=[Broken()]) as client:
        assert client.rpc_call("a", ["secret"])["method"] == "a"
    with pytest.raises(CannotConnectError), Client(socket_path, on_call=[Broken()]) as client:
        client.rpc_call("a", ["secret"])
    assert [record.getMessage() for record in caplog.records] == ["a hook failed after a call of a"] * 2
    assert caplog.records[0].levelno == logging.ERROR
    assert "secret" not in caplog.text


def test_an_error_before_the_call_prevents_it(socket_path: Path) -> None:
    class Refusing(CallHooks):
        def before(self, call: CallRecord) -> None:
            raise PermissionError(call.method)

    with ManyNode(socket_path) as node, Client(socket_path, on_call=[Refusing()]) as client:
        with pytest.raises(PermissionError, match="a"):
            client.rpc_call("a")
        assert node.calls == []


def test_a_record_has_nothing_of_the_parameters() -> None:
    record: Any = CallRecord("a", 7)
    assert set(record.__slots__) == {"attempts", "error", "method", "request_bytes", "response_bytes", "seconds"}
