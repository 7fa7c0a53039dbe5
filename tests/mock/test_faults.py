"""The mock misbehaves on demand: late, half, lost and reordered answers, restarts, and notices before an answer."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
import warnings
from pathlib import Path
from typing import Any

import pytest

from clnrpc import Client, ConnectionLostError, RpcError, RpcTimeoutError
from clnrpc.aio import AsyncClient
from lnoffers.service.errors import ListenError
from lnstandin.mock import AsyncMock, Mock
from tests.mock.talking import Talker


def test_late_answer_does_not_hold_others_up(mock: Mock) -> None:
    mock.on("listfunds").delay(600)
    with Talker(mock.socket) as talker:
        talker.ask(1, "listfunds", [])
        talker.ask(2, "getinfo", [])
        assert talker.read()["id"] == 2


def test_client_gives_up_on_a_late_answer(mock: Mock) -> None:
    mock.on("listfunds").delay(600)
    with Client(mock.socket, timeout=0.2) as client, pytest.raises(RpcTimeoutError):
        client.listfunds()


def test_dropped_connection_ends_without_an_answer(mock: Mock) -> None:
    mock.on("listfunds").drop()
    with Client(mock.socket) as client, pytest.raises(ConnectionLostError):
        client.listfunds()
    assert mock.calls.of("listfunds")[0].note == "dropped"


def test_half_an_answer_is_its_beginning(mock: Mock) -> None:
    mock.on("listfunds").half().answer({"outputs": [], "channels": []})
    with Talker(mock.socket) as talker:
        talker.ask(1, "listfunds", [])
        half = talker.rest()
    whole = b'{"jsonrpc":"2.0","id":1,"result":{"outputs":[],"channels":[]}}\n\n'
    assert half == whole[: len(whole) // 2]


def test_restart_ends_all_connections_and_keeps_rules_and_calls(mock: Mock) -> None:
    mock.on("listfunds").restart().then.answer(outputs=[])
    with Talker(mock.socket) as other, Client(mock.socket) as client:
        other.call(1, "getinfo", [])
        with pytest.raises(ConnectionLostError):
            client.listfunds()
        assert other.rest() == b""
        assert client.listfunds().outputs == []
    assert [call.note for call in mock.calls.of("listfunds")] == ["restarted", ""]


def test_restart_at_any_time(mock: Mock) -> None:
    with Client(mock.socket) as client:
        client.getinfo()
        mock.restart()
        client.getinfo()


def test_answers_come_in_reverse_order(mock: Mock) -> None:
    mock.reorder(3)
    with Talker(mock.socket) as talker:
        for identity in (1, 2, 3):
            talker.ask(identity, "listfunds", [])
        assert [talker.read()["id"] for _ in range(3)] == [3, 2, 1]
        talker.ask(4, "listfunds", [])
        assert talker.read()["id"] == 4


def test_typed_client_matches_answers_out_of_order(mock: Mock) -> None:
    mock.on("listpays", bolt11="a").answer(pays=[])

    async def calls() -> list[int]:
        async with AsyncClient(mock.socket) as client:
            await client.getinfo()
            mock.reorder(2)
            known, other = await asyncio.gather(client.listpays(bolt11="a"), client.waitblockheight(5))
            return [len(known.pays), other.blockheight > 0]

    assert asyncio.run(calls()) == [0, True]


def test_notices_come_before_the_answer_if_they_are_enabled(mock: Mock) -> None:
    mock.on("listfunds").message("Looking", "debug").progress(0, 2)
    with Talker(mock.socket) as talker:
        assert len(talker.call(1, "listfunds", [])) == 1
        talker.call(2, "notifications", [True])
        message, progress, _ = talker.call(3, "listfunds", [])
        assert message == {"method": "message", "params": {"id": 3, "level": "debug", "message": "Looking"}}
        assert progress == {"method": "progress", "params": {"id": 3, "num": 0, "total": 2}}
        talker.call(4, "notifications", [False])
        assert len(talker.call(5, "listfunds", [])) == 1


def test_request_without_a_version_ends_the_connection(mock: Mock) -> None:
    with Talker(mock.socket) as talker:
        talker.send(b'{"id":1,"method":"getinfo","params":[]}')
        assert talker.read()["error"]["code"] == -32600
        assert talker.rest() == b""


def test_bytes_that_are_no_json_end_the_connection(mock: Mock) -> None:
    with Talker(mock.socket) as talker:
        talker.send(b"GET / HTTP/1.1\r\n\r\n")
        assert talker.read()["error"]["code"] == -32600
        assert talker.rest() == b""


def test_filter_limits_the_answer(mock: Mock) -> None:
    with Client(mock.socket) as client:
        assert client.rpc_filtered({"id": True}).rpc_call("getinfo") == {"id": mock.node_id}


def test_mock_runs_in_an_event_loop() -> None:
    async def flow() -> list[Any]:
        gate = asyncio.Event()

        async def held(_: Any) -> Any:
            await gate.wait()
            return {"outputs": [], "channels": []}

        async with AsyncMock() as mock, AsyncClient(mock.socket) as client:
            mock.on("listfunds").answer(held)
            call = asyncio.create_task(client.listfunds())
            await client.getinfo()
            was_held = not call.done()
            gate.set()
            await call
            await mock.restart()
            return [was_held, (await client.getinfo()).id == mock.node_id]

    assert asyncio.run(flow()) == [True, True]


def test_nothing_stays_behind() -> None:
    before = threading.active_count()
    with Mock() as mock:
        path = mock.socket
    assert threading.active_count() == before
    assert not path.parent.exists()


@pytest.mark.parametrize("steps", range(6))
@pytest.mark.parametrize("ending", ["close", "restart"])
def test_connection_that_arrives_at_the_end_is_closed(steps: int, ending: str) -> None:
    async def flow() -> None:
        async with AsyncMock() as mock:
            with socket.socket(socket.AF_UNIX) as arriving:
                arriving.connect(str(mock.socket))
                for _ in range(steps):
                    await asyncio.sleep(0)
                if ending == "restart":
                    await mock.restart()

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ResourceWarning)
        asyncio.run(flow())
        gc.collect()
    assert [str(each.message) for each in caught] == []


def test_path_that_cannot_be_listened_at_is_refused(tmp_path: Path) -> None:
    taken = tmp_path / "file"
    taken.write_text("")
    with pytest.raises(ListenError, match="there is a file that is no socket"), Mock(socket=taken):
        pass
    with pytest.raises(ListenError, match="there is no folder"), Mock(socket=tmp_path / "none" / "rpc"):
        pass
    with Mock(socket=tmp_path / "rpc") as first, Client(first.socket) as client:
        with pytest.raises(ListenError, match="another process listens there"), Mock(socket=first.socket):
            pass
        client.getinfo()


def test_socket_of_a_killed_process_is_replaced(tmp_path: Path) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(str(tmp_path / "rpc"))
    left.close()
    with Mock(socket=tmp_path / "rpc") as mock, Client(mock.socket) as client:
        assert client.getinfo().id == mock.node_id


def test_unknown_command_gets_lightningds_error(mock: Mock) -> None:
    with Client(mock.socket) as client, pytest.raises(RpcError, match="Unknown command 'nonsense'") as error:
        client.rpc_call("nonsense")
    assert error.value.code == -32601
