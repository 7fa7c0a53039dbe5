"""`pay_once` of both clients against a node whose connections break."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from clnrpc import AsyncClient, ClientError, Outcome, Paid, PayOnceError, RpcError, RpcTimeoutError
from clnrpc import Client as BlockingClient
from clnrpc.errors import DestinationFailedError
from tests.runtime.node import Connection, Script, ScriptedNode
from tests.runtime.paying import DECODED, PAID, SUCCESS, listed

LEAVE = object()
"""In place of an answer: the connection ends."""

Pay = Callable[[Path], Paid]


def pay(path: Path, **given: Any) -> Paid:
    with BlockingClient(path) as client:
        return client.pay_once("lni1", **given)


def pay_async(path: Path, **given: Any) -> Paid:
    async def call() -> Paid:
        async with AsyncClient(path) as client:
            return await client.pay_once("lni1", **given)

    return asyncio.run(asyncio.wait_for(call(), 30))


both = pytest.mark.parametrize("pay", [pay, pay_async])


def expecting(*exchanges: tuple[str, Any]) -> Script:
    """Return a script that gets these calls, and returns these results or errors."""

    def script(connection: Connection) -> None:
        for method, answer in exchanges:
            request = connection.read()
            assert request["method"] == method
            if answer is LEAVE:
                return
            if isinstance(answer, int):
                error = {"code": answer, "message": "no"}
                connection.send(json.dumps({"jsonrpc": "2.0", "id": request["id"], "error": error}) + "\n\n")
            else:
                connection.answer(request, answer)
        if all(answer is not LEAVE for _, answer in exchanges):
            assert connection.socket.recv(1) == b""

    return script


def looks(*statuses: str) -> list[tuple[str, Any]]:
    return [("listpays", {"pays": [listed(status)]}) for status in statuses]


@both
def test_pays(pay: Pay, socket_path: Path) -> None:
    with ScriptedNode(socket_path, expecting(("decode", DECODED), ("xpay", SUCCESS))):
        assert pay(socket_path) == PAID


@both
def test_a_connection_that_is_lost_at_any_step_after_the_payment_began_is_made_anew(
    pay: Pay, socket_path: Path
) -> None:
    with ScriptedNode(
        socket_path,
        expecting(("decode", DECODED), ("xpay", LEAVE)),
        expecting(("listpays", LEAVE)),
        expecting(*looks("pending"), ("listpays", LEAVE)),
        expecting(*looks("pending", "complete")),
    ):
        assert pay(socket_path) == PAID


@both
def test_what_became_of_the_parts_is_looked_up_after_the_last_attempt(pay: Pay, socket_path: Path) -> None:
    with (
        ScriptedNode(
            socket_path, expecting(("decode", DECODED), ("xpay", 203), *looks("pending", "failed", "failed", "failed"))
        ),
        pytest.raises(DestinationFailedError) as error,
    ):
        pay(socket_path)
    assert error.value.outcome == Outcome.FAILED


@both
def test_the_outcome_is_unknown_when_the_time_is_over(pay: Any, socket_path: Path) -> None:
    """The node answers `xpay` only after that."""

    def hold(connection: Connection) -> None:
        connection.answer(connection.read(), DECODED)
        assert connection.read()["method"] == "xpay"
        assert connection.socket.recv(1) == b""  # the client has given up

    with ScriptedNode(socket_path, hold, expecting(*looks("pending"))), pytest.raises(PayOnceError) as error:
        pay(socket_path, within=0.3)
    assert error.value.outcome == Outcome.UNKNOWN
    assert isinstance(error.value.__cause__, RpcTimeoutError)


@both
def test_nothing_was_sent_if_the_connection_is_lost_before(pay: Pay, socket_path: Path) -> None:
    with ScriptedNode(socket_path, expecting(("decode", LEAVE))), pytest.raises(PayOnceError) as lost:
        pay(socket_path)
    with pytest.raises(PayOnceError) as error:
        pay(socket_path)  # nobody listens there
    assert lost.value.outcome == error.value.outcome == Outcome.FAILED


@both
def test_an_earlier_call_that_paid_is_found(pay: Any, socket_path: Path) -> None:
    with ScriptedNode(socket_path, expecting(("decode", DECODED), ("xpay", 207), *looks("complete"))):
        assert pay(socket_path, again=True) == PAID


def test_a_filter_of_the_client_hides_no_payment(socket_path: Path) -> None:
    def script(connection: Connection) -> None:
        for answer in (DECODED, SUCCESS):
            request = connection.read()
            assert "filter" not in request
            connection.answer(request, answer)

    with ScriptedNode(socket_path, script), BlockingClient(socket_path) as client:
        assert client.rpc_filtered({"status": True}).pay_once("lni1") == PAID


def test_a_call_that_is_cancelled_can_be_made_again(socket_path: Path) -> None:
    async def call() -> None:
        async with AsyncClient(socket_path) as client:
            task = asyncio.create_task(client.pay_once("lni1"))
            await asyncio.get_running_loop().run_in_executor(None, is_paying.wait, 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await client.pay_once("lni1", again=True) == PAID

    def script(connection: Connection) -> None:
        connection.answer(connection.read(), DECODED)
        connection.read()
        is_paying.set()
        assert connection.socket.recv(1) == b""

    is_paying = Event()
    with ScriptedNode(socket_path, script, expecting(("decode", DECODED), ("xpay", -3), *looks("complete"))):
        asyncio.run(asyncio.wait_for(call(), 30))


def test_it_raises_only_what_it_says(socket_path: Path) -> None:
    assert issubclass(PayOnceError, ClientError)
    assert not issubclass(PayOnceError, RpcError)
