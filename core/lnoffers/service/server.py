"""The JSON-RPC server: many connections on a Unix socket, answers in order on each, one commit for all that is ready.

Group commit without timers: the calls that are ready in one turn of the event loop run in one transaction, which is
committed before the first of their answers is written. While the disk works, the next calls gather in the sockets.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from clnrpc.runtime.dispatch import Answer
from clnrpc.runtime.errors import GENERIC, RpcError
from clnrpc.runtime.jsontext import FramingError
from lnoffers.service.commands import OffersService, Served
from lnoffers.service.connection import Connection
from lnoffers.service.dispatching import answer, dispatcher
from lnoffers.service.errors import StoreError
from lnoffers.service.listening import BACKLOG, bound_socket
from lnoffers.service.node import Node

MAX_CONNECTIONS: Final = 256
CALLS_PER_TURN: Final = 32
"""Of one connection, so that one that sends thousands at once does not keep the others waiting."""
GRACE_SECONDS: Final = 5.0
"""How long a client may take to read its last answers when the server stops."""

_BUG: Final = RpcError(GENERIC, "Internal error")
_TOO_MANY: Final = RpcError(GENERIC, f"Too many connections: {MAX_CONNECTIONS} are open")


@dataclass(slots=True)
class _Call:
    connection: Connection
    message: bytes | FramingError
    answer: Answer | None = None
    """None while the method runs, and for good if it ends in a bug."""
    in_transaction: bool = False


class Server:
    """Serves a node on its socket until it is told to stop. Make it within the event loop that runs it."""

    def __init__(self, node: Node) -> None:
        self._node = node
        service = OffersService(node, Served(node.options.socket, self.stop))
        self._dispatcher = dispatcher(service, developer=node.options.developer)
        self._connections: set[Connection] = set()
        self._ready: dict[Connection, None] = {}  # in the order in which they became so
        self._turn_is_due = False
        self._stopping = asyncio.Event()
        self._empty = asyncio.Event()

    async def run(self, ready: Callable[[], None]) -> None:
        """Listen, call `ready`, and serve until `stop`; then answer what has arrived and close.

        Raises:
            ListenError: if the socket cannot be opened.
        """
        path = self._node.options.socket
        listener = await asyncio.get_running_loop().create_unix_server(
            lambda: Connection(self), sock=bound_socket(path), backlog=BACKLOG
        )
        try:
            ready()
            await self._stopping.wait()
        finally:
            listener.close()
            path.unlink(missing_ok=True)
            await self._finish()

    def stop(self) -> None:
        """Take no more connections, answer what has arrived, and end `run`."""
        self._stopping.set()

    def opened(self, connection: Connection) -> None:
        """A client has connected."""
        self._connections.add(connection)
        self._empty.clear()
        if len(self._connections) > MAX_CONNECTIONS:
            connection.send(self._dispatcher.refuse(b"{}", _TOO_MANY).data)
            connection.finish()

    def arrived(self, connection: Connection) -> None:
        """A connection may have calls to take, or be due to close."""
        self._ready[connection] = None
        if not self._turn_is_due:
            self._turn_is_due = True
            asyncio.get_running_loop().call_soon(self._turn)

    def lost(self, connection: Connection) -> None:
        """A client is gone."""
        self._ready.pop(connection, None)
        self._connections.discard(connection)
        if not self._connections:
            self._empty.set()

    def _turn(self) -> None:
        """Run the calls that are ready in one transaction, commit it, then send the answers: none before.

        A bug in a method ends the turn early and goes to the event loop, which logs it. The calls before it are
        committed and answered all the same, the one at fault has an error, and those after it have the next turn.
        """
        self._turn_is_due = False
        connections = list(self._ready)
        self._ready.clear()
        calls: list[_Call] = []
        try:
            with self._node.store.group() as group:
                for call in self._calls(connections):
                    calls.append(call)
                    joined = group.joined
                    call.answer = self._answer(call.message)
                    call.in_transaction = group.joined > joined
                    if call.answer.close:
                        call.connection.cut()
        except StoreError as error:
            failure = RpcError(GENERIC, str(error))
            for call in calls:
                if call.in_transaction:
                    call.answer = self._refusal(call, failure)
        finally:
            for call in calls:
                call.connection.send((call.answer or self._refusal(call, _BUG)).data)
            for connection in connections:
                if connection.settle():
                    self.arrived(connection)

    def _calls(self, connections: list[Connection]) -> Iterator[_Call]:
        for connection in connections:
            for message in connection.take(CALLS_PER_TURN):
                yield _Call(connection, message)

    def _answer(self, message: bytes | FramingError) -> Answer:
        if isinstance(message, FramingError):
            return self._dispatcher.malformed(message)
        return answer(self._dispatcher, message)

    def _refusal(self, call: _Call, error: RpcError) -> Answer:
        assert isinstance(call.message, bytes)  # what cannot be read joins no transaction
        return self._dispatcher.refuse(call.message, error)

    async def _finish(self) -> None:
        for connection in list(self._connections):
            connection.finish()
        if self._connections:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._empty.wait(), GRACE_SECONDS)
        for connection in list(self._connections):
            connection.abort()
