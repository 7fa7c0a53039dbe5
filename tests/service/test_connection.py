"""One connection: it is taken from only as fast as its client reads, and not at all once the client has left."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Iterator

import pytest

from lnoffers.service.serving.connection import MAX_UNREAD_BYTES, Connection


class Recorder:
    """Knows whether something has arrived, and whether it is over."""

    def __init__(self) -> None:
        self.came = asyncio.Event()
        self.gone = asyncio.Event()

    def opened(self, connection: Connection) -> None:
        pass

    def arrived(self, connection: Connection) -> None:  # noqa: ARG002
        self.came.set()

    def lost(self, connection: Connection) -> None:  # noqa: ARG002
        self.gone.set()


def connected(use: Callable[[Connection, socket.socket, Recorder], Awaitable[None]]) -> None:
    async def run() -> None:
        ours, theirs = socket.socketpair()
        recorder = Recorder()
        _, connection = await asyncio.get_running_loop().connect_accepted_socket(lambda: Connection(recorder), ours)
        with theirs:
            await use(connection, theirs, recorder)
        connection.abort()
        await recorder.gone.wait()

    asyncio.run(run())


def test_nothing_more_is_taken_while_the_answers_owed_are_more_than_a_client_may_leave_unread() -> None:
    async def use(connection: Connection, client: socket.socket, recorder: Recorder) -> None:
        client.sendall(b"{}" * 10)
        await recorder.came.wait()
        taken = []
        for message in connection.take(32):
            taken.append(message)
            connection.owe(MAX_UNREAD_BYTES // 2)
        assert taken == [b"{}"] * 3
        assert connection.settle(), "there is more to take in the next turn"
        assert len(list(connection.take(32))) == 7
        assert not connection.settle()

    connected(use)


def test_nothing_is_taken_while_too_much_is_unread() -> None:
    async def use(connection: Connection, client: socket.socket, recorder: Recorder) -> None:
        client.sendall(b"{}" * 10)
        await recorder.came.wait()
        connection.send(b"x" * (4 * MAX_UNREAD_BYTES))
        assert list(connection.take(32)) == []
        assert not connection.settle()

    connected(use)


def test_a_client_that_has_left_is_neither_worked_for_nor_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def use(connection: Connection, client: socket.socket, recorder: Recorder) -> None:
        client.sendall(b"{}" * 10)
        client.close()
        await recorder.came.wait()
        assert len(list(connection.take(1))) == 1
        for _ in range(10):
            connection.send(b"an answer that nobody reads")
        assert list(connection.take(32)) == []
        assert not connection.settle()

    with caplog.at_level(logging.DEBUG, "asyncio"):
        connected(use)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_an_answer_that_cannot_be_finished_ends_the_connection() -> None:
    def rest() -> Iterator[bytes]:
        yield b"beginning"
        raise ZeroDivisionError

    async def use(connection: Connection, client: socket.socket, recorder: Recorder) -> None:
        client.sendall(b"{}")
        await recorder.came.wait()
        connection.send_rest(rest())
        assert list(connection.take(32)) == [], "the next call waits"
        connection.send_piece()
        assert connection.settle(), "there is more to send in the next turn"
        with pytest.raises(ZeroDivisionError):
            connection.send_piece()
        await recorder.gone.wait()

    connected(use)
