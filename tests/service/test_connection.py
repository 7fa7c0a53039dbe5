"""A connection: calls are taken only as fast as the client reads its answers, and buffers are bounded."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest

from clnrpc.runtime.jsontext import FramingError
from lnoffers.service.serving.connection import (
    CALLS_AT_ONCE,
    MAX_MESSAGE_BYTES,
    MAX_UNREAD_BYTES,
    MAX_WAITING_BYTES,
    RpcConnection,
)


class Recorder:
    """Knows whether something has happened, and whether the connection is over."""

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.gone = asyncio.Event()

    def opened(self, connection: RpcConnection) -> None:
        pass

    def advance(self, connection: RpcConnection) -> None:  # noqa: ARG002
        self.changed.set()

    def lost(self, connection: RpcConnection) -> None:  # noqa: ARG002
        self.gone.set()


Use = Callable[[RpcConnection, socket.socket, Recorder], Awaitable[None]]


def connected(use: Use) -> None:
    async def run() -> None:
        ours, theirs = socket.socketpair()
        recorder = Recorder()
        _, connection = await asyncio.get_running_loop().connect_accepted_socket(lambda: RpcConnection(recorder), ours)
        with theirs:
            await use(connection, theirs, recorder)
        connection.abort()
        await recorder.gone.wait()

    asyncio.run(run())


async def taken(connection: RpcConnection, recorder: Recorder, count: int) -> list[bytes]:
    """Return the first `count` calls, as a server takes them."""
    found: list[bytes] = []
    while len(found) < count:
        calls = [*connection.take()]
        for _ in calls:
            connection.answered()
        found += calls
        if not calls:
            recorder.changed.clear()
            await recorder.changed.wait()
    return found


def test_calls_are_taken_in_portions_and_stay_until_they_are_answered() -> None:
    async def use(connection: RpcConnection, client: socket.socket, recorder: Recorder) -> None:
        client.sendall(b"{}" * (CALLS_AT_ONCE + 1))
        await recorder.changed.wait()
        assert len(connection.take()) == CALLS_AT_ONCE
        for _ in range(CALLS_AT_ONCE - 1):
            connection.answered()
        assert len(connection.take()) == 1
        connection.answered()
        assert len(connection.take()) == 1, "the last one"
        connection.answered()
        assert not connection.take()

    connected(use)


def test_a_long_message_is_looked_at_piece_by_piece() -> None:
    message = b'{"a":"' + b"x" * 100_000 + b'"}'

    async def use(connection: RpcConnection, client: socket.socket, recorder: Recorder) -> None:
        client.sendall(message)
        await recorder.changed.wait()
        recorder.changed.clear()
        assert not connection.take(), "others may go on first"
        await recorder.changed.wait()
        assert await taken(connection, recorder, 1) == [message]

    connected(use)


def test_what_is_not_taken_is_not_read_either() -> None:
    async def use(connection: RpcConnection, client: socket.socket, recorder: Recorder) -> None:
        client.setblocking(False)
        sent = 0
        for _ in range(100):
            with suppress(BlockingIOError):
                sent += client.send(b"{}" * 50_000)
            await asyncio.sleep(0.001)
        assert sent < 4 * MAX_WAITING_BYTES
        assert len(await taken(connection, recorder, sent // 2)) == sent // 2, "and then it is"

    connected(use)


def test_there_is_no_room_while_too_much_is_unread() -> None:
    async def use(connection: RpcConnection, client: socket.socket, recorder: Recorder) -> None:
        assert connection.has_room
        connection.send(b"x" * (4 * MAX_UNREAD_BYTES))
        assert not connection.has_room
        recorder.changed.clear()
        left = 4 * MAX_UNREAD_BYTES
        client.setblocking(False)
        while left > 0:
            with suppress(BlockingIOError):
                left -= len(client.recv(1 << 20))
            await asyncio.sleep(0)
        await connection.drained()
        assert recorder.changed.is_set(), "its server is told that there is room again"

    connected(use)


def test_a_client_that_has_left_is_noticed_and_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def use(connection: RpcConnection, client: socket.socket, recorder: Recorder) -> None:
        client.sendall(b"{}" * 10)
        await recorder.changed.wait()
        assert not connection.has_left
        client.shutdown(socket.SHUT_WR)
        await asyncio.sleep(0.01)
        assert not connection.has_left, "it only ended its sending"
        client.close()
        assert connection.has_left
        for _ in range(10):
            connection.send(b"an answer that nobody reads")
        await recorder.gone.wait()
        assert connection.is_lost

    with caplog.at_level(logging.DEBUG, "asyncio"):
        connected(use)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.mark.parametrize("text", [b"{}{}oops", b"{}{}" + b"{" + b" " * (MAX_MESSAGE_BYTES + 1)])
def test_an_error_is_raised_behind_the_calls_before_it(text: bytes) -> None:
    async def use(connection: RpcConnection, client: socket.socket, recorder: Recorder) -> None:
        sending = asyncio.create_task(asyncio.to_thread(client.sendall, text))
        assert await taken(connection, recorder, 2) == [b"{}", b"{}"]
        with pytest.raises(FramingError):
            await taken(connection, recorder, 1)
        connection.abort()
        with suppress(OSError):
            await sending

    connected(use)


def test_a_request_that_does_not_end_is_given_up_unless_its_calls_are_under_way() -> None:
    async def use(connection: RpcConnection, client: socket.socket, recorder: Recorder) -> None:
        client.sendall(b"{}{")
        await recorder.changed.wait()
        assert await taken(connection, recorder, 1) == [b"{}"]
        assert not connection.take()
        connection.is_busy = True
        connection.hurry(0)
        assert not connection.take()
        connection.is_busy = False
        connection.hurry(60)
        assert not connection.take()
        connection.hurry(0)
        with pytest.raises(FramingError, match="not complete within 0 seconds"):
            connection.take()

    connected(use)
