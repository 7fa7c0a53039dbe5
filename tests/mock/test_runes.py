"""Runes and REST of the mock work truly, with its own secret."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from clnrpc import Client, RpcError
from lnstandin.mock import Mock


@pytest.fixture
def mock() -> Iterator[Mock]:
    pytest.importorskip("uvicorn", reason="REST needs clnrpc[rest]")
    with Mock(rest=("127.0.0.1", 0)) as running:
        yield running


def post(mock: Mock, method: str, params: Any, rune: str | None) -> tuple[int, Any]:
    """Return the status and the answer of a call over REST, with the mock's own certificate authority."""
    trust = ssl.create_default_context(cafile=mock.folder / "ca.pem")
    headers = {"Content-Type": "application/json", **({} if rune is None else {"Rune": rune})}
    request = urllib.request.Request(f"{mock.rest_url}/v1/{method}", json.dumps(params).encode(), headers)
    try:
        with urllib.request.urlopen(request, context=trust) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_rune_permits_what_its_restrictions_say(client: Client) -> None:
    made = client.createrune(restrictions=[["method=listfunds"]])
    assert client.checkrune(rune=made.rune, method="listfunds").valid
    with pytest.raises(RpcError, match="Not permitted"):
        client.checkrune(rune=made.rune, method="pay")
    assert [each.rune for each in client.showrunes().runes] == [made.rune]
    client.blacklistrune(start=int(made.unique_id))
    with pytest.raises(RpcError, match="Blacklisted rune"):
        client.checkrune(rune=made.rune, method="listfunds")


def test_runes_are_the_same_for_the_same_seed_and_survive_a_restart(mock: Mock, client: Client) -> None:
    made = client.createrune()
    mock.restart()
    assert client.checkrune(rune=made.rune).valid
    with Mock() as same, Client(same.socket) as other:
        assert other.createrune().rune == made.rune
    with Mock(seed=1) as different, Client(different.socket) as other:
        other.createrune()
        refusal = pytest.raises(RpcError, match="Not derived from master")
        with refusal:
            other.checkrune(rune=made.rune)


def test_script_can_answer_checkrune(mock: Mock, client: Client) -> None:
    mock.on("checkrune").fail(1502, "Not permitted: too soon")
    with pytest.raises(RpcError, match="too soon"):
        client.checkrune(rune=client.createrune().rune)


def test_rest_calls_with_a_rune(mock: Mock, client: Client) -> None:
    rune = client.createrune(restrictions=[["method=xpay"]]).rune
    mock.on("xpay").fail(205, "No route").then.delay(0.01)
    assert post(mock, "xpay", {"invstring": "lni1"}, rune) == (
        500,
        {"code": 205, "message": "No route", "data": None},
    )
    status, answer = post(mock, "xpay", {"invstring": "lni1"}, rune)
    assert (status, answer) == (201, mock.calls.of("xpay")[-1].answer)
    assert post(mock, "listfunds", {}, rune)[0] == 401
    assert post(mock, "listfunds", {}, None)[0] == 403


def test_rest_ends_the_connection_where_the_script_says(mock: Mock, client: Client) -> None:
    rune = client.createrune().rune
    mock.on("listfunds").drop().then.restart().then.half().answer({"outputs": [], "channels": []})
    for beginning in (b"", b"", b'{"outputs":[],'):
        with pytest.raises(http.client.IncompleteRead) as error:
            post(mock, "listfunds", {}, rune)
        assert error.value.partial == beginning
    assert [call.note for call in mock.calls.of("listfunds")] == ["dropped", "restarted", "half"]
    assert client.getinfo().id == mock.node_id


def test_check_of_a_rune_by_rest_is_no_call(mock: Mock, client: Client) -> None:
    rune = client.createrune().rune
    mock.on("*").times(2).fail(205, "No route").then.fail(206, "Too expensive")
    mock.calls.clear()
    codes = [post(mock, "xpay", {"invstring": "lni1"}, rune)[1]["code"] for _ in range(2)]
    assert codes == [205, 206]
    assert post(mock, "checkrune", {"rune": rune}, rune) == (201, {"valid": True})
    assert [call.method for call in mock.calls] == ["xpay", "xpay", "checkrune"]
    mock.on("checkrune").fail(1502, "Not permitted: too soon")
    assert post(mock, "getinfo", {}, rune)[0] == 401


def test_stop_over_rest(mock: Mock, client: Client) -> None:
    stopped = threading.Event()
    mock.on_stop = stopped.set
    assert post(mock, "stop", {}, client.createrune().rune)[0] == 201
    assert stopped.wait(30)
