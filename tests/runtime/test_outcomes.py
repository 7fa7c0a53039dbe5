"""What an error means for the call: the class and the outcome of each."""

from __future__ import annotations

import asyncio
import pickle
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import clnrpc
from clnrpc import AsyncClient, ClientError, Outcome, RpcError
from clnrpc.errors import AlreadyPaidError, InvalidParametersError, InvoiceExpiredError, PluginError
from clnrpc.runtime.errors import client_closed, connection_lost, queue_is_full, timed_out
from tests.runtime.node import Connection, ScriptedNode

PAY = {"invstring": "lni1"}


def refuse(code: int, *, after: int = 1) -> Any:
    """Return a script that answers the last of `after` calls with an error, and those before with {}."""

    def script(connection: Connection) -> None:
        for _ in range(after - 1):
            connection.answer(connection.read(), {})
        request = connection.read()
        connection.send(f'{{"id":"{request["id"]}","error":{{"code":{code},"message":"no","data":[1]}}}}\n\n')

    return script


def hang_up(connection: Connection) -> None:
    connection.read()


def wait(connection: Connection) -> None:
    connection.read()
    assert connection.socket.recv(1) == b""


def failed_call(path: Path, method: str, params: Any, *, timeout: float | None = None) -> RpcError | ClientError:
    with clnrpc.Client(path, timeout=timeout) as client, pytest.raises((RpcError, ClientError)) as error:
        client.rpc_call(method, params)
    return error.value


async def failed_async_call(path: Path, method: str, params: Any) -> RpcError | ClientError:
    async with AsyncClient(path) as client:
        with pytest.raises((RpcError, ClientError)) as error:
            await client.rpc_call(method, params)
    return error.value


@pytest.mark.parametrize(
    ("method", "code", "kind", "outcome"),
    [
        ("xpay", 207, InvoiceExpiredError, Outcome.FAILED),
        ("xpay", 219, AlreadyPaidError, Outcome.DONE),
        ("xpay", -3, PluginError, Outcome.UNKNOWN),
        ("xpay", 1005, clnrpc.errors.OfferTimeoutError, Outcome.RETRY),
        ("listpeers", 207, InvoiceExpiredError, Outcome.UNKNOWN),
        ("anything", -32602, InvalidParametersError, Outcome.FAILED),
        ("multifundchannel", -32602, InvalidParametersError, Outcome.UNKNOWN),
        ("xpay", 1502, clnrpc.errors.RuneNotPermittedError, Outcome.FAILED),
        ("xpay", 123456, RpcError, Outcome.UNKNOWN),
    ],
)
def test_both_clients_raise_the_class_of_the_code_with_its_outcome(
    method: str, code: int, kind: type[RpcError], outcome: Outcome, socket_path: Path
) -> None:
    with ScriptedNode(socket_path, refuse(code)):
        error = failed_call(socket_path, method, PAY)
    with ScriptedNode(socket_path, refuse(code)):
        other = asyncio.run(failed_async_call(socket_path, method, PAY))
    for each in (error, other):
        assert type(each) is kind
        assert isinstance(each, RpcError)
        assert (each.code, each.message, each.data, each.method) == (code, "no", [1], method)
        assert (each.outcome, str(each)) == (outcome, f"{method}: {code}: no")
        assert each.__cause__ is None
        assert each.__suppress_context__


def test_methods_of_commands_raise_it_too(socket_path: Path) -> None:
    with ScriptedNode(socket_path, refuse(219, after=2)), clnrpc.Client(socket_path) as client:
        with pytest.raises(AlreadyPaidError) as error:
            client.xpay("lni1")
        assert error.value.outcome == Outcome.DONE


def test_an_error_survives_pickling(socket_path: Path) -> None:
    with ScriptedNode(socket_path, refuse(219)):
        error = pickle.loads(pickle.dumps(failed_call(socket_path, "xpay", PAY)))
    assert type(error) is AlreadyPaidError
    assert (error.method, error.outcome, error.data) == ("xpay", Outcome.DONE, [1])


def test_what_was_not_sent_has_failed(socket_path: Path) -> None:
    assert failed_call(socket_path, "xpay", PAY).outcome == Outcome.FAILED  # nobody listens
    assert failed_call(socket_path, "xpay", {"invstring": object()}).outcome == Outcome.FAILED
    with clnrpc.Client(socket_path) as client, pytest.raises(clnrpc.ParameterError) as error:
        client.listinvoices(label="a", payment_hash="00" * 32)
    assert error.value.outcome == Outcome.FAILED


def test_a_request_that_was_not_sent_in_full_has_failed(socket_path: Path) -> None:
    def leave(connection: Connection) -> None:
        connection.socket.recv(1)

    with ScriptedNode(socket_path, leave):
        error = failed_call(socket_path, "xpay", {"invstring": "x" * (1 << 24)})
    assert isinstance(error, clnrpc.ConnectionLostError)
    assert error.outcome == Outcome.FAILED


def test_after_a_lost_connection_the_outcome_is_unknown(socket_path: Path) -> None:
    with ScriptedNode(socket_path, hang_up):
        error = failed_call(socket_path, "xpay", PAY)
    with ScriptedNode(socket_path, hang_up):
        other = asyncio.run(failed_async_call(socket_path, "xpay", PAY))
    for each in (error, other):
        assert isinstance(each, clnrpc.ConnectionLostError)
        assert each.outcome == Outcome.UNKNOWN


def test_after_a_timeout_the_outcome_is_unknown(socket_path: Path) -> None:
    with ScriptedNode(socket_path, wait):
        error = failed_call(socket_path, "xpay", PAY, timeout=0.1)
    assert isinstance(error, clnrpc.RpcTimeoutError)
    assert error.outcome == Outcome.UNKNOWN


def test_after_a_response_that_cannot_be_read_the_outcome_is_unknown(socket_path: Path) -> None:
    def script(connection: Connection) -> None:
        connection.read()
        connection.send("no JSON")

    with ScriptedNode(socket_path, script):
        assert failed_call(socket_path, "xpay", PAY).outcome == Outcome.UNKNOWN


@pytest.mark.parametrize("make", [connection_lost, client_closed, partial(timed_out, timeout=1.0)])
def test_it_depends_on_whether_the_request_was_sent_in_full(make: Any) -> None:
    assert make("xpay", sent=True).outcome == Outcome.UNKNOWN
    assert make("xpay", sent=False).outcome == Outcome.FAILED
    assert queue_is_full("rpc").outcome == Outcome.FAILED


def test_an_error_of_a_service_has_an_unknown_outcome() -> None:
    assert RpcError(207, "expired").outcome == Outcome.UNKNOWN


def test_the_classes_load_with_the_first_error() -> None:
    code = "import sys, clnrpc; clnrpc.Client('x'); print('clnrpc.errors' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "False\n"
