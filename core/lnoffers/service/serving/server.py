"""The JSON-RPC server: many connections on a Unix socket, answers in order on each, one commit for all that is ready.

Group commit without timers: the calls of one turn run in one transaction, which is committed before the first of their
answers is written. A turn takes the calls that are ready; if they write and other clients are connected, it looks at
the sockets again before it commits, and goes on as long as that brings more. A client that is alone never waits for
others. One answer is out of order: that of `stop` is the last, written when everything is given back. A long one is
written in pieces, one a turn, while its client reads them. A call that is answered later holds its own connection only
(`waits`).
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Iterator, Sized
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Final

from clnrpc.runtime.errors import GENERIC, RpcError
from clnrpc.runtime.jsontext import FramingError
from clnrpc.runtime.server.dispatch import Answer
from lnoffers.service.commands import OffersService, Served
from lnoffers.service.dispatching import INTERNAL_ERROR, dispatcher
from lnoffers.service.errors import StoreError
from lnoffers.service.node import Node
from lnoffers.service.serving.connection import Connection
from lnoffers.service.serving.listening import BACKLOG, bound_socket
from lnoffers.service.serving.waits import Waits
from lnoffers.service.serving.warner import Warner

if TYPE_CHECKING:
    from lnoffers.service.store import Group

MAX_CONNECTIONS: Final = 256
MAX_REFUSED: Final = 8
"""How many connections beyond the limit are kept for a moment, so that their clients get to read why."""
REFUSAL_SECONDS: Final = 1.0
"""How long such a moment is, if the client asks nothing before."""
CALLS_PER_TURN: Final = 32
"""Of one connection, so that one that sends thousands at once does not keep the others waiting."""
TURN_SECONDS: Final = 0.05
"""How long a turn goes on taking calls that are ready; those that are left are the first of the next."""
GATHER_SECONDS: Final = 0.01
"""How long a turn goes on looking for more calls to commit together."""
REQUEST_SECONDS: Final = 60.0
"""How long a request may take to arrive, from its first byte; looked at so often that it may be a quarter more."""
GRACE_SECONDS: Final = 5.0
"""How long a client may take to read its last answers when the server stops."""

UNSYNCED: Final = (
    "the disk did not confirm a write to the store (fsync failed), so it is unknown whether the last calls are stored: "
    "check the disk, start the server again, and look for the calls that it refused"
)
"""Why the server ends by itself."""

logger = logging.getLogger(__name__)

_NO_MESSAGE: Final = b"{}"
_OVER: Final = object()
"""What a turn that has ended gives in place of None."""


@dataclass(slots=True)
class _Call:
    connection: Connection
    message: bytes | FramingError
    answer: Answer | None = None
    """None while the method runs, and for good if it ends in a bug."""
    later: Awaitable[Answer] | None = None
    """In place of the answer, if the call waits for something to happen."""
    in_transaction: bool = False
    stops: bool = False


class Server:
    """Serves a node on its socket until it is told to stop. Make it within the event loop that runs it."""

    def __init__(
        self, node: Node, *, max_connections: int = MAX_CONNECTIONS, request_seconds: float = REQUEST_SECONDS
    ) -> None:
        self._node = node
        service = OffersService(node, Served(node.options.socket, self._stop_by_call))
        self._dispatcher = dispatcher(service, developer=node.options.developer)
        self._max_connections = max_connections
        self._request_seconds = request_seconds
        self._too_many = RpcError(GENERIC, f"Too many connections: {max_connections} are open")
        self._connections: set[Connection] = set()
        self._refused: set[Connection] = set()  # those too many that have not been told so yet
        self._ready: dict[Connection, None] = {}  # in the order in which they became so
        self._waits = Waits(self._dispatcher.refuse)
        self._warner = Warner(logger)
        self._turn: Generator[None] | None = None
        self._stop_calls = 0
        self._stopping = asyncio.Event()
        self._changed = asyncio.Event()

    async def run(self, ready: Callable[[], None], release: Callable[[], None] = lambda: None) -> None:
        """Listen, call `ready`, and serve until `stop`; then answer what has arrived, call `release`, and close.

        `release` gives back what the caller holds for the server. Whoever ended it by the command stop is answered
        behind that, and so can start the next server at once.

        Raises:
            ListenError: if the socket cannot be opened.
            StoreError: if the disk did not confirm what was written; everybody has been answered by then.
        """
        try:
            with bound_socket(self._node.options.socket) as unbound:
                listener = await asyncio.get_running_loop().create_unix_server(
                    lambda: Connection(self), sock=unbound, backlog=BACKLOG
                )
                try:
                    ready()
                    await self._watch_until_stopped()
                finally:
                    listener.close()
        finally:
            await self._finish()
            release()
            await self._close()
        if self._node.store.unsynced:
            raise StoreError(UNSYNCED)

    def stop(self) -> None:
        """Take no more connections, answer what has arrived, and end `run`."""
        self._stopping.set()

    def opened(self, connection: Connection) -> None:
        """A client has connected."""
        self._connections.add(connection)
        if len(self._connections) - len(self._refused) <= self._max_connections:
            return
        self._refused.add(connection)
        if len(self._refused) <= MAX_REFUSED:
            asyncio.get_running_loop().call_later(REFUSAL_SECONDS, self._refuse, connection)
        else:
            self._refuse(connection)

    def arrived(self, connection: Connection) -> None:
        """A connection may have calls to take, or be due to close."""
        self._ready[connection] = None
        self._plan_turn()

    def lost(self, connection: Connection) -> None:
        """A client is gone."""
        self._waits.forget(connection)
        self._ready.pop(connection, None)
        self._connections.discard(connection)
        self._refused.discard(connection)
        self._changed.set()

    def _plan_turn(self) -> None:
        if self._turn is None:
            self._turn = self._steps()
            asyncio.get_running_loop().call_soon(self._step)

    def _step(self) -> None:
        """Go on with the turn at hand, or see whether there must be another."""
        assert self._turn is not None
        goes_on = False
        try:
            goes_on = next(self._turn, _OVER) is None
        finally:
            if goes_on:
                asyncio.get_running_loop().call_soon(self._step)
            else:
                self._turn = None
                if self._ready:
                    self._plan_turn()

    def _steps(self) -> Generator[None]:
        """A turn: go on with answers that are sent in pieces, then take calls. Sockets are read between its steps."""
        try:
            for connection in self._ready:
                self._send_piece(connection)
        finally:
            yield from self._take_calls()

    def _send_piece(self, connection: Connection) -> None:
        try:
            connection.send_piece()
        except RpcError as error:
            logger.warning("An answer was cut off: %s", error.message)

    def _take_calls(self) -> Generator[None]:
        """Run calls in one transaction, commit it, then send the answers: none before.

        A bug in a method ends the turn early and goes to the event loop, which logs it. The calls before it are
        committed and answered all the same, the one at fault has an error, and those after it have the next turn.
        """
        visited: Counter[Connection] = Counter()
        calls: list[_Call] = []
        begun = monotonic()
        end = begun + TURN_SECONDS
        try:
            with self._node.store.group() as group:
                more = self._run(calls, visited, group, end)
                while more and group.writing and self._may_gather(visited) and monotonic() < begun + GATHER_SECONDS:
                    yield  # asyncio finds what has arrived,
                    yield  # and hands it over only after what was planned before
                    more = self._run(calls, visited, group, end)
        except StoreError as error:
            self._warner.warn(str(error))
            if self._node.store.unsynced:
                self.stop()
            failure = RpcError(GENERIC, str(error))
            for call in calls:
                if call.in_transaction:
                    if call.answer is not None and call.answer.rest is not None:
                        call.connection.send_rest(None)
                    call.answer = self._refusal(call, failure)
        finally:
            for call in calls:
                self._send(call)
            for connection in visited:
                if connection.is_done:
                    self._refuse(connection)  # it may be one too many that has asked nothing
                if connection.settle():
                    self.arrived(connection)
            self._changed.set()

    def _may_gather(self, visited: Sized) -> bool:
        """Whether other clients may yet send a call; and nobody waits, who would see what is not durable."""
        return len(visited) < len(self._connections) and not self._waits

    def _run(self, calls: list[_Call], visited: Counter[Connection], group: Group, end: float) -> bool:
        """Run the calls that are ready; whether there were any."""
        before = len(calls)
        for call in self._calls(visited, end):
            calls.append(call)
            joined, stop_calls = group.joined, self._stop_calls
            answered = self._answer(call)
            if not isinstance(answered, Answer):
                call.later = answered
                call.connection.hold()
                continue
            call.answer = answered
            call.in_transaction = group.joined > joined
            call.stops = self._stop_calls > stop_calls
            call.connection.owe(len(call.answer.data))
            call.connection.send_rest(call.answer.rest)
            if call.answer.close:
                call.connection.cut()
        return len(calls) > before

    def _send(self, call: _Call) -> None:
        if call.later is not None:
            assert isinstance(call.message, bytes)
            self._waits.begin(call.connection, call.message, call.later)
            if call.connection not in self._connections:  # it was lost before the turn ended
                asyncio.get_running_loop().call_soon(self._waits.forget, call.connection)  # once it has begun
            return
        send = call.connection.send_last if call.stops else call.connection.send
        send((call.answer or self._refusal(call, INTERNAL_ERROR)).data)

    def _calls(self, visited: Counter[Connection], end: float) -> Iterator[_Call]:
        """The calls of the connections that are ready, one connection after the other until the time is over.

        Those that had their turn are `visited`, and queue up behind the others for the next.
        """
        while self._ready and monotonic() < end:
            connection = next(iter(self._ready))
            del self._ready[connection]
            left = CALLS_PER_TURN - visited.setdefault(connection, 0)
            if left == 0:
                continue
            for message in connection.take(left):
                visited[connection] += 1
                yield _Call(connection, message)
                if monotonic() >= end:
                    return

    def _answer(self, call: _Call) -> Answer | Awaitable[Answer]:
        if isinstance(call.message, FramingError):
            return self._dispatcher.malformed(call.message)
        if call.connection in self._refused:
            self._refused.discard(call.connection)
            return Answer(self._refusal(call, self._too_many).data, close=True)
        return self._dispatcher.answer(call.message)

    def _refusal(self, call: _Call, error: RpcError) -> Answer:
        assert isinstance(call.message, bytes)  # what cannot be read joins no transaction
        return self._dispatcher.refuse(call.message, error)

    def _refuse(self, connection: Connection) -> None:
        """Turn away a client that is one too many and has asked nothing so far."""
        if connection in self._refused:
            self._refused.discard(connection)
            connection.send(self._dispatcher.refuse(_NO_MESSAGE, self._too_many).data)
            connection.cut()

    def _stop_by_call(self) -> None:
        self._stop_calls += 1
        self.stop()

    async def _watch_until_stopped(self) -> None:
        """Wait for the end; meanwhile, have no connection keep a request half-sent for ever."""
        while not self._stopping.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._request_seconds / 4):
                    await self._stopping.wait()
            for connection in list(self._connections):
                connection.hurry(self._request_seconds)

    async def _finish(self) -> None:
        """Answer what has arrived; then only those are left who called stop."""
        for connection in self._connections:
            connection.finish()
        self._waits.end()
        await self._wait_until(
            lambda: self._turn is None and all(connection.waits_for_the_end for connection in self._connections)
        )
        for connection in self._connections:
            if not connection.waits_for_the_end:
                connection.abort()

    async def _close(self) -> None:
        for connection in self._connections:
            connection.close()
        await self._wait_until(lambda: not self._connections)
        for connection in self._connections:
            connection.abort()

    async def _wait_until(self, reached: Callable[[], bool]) -> None:
        """Wait for connections to come to this, but not too long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                while not reached():
                    self._changed.clear()
                    await self._changed.wait()
