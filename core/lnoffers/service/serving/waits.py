"""Calls that wait for an event, and are answered later.

The other calls of their connection are answered meanwhile, in order. JSON-RPC cannot cancel a call, so a client that
gives up, but keeps its connection, leaves a waiting call behind. Their number is limited: the oldest is answered with
an error to make room for the next.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from clnrpc.runtime.errors import GENERIC, RpcError
from clnrpc.runtime.server.dispatch import Answer
from lnoffers.service.dispatching import INTERNAL_ERROR, STOPPING
from lnoffers.service.serving.connection import MAX_MESSAGE_BYTES, RpcConnection
from lnoffers.service.tasks import ended_in_bug

MAX_WAITS: Final = 64
"""The most waiting calls of a connection. Together, their messages may be as long as one message."""

_TOO_MANY: Final = RpcError(GENERIC, "Given up: too many calls wait on this connection")


class Waits:
    """The waiting calls of a server.

    `refuse` returns the error answer to a message; `over` is called when a connection has no waiting call left.
    """

    def __init__(self, refuse: Callable[[bytes, RpcError], Answer], over: Callable[[RpcConnection], None]) -> None:
        self._refuse = refuse
        self._over = over
        self._tasks: dict[RpcConnection, dict[asyncio.Future[Answer], bytes]] = {}
        """For each connection the waiting calls, oldest first, and their messages."""
        self._ended = False

    def __contains__(self, connection: RpcConnection) -> bool:
        """Return whether a call of this connection is waiting."""
        return connection in self._tasks

    def begin(self, connection: RpcConnection, message: bytes, answer: Awaitable[Answer]) -> None:
        """Send the answer to this message as soon as it is known."""
        waiting = self._tasks.setdefault(connection, {})
        task = asyncio.ensure_future(answer)
        waiting[task] = message
        task.add_done_callback(partial(self._done, connection))
        if connection.is_lost:
            self.forget(connection)
        elif self._ended:
            self._give_up(connection, task, STOPPING)
        else:
            while len(waiting) > MAX_WAITS or sum(map(len, waiting.values())) > MAX_MESSAGE_BYTES:
                self._give_up(connection, next(iter(waiting)), _TOO_MANY)

    def forget(self, connection: RpcConnection) -> None:
        """Drop the calls of a client that has disconnected."""
        for task in self._tasks.pop(connection, ()):
            _abandon(task)

    def end(self) -> None:
        """Answer all waiting calls, and all that begin later, with an error."""
        self._ended = True
        for connection, waiting in [*self._tasks.items()]:
            for task in [*waiting]:
                self._give_up(connection, task, STOPPING)

    def _give_up(self, connection: RpcConnection, task: asyncio.Future[Answer], error: RpcError) -> None:
        self._finish(connection, task, lambda message: self._refuse(message, error))
        _abandon(task)

    def _done(self, connection: RpcConnection, task: asyncio.Future[Answer]) -> None:
        if task.cancelled():
            return
        if ended_in_bug("A call that waited ended in a bug", task):
            self._finish(connection, task, lambda message: self._refuse(message, INTERNAL_ERROR))
        else:
            self._finish(connection, task, lambda _: task.result())

    def _finish(
        self, connection: RpcConnection, task: asyncio.Future[Answer], answer: Callable[[bytes], Answer]
    ) -> None:
        """Send the answer, unless the call was dropped."""
        message = self._tasks.get(connection, {}).pop(task, None)
        if message is None:
            return
        connection.send(answer(message).data)
        if not self._tasks[connection]:
            del self._tasks[connection]
            self._over(connection)


def _abandon(task: asyncio.Future[Answer]) -> None:
    # Not now: Python warns about the coroutine of a task that is cancelled before it has started.
    asyncio.get_running_loop().call_soon(task.cancel)
