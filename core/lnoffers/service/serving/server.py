"""The JSON-RPC server: its connections, from the first call to the last answer.

After each event on a connection (bytes have arrived, the client has read, calls have run), the server calls `advance`.
If no call of the connection is running, it takes the next one. A call that does not need the store runs here, without
delay. A call that decodes a long string goes to the process of `decoder`. Any other call goes, together with those
that follow it, to the thread of `turns`; the docstring of that module explains what runs where. When calls have run,
the server sends their answers and advances the connection again.

Answers are sent in the order of the calls, with two exceptions. A call that waits for an event is answered after the
event, and does not delay the others (`waits`). The answer to `stop` comes last, when the socket, the store and the lock
are released. A long list is sent page by page, as fast as its client reads; the calls after it run when it is complete.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice, takewhile
from typing import Final

from clnrpc.runtime.errors import GENERIC, RpcError
from clnrpc.runtime.jsontext import FramingError
from clnrpc.runtime.server.dispatch import Answer
from lnoffers.service.commands import OffersService, Served
from lnoffers.service.dispatching import INTERNAL_ERROR, STORELESS, dispatcher
from lnoffers.service.errors import StoreError
from lnoffers.service.node import Node
from lnoffers.service.serving import rest
from lnoffers.service.serving.connection import RpcConnection
from lnoffers.service.serving.decoder import LONG_BYTES, Decoder, takes_long
from lnoffers.service.serving.listening import BACKLOG, bound_socket
from lnoffers.service.serving.turns import CallResult, Turns
from lnoffers.service.serving.waits import Waits
from lnoffers.service.serving.wire import Wire
from lnoffers.service.store import LockedError
from lnoffers.service.tasks import ended_in_bug

MAX_CONNECTIONS: Final = 256
MAX_REFUSED: Final = 8
"""How many connections beyond the limit stay open until their client has made a call and got the error."""
REFUSAL_SECONDS: Final = 1.0
"""How long such a connection stays open if its client makes no call."""
REQUEST_SECONDS: Final = 60.0
"""How long a request may take to arrive, from its first byte."""
LOOK_SECONDS: Final = 1.0
"""The interval of checks for disconnected clients and for requests that arrive too slowly."""
GRACE_SECONDS: Final = 5.0
"""When the server stops: the time to finish decoding long strings, and for clients to read their last answers."""
LAST_WRITE_SECONDS: Final = 1.0
"""When the server stops: how long a call waits until another process has finished writing."""

UNSYNCED: Final = (
    "the disk did not confirm a write to the store (fsync failed), so it is unknown whether the last calls are stored: "
    "check the disk, start the server again, and look for the calls that it refused"
)
"""The error of a server that ends without being stopped."""

_NO_MESSAGE: Final = b"{}"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _LastAnswer(Answer):
    """The answer to `stop`."""


class Server:
    """Serves a node on its socket, and over REST, until it is stopped. Create it within the event loop that runs it.

    Each of the two has at most `max_connections`.
    `commands` is the class of the commands. Another one than the default is for stand-ins, which have more of them.
    """

    def __init__(
        self,
        node: Node,
        *,
        commands: type[OffersService] = OffersService,
        max_connections: int = MAX_CONNECTIONS,
        request_seconds: float = REQUEST_SECONDS,
    ) -> None:
        self._node = node
        self._request_seconds = request_seconds
        self._max_connections = max_connections
        self._too_many = RpcError(GENERIC, f"Too many connections: {max_connections} are open")
        self._loop = asyncio.get_running_loop()
        self._wire = Wire(node)
        self.served: Final = Served(node.options.socket, self._stop_by_call, self._wire.peers, self._wire.payer)
        """What commands use of this server."""
        self.rest_address: tuple[str, int] | None = None
        """The host and TCP port at which it answers REST, once it does."""
        service = commands(node, self.served)
        self._dispatcher = dispatcher(service, developer=node.options.developer)
        self._turns = Turns(node.store, self._answer, self._dispatcher.refuse, self.stop)
        self._decoder = Decoder(node)
        self._waits = Waits(self._dispatcher.refuse, self.advance)
        self._connections: set[RpcConnection] = set()
        self._refused: set[RpcConnection] = set()
        """Connections beyond the limit that have not received the error yet."""
        self._tasks: dict[asyncio.Task[None], RpcConnection] = {}
        """The tasks that decode a long string or send a long list, with their connections."""
        self._is_stop = False
        """Whether the call that is running is `stop`."""
        self._stopping = asyncio.Event()
        self._changed = asyncio.Event()
        node.changes.run = self._turns.run

    async def run(self, ready: Callable[[], None], release: Callable[[], None] = lambda: None) -> None:
        """Listen, call `ready`, and serve until `stop`; then answer what has arrived, call `release`, and close.

        `release` frees the caller's resources, such as the lock. The command `stop` is answered after that, so its
        caller can start the next server right away.

        Raises:
            ListenError: if the socket, or the address for REST, cannot be opened.
            StoreError: if the disk did not confirm a write. All clients have been answered.
        """
        async with rest.listening(self._node.options, self, self._max_connections) as over_rest:
            self.rest_address = None if over_rest is None else over_rest.address
            self._turns.start()
            try:
                await self._serve(ready)
            finally:
                if over_rest is not None:
                    over_rest.close()
                await self._finish()
                await self._wire.peers.close()
                release()
                await self._close()
        if self._node.store.unsynced:
            raise StoreError(UNSYNCED)
        if self._turns.bug is not None:
            raise self._turns.bug

    async def _serve(self, ready: Callable[[], None]) -> None:
        """Listen at the socket, call `ready`, and serve until `stop`."""
        with bound_socket(self._node.options.socket) as unbound:
            listener = await self._loop.create_unix_server(lambda: RpcConnection(self), sock=unbound, backlog=BACKLOG)
            try:
                async with self._wire.working():
                    ready()
                    await self._watch_until_stopped()
            finally:
                listener.close()

    def stop(self) -> None:
        """Accept no more connections, answer what has arrived, and end `run`."""
        self._stopping.set()

    def opened(self, connection: RpcConnection) -> None:
        """Add a connection. One beyond the limit is refused at its first call, or after REFUSAL_SECONDS."""
        self._connections.add(connection)
        if self._stopping.is_set():
            connection.finish()  # it was accepted just before the listener closed
        if self._clients() <= self._max_connections:
            return
        self._refused.add(connection)
        if len(self._refused) <= MAX_REFUSED:
            self._loop.call_later(REFUSAL_SECONDS, self._turn_away, connection, _NO_MESSAGE)
        else:
            self._turn_away(connection, _NO_MESSAGE)

    def _clients(self) -> int:
        """Return how many connections at the socket are not refused."""
        return sum(not connection.is_in_process for connection in self._connections) - len(self._refused)

    def lost(self, connection: RpcConnection) -> None:
        """Remove a connection that has ended."""
        self._connections.discard(connection)
        self._refused.discard(connection)
        self._waits.forget(connection)
        for task, served in self._tasks.items():
            if served is connection:
                task.cancel()
        self._changed.set()

    def advance(self, connection: RpcConnection) -> None:
        """Run the next calls of a connection, unless some are running already or the client leaves answers unread."""
        if connection.is_busy or connection.is_lost or not connection.has_room:
            return
        try:
            calls = connection.take()
        except FramingError as error:
            connection.send(self._dispatcher.malformed(error).data)
            self._cut(connection)
            calls = ()
        if connection in self._refused and (calls or connection.is_over):
            self._turn_away(connection, calls[0] if calls else _NO_MESSAGE)
        elif calls:
            self._run(connection, calls)
        elif connection.is_over:
            self._end(connection)

    def _end(self, connection: RpcConnection) -> None:
        """Close a connection that has no more calls, unless an answer is still to come."""
        if connection in self._waits:
            if connection.has_left:
                connection.abort()
        elif connection.has_last:
            self._changed.set()
        else:
            connection.close()

    def _run(self, connection: RpcConnection, calls: Sequence[bytes]) -> None:
        """Run the first call, or pass it and the next ones to the decoder or the thread."""
        first = calls[0]
        if takes_long(first):
            connection.is_busy = True
            self._start_task(connection, self._decode(connection, first))
        elif (answer := self._answer_storeless(first)) is not None:
            self._send(connection, first, answer)
            if connection.has_more:
                connection.is_busy = True  # until the other connections have had their turn
                self._loop.call_soon(self._answered, connection, ())
        else:
            connection.is_busy = True
            short = [first, *takewhile(lambda call: not takes_long(call), islice(calls, 1, None))]
            self._turns.calls(short, partial(self._answered, connection))

    def _answer_storeless(self, call: bytes) -> Answer | Awaitable[Answer] | None:
        """Return the answer to a call if it is short and needs no store, so that no other call delays it; else None."""
        if len(call) > LONG_BYTES:
            return None
        try:
            return self._dispatcher.answer_call_of(STORELESS, call)
        except Exception:  # a bug in one call must not end the server
            logger.exception("A call ended in a bug")
            return self._dispatcher.refuse(call, INTERNAL_ERROR)

    def _answered(self, connection: RpcConnection, outcomes: Sequence[CallResult]) -> None:
        """Send the answers of calls that the decoder or the thread has run, and advance the connection."""
        connection.is_busy = False
        for outcome in outcomes:
            self._send(connection, outcome.message, outcome.answer)
        self.advance(connection)

    def _send(self, connection: RpcConnection, call: bytes, answer: Answer | Awaitable[Answer]) -> None:
        """Send the answer to the next call of a connection, or begin to wait for it."""
        connection.answered()
        if not isinstance(answer, Answer):
            self._waits.begin(connection, call, answer)
        elif isinstance(answer, _LastAnswer):
            connection.send_last(answer.data)
        else:
            connection.send(answer.data)
            if answer.close:
                self._cut(connection)
            if answer.rest is not None:
                connection.is_busy = True
                self._start_task(connection, self._send_rest(connection, answer.rest))

    async def _decode(self, connection: RpcConnection, call: bytes) -> None:
        """Answer a call that decodes a long string; if it is another call after all, pass it to the thread."""
        try:
            answer = await self._decoder.answer(call)
        except RpcError as error:
            answer = self._dispatcher.refuse(call, error)
        if answer is None:
            self._turns.calls([call], partial(self._answered, connection))
        else:
            self._answered(connection, [CallResult(call, answer)])

    async def _send_rest(self, connection: RpcConnection, rest: Iterator[bytes]) -> None:
        """Send the remaining pages of a long list; read each from the store when the client has read those before."""
        try:
            while (page := await self._turns.run(partial(next, rest, None))) is not None:
                connection.send(page)
                await connection.drained()
        except RpcError as error:
            # Half of the answer is sent. Without its end it is not JSON, so no client mistakes it for the whole.
            logger.warning("An answer was cut off: %s", error.message)
            connection.abort()
        connection.is_busy = False
        self.advance(connection)

    def _start_task(self, connection: RpcConnection, work: Coroutine[None, None, None]) -> None:
        """Start a task that is cancelled if the connection ends."""
        task = self._loop.create_task(work)
        self._tasks[task] = connection
        task.add_done_callback(self._task_ended)

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        connection = self._tasks.pop(task)
        if ended_in_bug("An answer ended in a bug", task):
            connection.abort()

    def _cut(self, connection: RpcConnection) -> None:
        """Send no more answers on a connection."""
        connection.cut()
        self._waits.forget(connection)

    def _turn_away(self, connection: RpcConnection, message: bytes) -> None:
        if connection in self._refused:
            self._refused.discard(connection)
            connection.send(self._dispatcher.refuse(message, self._too_many).data)
            connection.cut()
            connection.close()

    def _answer(self, message: bytes) -> Answer | Awaitable[Answer]:
        """Answer a call. Runs on the thread of `turns`."""
        mark = self._node.entropy.mark()
        try:
            answer = self._dispatcher.answer(message)
        except LockedError:
            self._node.entropy.reset(mark)  # the call runs again later, and must then draw the same random bytes
            raise
        if self._is_stop and isinstance(answer, Answer):
            self._is_stop = False
            return _LastAnswer(answer.data)
        return answer

    def _stop_by_call(self) -> None:
        """Stop the server, and send the answer to the current call last. Runs on the thread of `turns`."""
        self._is_stop = True
        self._loop.call_soon_threadsafe(self.stop)

    async def _watch_until_stopped(self) -> None:
        """Wait until the server is stopped; meanwhile, check for disconnected clients and late requests."""
        while not self._stopping.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await self._stopping.wait()
            for connection in [*self._connections]:
                if (connection.is_busy or connection in self._waits) and connection.has_left:
                    connection.abort()
                else:
                    connection.hurry(self._request_seconds)

    async def _finish(self) -> None:
        """Answer everything that has arrived except `stop`; refuse strings that are not decoded in time.

        Nothing uses the node afterwards.
        """
        for connection in [*self._connections]:
            connection.finish()
        self._waits.end()
        self._turns.hurry(LAST_WRITE_SECONDS)
        try:
            await self._wait_until(lambda: all(self._only_stop_is_left(connection) for connection in self._connections))
            self._decoder.end()
            await self._wait_until(self._all_readers_are_answered)
            for connection in self._connections:
                if not self._only_stop_is_left(connection):
                    connection.abort()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        finally:
            self._turns.close()
            self._decoder.close()

    def _only_stop_is_left(self, connection: RpcConnection) -> bool:
        """Return whether everything on this connection is answered except `stop`."""
        return connection.has_last and connection.is_over and connection not in self._waits

    def _all_readers_are_answered(self) -> bool:
        """Return whether calls are left only on connections whose clients do not read."""
        return all(self._only_stop_is_left(connection) or not connection.has_room for connection in self._connections)

    async def _close(self) -> None:
        """Answer `stop`, and close the connections."""
        for connection in self._connections:
            connection.close()
        await self._wait_until(lambda: not self._connections)
        for connection in self._connections:
            connection.abort()

    async def _wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait until the condition holds for the connections, for GRACE_SECONDS at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                while not condition():
                    self._changed.clear()
                    await self._changed.wait()
