"""The blocking client against real sockets: one connection, answers by id, and honest errors."""

from __future__ import annotations

import json
import pickle
import select
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from rpcschema.runtime.client.blocking import BaseClient
from rpcschema.runtime.client.unix import UnixTransport, is_open
from rpcschema.runtime.errors import (
    CannotConnectError,
    ClientError,
    ConnectionLostError,
    DecodeError,
    EncodeError,
    MissingFieldError,
    ProtocolError,
    RpcError,
    RpcTimeoutError,
    TransportError,
)
from tests.runtime import demo
from tests.runtime.demo.types.greet import GreetResponse
from tests.runtime.demo.types.pay_all import PayAllOutput, PayAllResponse
from tests.runtime.node import Connection, ManyNode, ScriptedNode, echo


class Client(BaseClient):
    rpc_package = demo.NAME
    rpc_commands = demo.COMMANDS

    def greet(self, *, name: str, amount: int | str, return_: bool | None = None, times: int | None = None) -> Any:
        return self.rpc_send("greet", name, amount, return_, times)


def once(text: str | bytes) -> Any:
    """Return a script that answers one request by `text`, in which ID stands for the request's id."""

    def script(connection: Connection) -> None:
        identity = json.dumps(connection.read()["id"])
        connection.send((text.encode() if isinstance(text, str) else text).replace(b"ID", identity.encode()))

    return script


def test_calls_share_one_connection_and_have_ids_of_their_own(socket_path: Path) -> None:
    def script(connection: Connection) -> None:
        for number in (1, 2):
            request = connection.read()
            assert list(request) == ["jsonrpc", "id", "method", "params"]
            assert (request["jsonrpc"], request["id"]) == ("2.0", f"clnrpc:getinfo#{number}")
            connection.answer(request, number)

    with ScriptedNode(socket_path, script), Client(socket_path) as client:
        assert [client.rpc_call("getinfo"), client.rpc_call("getinfo")] == [1, 2]


def test_any_command_can_be_called_by_name_or_position(socket_path: Path) -> None:
    with ScriptedNode(socket_path, echo), Client(str(socket_path)) as client:
        assert client.rpc_call("a") == {"method": "a", "params": {}}
        assert client.rpc_call("a", [1, None, "é"]) == {"method": "a", "params": [1, None, "é"]}
        assert client.rpc_call('"\n', {"x": 1, "y": None}) == {"method": '"\n', "params": {"x": 1}}
        outputs = [PayAllOutput(pay_to="me", amount=1)]
        assert client.rpc_call("a", {"o": outputs})["params"] == {"o": [{"pay-to": "me", "amount": 1}]}


def test_a_typed_call_sends_wire_names_and_returns_the_response_class(socket_path: Path) -> None:
    def script(connection: Connection) -> None:
        request = connection.read()
        assert request["params"] == {"name": "you", "amount": "1sat", "return": False}
        connection.answer(request, {"greeting": "hi", "amount_msat": 1000, "new": 1})

    with ScriptedNode(socket_path, script), Client(socket_path) as client:
        assert client.greet(name="you", amount="1sat", return_=False) == GreetResponse(greeting="hi", amount_msat=1000)


def test_a_filter_goes_with_the_calls_of_the_client_made_for_it_on_the_same_connection(socket_path: Path) -> None:
    def script(connection: Connection) -> None:
        for only in ({"outputs": [{"amount_msat": True}]}, None):
            request = connection.read()
            assert request.get("filter") == only
            connection.answer(request, 1)

    with ScriptedNode(socket_path, script), Client(socket_path) as client:
        assert client.rpc_filtered({"outputs": [{"amount_msat": True}]}).rpc_call("a") == 1
        assert client.rpc_call("b") == 1
    with pytest.raises(EncodeError):
        client.rpc_filtered({"a": object()})


def test_what_a_filter_left_out_is_an_error_only_when_it_is_read(socket_path: Path) -> None:
    def script(connection: Connection) -> None:
        for answer in ({"version": "v1"}, {"amount_msat": 1}):
            request = connection.read()
            assert ("filter" in request) == (request["method"] == "greet")
            connection.answer(request, answer)

    class Released(Client):
        rpc_release = "v1"

    with ScriptedNode(socket_path, script), Released(socket_path) as client:
        greeting = client.rpc_filtered({"amount_msat": True}).greet(name="you", amount=1)
        assert greeting.amount_msat == 1
        with pytest.raises(MissingFieldError, match="the node did not send greeting"):
            greeting.greeting.upper()
        assert client.rpc_node_version == "v1"


def test_a_filtered_getinfo_says_nothing_of_the_version(socket_path: Path) -> None:
    class Released(Client):
        rpc_release = "v1"

    with ScriptedNode(socket_path, once('{"id":ID,"result":{}}')), Released(socket_path) as client:
        client.rpc_filtered({"id": True}).rpc_send("getinfo")
        assert not client._rpc_version.is_settled


def test_a_response_with_other_names_is_decoded(socket_path: Path) -> None:
    with (
        ScriptedNode(socket_path, once('{"id":ID,"result":{"paid":1,"format-hint":"x"}}')),
        Client(socket_path) as client,
    ):
        assert client.rpc_send("pay-all", []) == PayAllResponse(paid=1, format_hint="x")


def test_an_error_is_raised_with_code_message_and_data_and_the_connection_stays(socket_path: Path) -> None:
    def script(connection: Connection) -> None:
        once('{"id":ID,"error":{"code":-1,"message":"no","data":{"a":[1]}}}')(connection)
        echo(connection)

    with ScriptedNode(socket_path, script), Client(socket_path) as client:
        with pytest.raises(RpcError) as error:
            client.rpc_call("a")
        assert (error.value.code, error.value.message, error.value.data) == (-1, "no", {"a": [1]})
        assert (error.value.method, str(error.value)) == ("a", "a: -1: no")
        assert client.rpc_call("b")["method"] == "b"


def test_an_error_shows_no_parameter(socket_path: Path) -> None:
    with (
        ScriptedNode(socket_path, once('{"id":ID,"error":{"code":-32602,"message":"name: bad"}}')),
        Client(socket_path) as client,
        pytest.raises(RpcError) as caught,
    ):
        client.greet(name="s3cret", amount=1)
    error = caught.value
    assert (error.method, str(error)) == ("greet", "greet: -32602: name: bad")
    assert "s3cret" not in f"{error!r} {vars(error)} {error.__cause__} {error.__context__}"
    assert b"s3cret" not in pickle.dumps(error)


def test_an_error_without_an_id_belongs_to_the_call_at_hand(socket_path: Path) -> None:
    reply = '{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"No id"}}\n\n'
    with (
        ScriptedNode(socket_path, once(reply)),
        Client(socket_path) as client,
        pytest.raises(RpcError, match="-32600: No id"),
    ):
        client.rpc_call("a")


def test_notifications_and_answers_to_others_are_passed_over(socket_path: Path) -> None:
    text = '{"method":"message","params":{"id":ID}}\n\n{"id":"other","result":1}'
    text += '{"id":5,"result":1}{"id":[1],"result":1}{"id":null,"result":1}{"result":1}{"id":ID,"result":2}'
    with ScriptedNode(socket_path, once(text)), Client(socket_path) as client:
        assert client.rpc_call("a") == 2


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("end", ["", "\n\n", "\n"])
def test_an_answer_is_read_however_it_arrives(socket_path: Path, size: int, end: str) -> None:
    result = {"text": '}\n\n{"é🎉', "nested": [[{}], {"a": [None]}]}

    def script(connection: Connection) -> None:
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
        request = connection.read()
        text = json.dumps({"id": request["id"], "result": result}, indent=1, ensure_ascii=False) + end
        with suppress(BrokenPipeError):  # the client may go before the line feeds
            for at in range(0, len(text.encode()), size):
                connection.send(text.encode()[at : at + size])

    with ScriptedNode(socket_path, script), Client(socket_path) as client:
        assert client.rpc_call("a") == result


def test_a_large_answer_is_read(socket_path: Path) -> None:
    text = "x" * 5_000_000
    with (
        ScriptedNode(socket_path, once(f'{{"id":ID,"result":{{"text":"{text}"}}}}\n\n')),
        Client(socket_path) as client,
    ):
        assert client.rpc_call("a") == {"text": text}


def test_it_connects_anew_when_the_idle_connection_was_closed(socket_path: Path) -> None:
    with (
        ScriptedNode(socket_path, once('{"id":ID,"result":1}'), once('{"id":ID,"result":2}')),
        Client(socket_path) as client,
    ):
        assert client.rpc_call("a") == 1
        wait_until_closed(client)
        assert client.rpc_call("a") == 2


def test_it_connects_anew_even_if_something_was_left_unread(socket_path: Path) -> None:
    answered = threading.Event()

    def write_more_and_go(connection: Connection) -> None:
        once('{"id":ID,"result":1}')(connection)
        assert answered.wait(10)
        connection.send("\n\n")

    with ScriptedNode(socket_path, write_more_and_go, echo), Client(socket_path) as client:
        assert client.rpc_call("a") == 1
        answered.set()
        wait_until_closed(client)
        assert client.rpc_call("b")["method"] == "b"


def wait_until_closed(client: BaseClient) -> None:
    assert isinstance(client._rpc_transport, UnixTransport)
    [connection] = client._rpc_transport._idle
    poll = select.poll()
    poll.register(connection._socket, select.POLLRDHUP)
    assert poll.poll(10_000)


def test_a_request_that_went_out_is_not_sent_again(socket_path: Path) -> None:
    def read_and_go(connection: Connection) -> None:
        connection.read()

    with ScriptedNode(socket_path, read_and_go, echo), Client(socket_path) as client:
        with pytest.raises(ConnectionLostError, match=r"pay: .* may have been carried out"):
            client.rpc_call("pay")
        assert client.rpc_call("b")["method"] == "b"


def test_nobody_at_the_path_is_told_with_what_to_do(socket_path: Path) -> None:
    client = Client(socket_path)
    with pytest.raises(CannotConnectError, match=r"lightning-rpc: No such file .* is the node running"):
        client.rpc_call("a")
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(socket_path))
        with pytest.raises(CannotConnectError, match=r"lightning-rpc: Connection refused; is the node running"):
            client.rpc_call("a")
    with pytest.raises(TransportError, match=r"AF_UNIX path too long; is the node running"):
        Client("x" * 200).rpc_call("a")


def test_a_call_ends_with_its_timeout_and_the_next_has_a_new_connection(socket_path: Path) -> None:
    def stay_silent(connection: Connection) -> None:
        connection.read()
        assert connection.socket.recv(1) == b""

    with ScriptedNode(socket_path, stay_silent, echo), Client(socket_path, timeout=1) as client:
        with pytest.raises(RpcTimeoutError, match=r"wait: no response within 1 seconds") as error:
            client.rpc_call("wait")
        assert isinstance(error.value, TimeoutError | ClientError)
        assert client.rpc_call("b")["method"] == "b"


def test_a_socket_is_open_until_the_other_side_closes_it() -> None:
    here, there = socket.socketpair()
    with here:
        here.setblocking(False)
        assert is_open(here)
        there.send(b"x")
        assert is_open(here)
        here.send(b"never read")
        there.close()
        assert here.recv(1) == b"x"
        assert not is_open(here)


def test_the_timeout_bounds_the_whole_call_not_each_read(socket_path: Path) -> None:
    def drip(connection: Connection) -> None:
        connection.read()
        try:
            while True:
                connection.send(" ")
                threading.Event().wait(0.05)
        except OSError:
            pass

    with ScriptedNode(socket_path, drip), Client(socket_path, timeout=0.3) as client, pytest.raises(RpcTimeoutError):
        client.rpc_call("a")


@pytest.mark.parametrize(
    "text",
    ["hello", "[]", '{"id":ID,"result":1,}', b'{"id":"\xff"}'],
)
def test_what_is_no_answer_is_told_and_ends_the_connection(socket_path: Path, text: str | bytes) -> None:
    with ScriptedNode(socket_path, once(text), echo), Client(socket_path) as client:
        with pytest.raises(ProtocolError, match=r"^a: the response is not JSON-RPC: "):
            client.rpc_call("a")
        assert client.rpc_call("b")["method"] == "b"


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ("", "neither a result nor an error"),
        (',"error":null', "neither a result nor an error"),
        (',"error":"out of sats"', 'integer code and a text message: "out of sats"'),
        (',"error":{"message":"x"},"result":1', r'integer code and a text message: {"message":"x"}'),
        (',"error":{"code":"x","message":"y"}', r'integer code and a text message: {"code":"x","message":"y"}'),
        (',"error":{"code":1,"message":"y","data":1e999}', r"integer code and a text message: {.*1e999}"),
    ],
)
def test_an_answer_that_only_its_plugin_understands_fails_its_own_call_alone(
    socket_path: Path, members: str, why: str
) -> None:
    def script(connection: Connection) -> None:
        connection.send(f'{{"id":"{connection.read()["id"]}"{members}}}')
        echo(connection)

    with ScriptedNode(socket_path, script), Client(socket_path) as client:
        with pytest.raises(ProtocolError, match=f"^a: the response .*{why}"):
            client.rpc_call("a")
        assert client.rpc_call("b")["method"] == "b"


def test_an_error_that_is_null_is_none(socket_path: Path) -> None:
    with ScriptedNode(socket_path, once('{"id":ID,"error": null,"result":1}')), Client(socket_path) as client:
        assert client.rpc_call("a") == 1


def test_a_result_of_another_shape_is_told(socket_path: Path) -> None:
    with (
        ScriptedNode(socket_path, once('{"id":ID,"result":[]}')),
        Client(socket_path) as client,
        pytest.raises(DecodeError, match=r"^greet: the node sent an array, not a JSON object$"),
    ):
        client.greet(name="a", amount=1)


def test_a_result_that_no_value_can_hold_is_told(socket_path: Path) -> None:
    with (
        ScriptedNode(socket_path, once('{"id":ID,"result":1e999}')),
        Client(socket_path) as client,
        pytest.raises(DecodeError, match=r"^a: the node sent invalid JSON: .* a number that is out of range"),
    ):
        client.rpc_call("a")


def test_threads_may_share_a_connection(socket_path: Path) -> None:
    with (
        ScriptedNode(socket_path, echo),
        Client(socket_path, connections=1) as client,
        ThreadPoolExecutor(8) as pool,
    ):
        found = list(pool.map(lambda n: client.rpc_call("a", [n])["params"], range(200)))
    assert found == [[n] for n in range(200)]


def test_a_closed_client_connects_again_when_it_is_used(socket_path: Path) -> None:
    with ScriptedNode(socket_path, echo, echo):
        client = Client(socket_path)
        client.rpc_close()
        assert client.rpc_call("a")["method"] == "a"
        client.rpc_close()
        assert client.rpc_call("b")["method"] == "b"
        client.rpc_close()


def test_what_json_cannot_say_is_refused_before_anything_is_sent(socket_path: Path) -> None:
    with ScriptedNode(socket_path, echo), Client(socket_path) as client:
        assert client.rpc_call("a")["method"] == "a"
        for method, params in (("b", ["\ud800"]), ("\ud800", []), ("b", {"x": float("nan")}), ("b", [object()])):
            with pytest.raises(EncodeError, match="JSON cannot represent"):
                client.rpc_call(method, params)
        assert client.rpc_call("c")["method"] == "c"


def test_a_thread_that_waits_for_long_does_not_hinder_the_others(socket_path: Path) -> None:
    with ManyNode(socket_path) as node, Client(socket_path) as client, ThreadPoolExecutor(2) as pool:
        wait = pool.submit(client.rpc_call, "wait")
        node.until(lambda: (1, "wait") in node.calls)
        assert [client.rpc_call("a", [number]) for number in range(3)] == [[0], [1], [2]]
        assert {number for number, method in node.calls if method == "a"} == {2}, "each took the one that was used last"
        node.release()
        assert wait.result(10) == "released"


def test_at_least_one_connection_is_needed(socket_path: Path) -> None:
    with pytest.raises(ValueError, match="connections: expected at least 1, not 0"):
        Client(socket_path, connections=0)
