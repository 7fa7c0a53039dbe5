"""The calls that wait for something to happen, so that their answers come later.

A connection has one at most: its further calls wait behind it, so that answers keep their order. Whose client leaves is
forgotten, and what still waits when the server stops is told so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from clnrpc.runtime.errors import RpcError
from clnrpc.runtime.server.dispatch import Answer
from lnoffers.service.commands.codes import LIGHTNINGD_SHUTDOWN
from lnoffers.service.dispatching import INTERNAL_ERROR
from lnoffers.service.serving.connection import Connection

LOOK_SECONDS: Final = 1.0
"""How long it may take to notice that a client has left, while its connection is not read from."""

_STOPPING: Final = RpcError(LIGHTNINGD_SHUTDOWN, "The server stops")


class Waits:
    """Of one server. `refuse` makes the error answer to a message."""

    def __init__(self, refuse: Callable[[bytes, RpcError], Answer]) -> None:
        self._refuse = refuse
        self._tasks: dict[Connection, asyncio.Future[Answer]] = {}
        self._ended = False
        self._looks = False

    def __bool__(self) -> bool:
        """Whether anybody waits."""
        return bool(self._tasks)

    def begin(self, connection: Connection, message: bytes, answer: Awaitable[Answer]) -> None:
        """Send the answer to this message when it is there; until then the connection is held."""
        task = self._tasks[connection] = asyncio.ensure_future(answer)
        task.add_done_callback(partial(self._done, connection, message))
        if self._ended:
            task.cancel()
        elif not self._looks:
            self._looks = True
            self._look_again()

    def forget(self, connection: Connection) -> None:
        """Its client is gone."""
        task = self._tasks.pop(connection, None)
        if task is not None:
            task.cancel()

    def end(self) -> None:
        """Answer all, and whatever comes after them, with an error."""
        self._ended = True
        for task in self._tasks.values():
            task.cancel()

    def _done(self, connection: Connection, message: bytes, task: asyncio.Future[Answer]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            context = {"message": "A call that waited ended in a bug", "exception": error}
            task.get_loop().call_exception_handler(context)
        if self._tasks.get(connection) is not task:
            return  # forgotten
        del self._tasks[connection]
        if task.cancelled() or error is not None:
            answer = self._refuse(message, _STOPPING if error is None else INTERNAL_ERROR)
        else:
            answer = task.result()
        connection.send(answer.data)
        connection.release()

    def _look_again(self) -> None:
        asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        for connection in [*self._tasks]:
            if connection.has_left:
                connection.abort()
        self._looks = bool(self._tasks)
        if self._looks:
            self._look_again()
