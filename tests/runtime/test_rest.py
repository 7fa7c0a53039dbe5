"""Calls over clnrest: both clients, over real TLS."""

from __future__ import annotations

import asyncio
import pickle
import select
import socket
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from rpcschema.runtime.client.aio import BaseAsyncClient
from rpcschema.runtime.client.blocking import BaseClient
from rpcschema.runtime.errors import (
    CannotConnectError,
    ClientError,
    ConnectionLostError,
    ParameterError,
    ProtocolError,
    RpcError,
    RpcTimeoutError,
)
from tests.runtime import demo
from tests.runtime.loops import run
from tests.runtime.restserver import RUNE, Answer, Request, RestServer, echo, response


class Client(BaseClient):
    rpc_package = demo.NAME


class AsyncClient(BaseAsyncClient):
    rpc_package = demo.NAME


Call: TypeAlias = Callable[..., Any]


def call_blocking(url: str, *calls: tuple[str, Any], **options: Any) -> list[Any]:
    with Client(url, **options) as client:
        return [client.rpc_call(*each) for each in calls]


def call_async(url: str, *calls: tuple[str, Any], **options: Any) -> list[Any]:
    found: list[Any] = []

    async def main() -> None:
        async with AsyncClient(url, **options) as client:
            found.extend([await client.rpc_call(*each) for each in calls])

    run(main())
    return found


@pytest.fixture(params=[call_blocking, call_async], ids=["blocking", "asyncio"])
def call(request: pytest.FixtureRequest) -> Call:
    """Return what makes calls with one of the clients, and returns their results."""
    made: Call = request.param
    return made


def always(sent: bytes | None) -> Answer:
    return lambda _: sent


def serving(folder: Path, answer: Answer = echo, **options: Any) -> RestServer:
    return RestServer(folder, answer, **options)


def test_calls_share_a_connection_and_carry_the_rune(call: Call, tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        found = call(server.url, ("a", {"x": "é", "y": None}), ("b-c", None), ("d/é", {}), rune=RUNE, ca=server.ca)
    assert found == [
        {"method": "a", "params": {"x": "é"}},
        {"method": "b-c", "params": {}},
        {"method": "d%2F%C3%A9", "params": {}},
    ]
    assert {request.connection for request in server.requests} == {1}
    fields = server.requests[0].fields
    assert (fields["rune"], fields["host"]) == (RUNE, f"127.0.0.1:{server.port}")
    assert (fields["content-type"], fields["accept"]) == ("application/json", "application/json")


def test_http_without_tls_is_for_this_machine(call: Call, tmp_path: Path) -> None:
    with serving(tmp_path, is_tls=False) as server:
        assert call(server.url, ("a", None), rune=RUNE) == [{"method": "a", "params": {}}]


def test_a_path_of_the_url_comes_before_that_of_the_command(call: Call, tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        call(f"{server.url}/my node/", ("a", None), rune=RUNE, ca=server.ca)
    assert server.requests[0].method == "/my%20node/v1/a"


def test_a_large_result_arrives_whole(call: Call, tmp_path: Path) -> None:
    large = {"x": ["y" * 1000] * 5000}
    chunked = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (b'{"x":[', b'"y",' * 100_000, b'"z"]}'))
    answers = {
        "length": response(large),
        "chunks": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunked + b"0\r\n\r\n",
    }
    with serving(tmp_path, lambda request: answers[request.method]) as server:
        found = call(server.url, ("length", None), ("chunks", None), rune=RUNE, ca=server.ca)
    assert found[0] == large
    assert len(found[1]["x"]) == 100_001


@pytest.mark.parametrize("status", [401, 403, 404, 406, 500])
def test_an_error_object_is_an_rpc_error_whatever_the_status(call: Call, tmp_path: Path, status: int) -> None:
    error = {"code": 205, "message": "no route", "data": {"attempts": 3}}
    with serving(tmp_path, always(response(error, status))) as server, pytest.raises(RpcError) as raised:
        call(server.url, ("pay", None), rune=RUNE, ca=server.ca)
    assert (raised.value.code, raised.value.message, raised.value.data) == (205, "no route", {"attempts": 3})
    assert raised.value.method == "pay"


def test_an_error_leaves_the_connection_open(call: Call, tmp_path: Path) -> None:
    def refuse_one(request: Request) -> bytes:
        return response({"code": 1, "message": "no"}, 500) if request.method == "bad" else echo(request)

    async def both() -> None:
        async with AsyncClient(server.url, rune=RUNE, ca=server.ca) as client:
            with pytest.raises(RpcError):
                await client.rpc_call("bad")
            await client.rpc_call("good")

    with serving(tmp_path, refuse_one) as server:
        if call is call_async:
            run(both())
        else:
            with Client(server.url, rune=RUNE, ca=server.ca) as client:
                with pytest.raises(RpcError):
                    client.rpc_call("bad")
                client.rpc_call("good")
    assert {request.connection for request in server.requests} == {1}


UNUSABLE = {
    "a page": (response(b"<html>", 200), ProtocolError),
    "a page for an error": (response(b"<html>", 500), ProtocolError),
    "an error without a code": (response({"code": None, "message": "x"}, 500), ProtocolError),
    "a redirect": (response(b"", 302, "location: https://elsewhere/"), ProtocolError),
    "invalid UTF-8": (response(b'{"a":"\xff"}', 200), ProtocolError),
    "no HTTP": (b"!SSH-2.0-x\r\n\r\n", ProtocolError),
    "no length": (b"!HTTP/1.1 200 OK\r\n\r\n{}", ProtocolError),
    "a proxy that did not reach the node": (response(b"<html>Bad Gateway", 502), ConnectionLostError),
    "a proxy that did not wait": (response(b"", 504), ConnectionLostError),
    "a length that is too large": (b"!HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}", ConnectionLostError),
    "nothing": (None, ConnectionLostError),
}


@pytest.mark.parametrize(("sent", "kind"), UNUSABLE.values(), ids=UNUSABLE)
def test_anything_else_is_a_client_error_that_says_that_the_command_may_have_run(
    call: Call, tmp_path: Path, sent: bytes | None, kind: type[ClientError]
) -> None:
    with serving(tmp_path, always(sent)) as server, pytest.raises(ClientError) as raised:
        call(server.url, ("pay", None), rune=RUNE, ca=server.ca)
    assert type(raised.value) is kind
    assert str(raised.value).startswith("pay: ")
    assert "may have been carried out" in str(raised.value)
    assert len(server.requests) == 1


def test_a_closed_idle_connection_is_replaced(call: Call, tmp_path: Path) -> None:
    def last(request: Request) -> bytes:
        return b"!" + response(request.method, 200, "connection: close")

    with serving(tmp_path, last) as server:
        assert call(server.url, ("a", None), ("b", None), rune=RUNE, ca=server.ca) == ["a", "b"]
    assert [request.connection for request in server.requests] == [1, 2]


def test_a_server_that_closed_silently_costs_no_call(tmp_path: Path) -> None:
    with (
        serving(tmp_path, lambda request: b"!" + response(request.method)) as server,
        Client(server.url, rune=RUNE, ca=server.ca) as client,
    ):
        for name in "abc":
            assert client.rpc_call(name) == name
            server_side_ends(client)

    async def calls() -> None:
        async with AsyncClient(server.url, rune=RUNE, ca=server.ca) as client:
            for name in "abc":
                assert await client.rpc_call(name) == name
                await asyncio.sleep(0.05)

    with serving(tmp_path, lambda request: b"!" + response(request.method)) as server:
        run(calls())


def server_side_ends(client: Client) -> None:
    """Wait until the only idle connection can be read, because the server has closed it."""
    [connection] = client._rpc_transport._idle  # type: ignore[attr-defined]
    assert select.select([connection._socket], [], [], 10)[0]


def test_a_timeout_says_whether_the_command_may_still_run(call: Call, tmp_path: Path) -> None:
    def silent(request: Request) -> None:
        server.until(lambda: done)

    done: list[bool] = []
    with serving(tmp_path, silent) as server:
        with pytest.raises(RpcTimeoutError, match=r"^pay: no response within 0.3 .*may still be carried out"):
            call(server.url, ("pay", None), rune=RUNE, ca=server.ca, timeout=0.3)
        with server.changed:
            done.append(True)
            server.changed.notify_all()


def test_a_server_that_is_not_there_is_an_error_before_anything_is_sent(call: Call, tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        pass
    with pytest.raises(CannotConnectError, match=rf"cannot connect to {server.url}: .*refused.*nothing was sent"):
        call(server.url, ("a", None), rune=RUNE, ca=server.ca)


def test_a_server_that_does_not_finish_connecting_times_out(call: Call, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(RpcTimeoutError, match=rf"cannot connect to {url} in time; nothing was sent"):
            call(url, ("a", None), rune=RUNE, timeout=0.3)


def test_parameters_by_position_and_filters_are_refused_before_anything_is_sent(call: Call, tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        with pytest.raises(ParameterError, match="a: over REST, parameters are passed by name; nothing was sent"):
            call(server.url, ("a", [1]), rune=RUNE, ca=server.ca)
        for kind in (Client, AsyncClient):
            with pytest.raises(ParameterError, match="REST interface has no filters"):
                kind(server.url, rune=RUNE, ca=server.ca).rpc_filtered({"a": True})
    assert server.requests == []


def test_a_rune_in_a_file_is_read_for_each_call(call: Call, tmp_path: Path) -> None:
    file = tmp_path / "rune"
    with pytest.raises(CannotConnectError, match=r"cannot read the rune in .*/rune: No such file"):
        call("https://127.0.0.1:1", ("a", None), rune=file)
    file.write_text("not a rune: secret!\n")
    with pytest.raises(CannotConnectError, match=r"expected a rune in .*/rune, and nothing else$"):
        call("https://127.0.0.1:1", ("a", None), rune=file)
    file.write_text(f"{RUNE}\n")
    with serving(tmp_path) as server:
        call(server.url, ("a", None), rune=file, ca=server.ca)
    assert server.requests[0].fields["rune"] == RUNE


def locals_of_the_runtime(error: BaseException) -> list[str]:
    """Return what a tool shows that prints the variables of a traceback."""
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    return [repr(frame.f_locals) for frame in frames if "runtime/client" in frame.f_code.co_filename]


@pytest.mark.parametrize("status", [200, 401, 502])
def test_a_rune_is_in_no_error(call: Call, tmp_path: Path, status: int) -> None:
    for sent in (b"<html>", b"<html>" + RUNE.encode(), b'{"code":1,"message":"%b"}' % RUNE.encode()):
        with (
            serving(tmp_path, always(response(sent[: 999 if status != 200 else 59], status))) as server,
            pytest.raises((RpcError, ClientError)) as raised,
        ):
            call(server.url, ("a", None), rune=RUNE, ca=server.ca)
        assert RUNE not in str(raised.value) + repr(raised.value)
        if sent == b"<html>":
            shown = locals_of_the_runtime(raised.value)
            assert shown
            assert RUNE not in "".join(each for each in shown if "'rune': '" not in each)


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_rune_is_in_no_text_of_a_client_and_in_no_pickle(kind: Any) -> None:
    client = kind("https://127.0.0.1:1", rune=RUNE)
    with pytest.raises(TypeError, match="cannot be pickled") as refused:
        pickle.dumps(client)
    transport = client._rpc_transport
    assert RUNE not in repr((client, vars(client), transport, vars(transport), refused.value))


def test_a_client_with_a_rune_file_can_be_pickled(tmp_path: Path) -> None:
    (tmp_path / "rune").write_text(RUNE)
    with serving(tmp_path) as server, Client(server.url, rune=tmp_path / "rune", ca=server.ca) as client:
        copied = pickle.dumps(client)
        assert RUNE.encode() not in copied
        with pickle.loads(copied) as twin:
            assert twin.rpc_call("a")["method"] == "a"


WRONG = {
    "no rune": (("https://h:1",), {}, "rune: a node's REST interface needs one"),
    "not a rune": (("https://h:1",), {"rune": "a\r\nb"}, "rune: expected the text that createrune returned"),
    "no host": (("https://:1",), {"rune": RUNE}, "node: expected https://HOST:PORT"),
    "a wrong port": (("https://h:99999",), {"rune": RUNE}, "node: expected https://HOST:PORT"),
    "a user": (("https://a@h:1",), {"rune": RUNE}, "node: expected https://HOST:PORT"),
    "a query": (("https://h:1?a=b",), {"rune": RUNE}, "node: expected https://HOST:PORT"),
    "unencrypted": (("http://example.com:1",), {"rune": RUNE}, "would send the rune to example.com unencrypted"),
    "a certificate without TLS": (("http://localhost:1",), {"rune": RUNE, "ca": "x"}, "are for https://"),
    "a rune for a socket": (("/a/lightning-rpc",), {"rune": RUNE}, "are for the URL of a REST interface"),
    "no connections": (("https://h:1",), {"rune": RUNE, "connections": 0}, "expected at least 1, not 0"),
}


@pytest.mark.parametrize(("arguments", "options", "reason"), WRONG.values(), ids=WRONG)
@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_refuses_arguments(kind: Any, arguments: tuple[str], options: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as raised:
        kind(*arguments, **options)
    assert RUNE not in str(raised.value)
