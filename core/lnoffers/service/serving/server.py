"""The JSON-RPC server: its connections, from the first call to the last answer.

A connection advances when something has happened to it: bytes have arrived, its client has read, its calls have run. If
none of its calls are under way then, the next one runs. If it needs no store, it runs here, at once. If it decodes a
string that takes long, it goes to the process of `decoder`. Otherwise it goes, with those behind it, to the thread of
`turns`, whose first page explains what runs where. When calls have run, their answers are sent, and the connection
advances again.

Answers come in the order of the calls, with three exceptions. A call that waits for something to happen is answered
when it has, and does not delay the others (`waits`). The answer to `stop` comes last, when everything is given back. A
long list is sent page by page, as its client reads; the calls behind it run when it has ended.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import Final

from clnrpc.runtime.errors import GENERIC, RpcError
from clnrpc.runtime.jsontext import FramingError
from clnrpc.runtime.server.dispatch import Answer
from lnoffers.bolt12 import CHAINS
from lnoffers.net.onion_messages import ReceivedMessage
from lnoffers.service.commands import OffersService, Served
from lnoffers.service.dispatching import INTERNAL_ERROR, STORELESS, dispatcher
from lnoffers.service.errors import StoreError
from lnoffers.service.node import Node
from lnoffers.service.peers import Link, Peers, listening, stay_connected
from lnoffers.service.serving.connection import Connection
from lnoffers.service.serving.decoder import Decoder, takes_long
from lnoffers.service.serving.listening import BACKLOG, bound_socket
from lnoffers.service.serving.turns import Outcome, Turns
from lnoffers.service.serving.waits import Waits
from lnoffers.service.store import LockedError

MAX_CONNECTIONS: Final = 256
MAX_REFUSED: Final = 8
"""How many connections beyond the limit are kept for a moment, so that their clients get to read why."""
REFUSAL_SECONDS: Final = 1.0
"""How long such a moment is, if the client asks nothing before."""
REQUEST_SECONDS: Final = 60.0
"""How long a request may take to arrive, from its first byte."""
LOOK_SECONDS: Final = 1.0
"""How often to look for clients that have left and requests that do not end."""
GRACE_SECONDS: Final = 5.0
"""How long strings may take to be decoded, and clients to read their last answers, when the server stops."""
LAST_WRITE_SECONDS: Final = 1.0
"""How long a call waits for another process that writes when the server stops."""

UNSYNCED: Final = (
    "the disk did not confirm a write to the store (fsync failed), so it is unknown whether the last calls are stored: "
    "check the disk, start the server again, and look for the calls that it refused"
)
"""Why the server ends by itself."""

_NO_MESSAGE: Final = b"{}"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _LastAnswer(Answer):
    """The answer to `stop`."""


class Server:
    """Serves a node on its socket until it is stopped. Make it within the event loop that runs it."""

    def __init__(
        self, node: Node, *, max_connections: int = MAX_CONNECTIONS, request_seconds: float = REQUEST_SECONDS
    ) -> None:
        self._node = node
        self._request_seconds = request_seconds
        self._max_connections = max_connections
        self._too_many = RpcError(GENERIC, f"Too many connections: {max_connections} are open")
        self._loop = asyncio.get_running_loop()
        self._peers = Peers(node.keys.key_pair, CHAINS[node.options.network], _nobody)
        service = OffersService(node, Served(node.options.socket, self._stop_by_call, self._peers))
        self._dispatcher = dispatcher(service, developer=node.options.developer)
        self._turns = Turns(node.store, self._answer, self._dispatcher.refuse, self.stop)
        self._decoder = Decoder(node)
        self._waits = Waits(self._dispatcher.refuse, self.advance)
        self._connections: set[Connection] = set()
        self._refused: set[Connection] = set()
        """Connections beyond the limit that have not received their refusal yet."""
        self._tasks: dict[asyncio.Task[None], Connection] = {}
        """Long strings being decoded and long lists being sent."""
        self._was_stop = False
        self._stopping = asyncio.Event()
        self._changed = asyncio.Event()
        node.changes.run = self._turns.run

    async def run(self, ready: Callable[[], None], release: Callable[[], None] = lambda: None) -> None:
        """Listen, call `ready`, and serve until `stop`; then answer what has arrived, call `release`, and close.

        `release` gives back what the caller holds for the server. A client that called the command stop is answered
        after that, so it can start the next server at once.

        Raises:
            ListenError: if the socket cannot be opened.
            StoreError: if the disk did not confirm what was written; all clients have been answered by then.
        """
        self._turns.start()
        try:
            with bound_socket(self._node.options.socket) as unbound:
                listener = await self._loop.create_unix_server(lambda: Connection(self), sock=unbound, backlog=BACKLOG)
                try:
                    async with self._reaching_peers():
                        ready()
                        await self._watch_until_stopped()
                finally:
                    listener.close()
        finally:
            await self._finish()
            await self._peers.close()
            release()
            await self._close()
        if self._node.store.unsynced:
            raise StoreError(UNSYNCED)
        if self._turns.bug is not None:
            raise self._turns.bug

    def stop(self) -> None:
        """Take no more connections, answer what has arrived, and end `run`."""
        self._stopping.set()

    def opened(self, connection: Connection) -> None:
        """Add a connection. One beyond the limit is refused at its first call, or after a moment."""
        self._connections.add(connection)
        if self._stopping.is_set():
            connection.finish()  # it was accepted at the last moment
        if len(self._connections) - len(self._refused) <= self._max_connections:
            return
        self._refused.add(connection)
        if len(self._refused) <= MAX_REFUSED:
            self._loop.call_later(REFUSAL_SECONDS, self._turn_away, connection, _NO_MESSAGE)
        else:
            self._turn_away(connection, _NO_MESSAGE)

    def lost(self, connection: Connection) -> None:
        """Remove a connection whose client is gone."""
        self._connections.discard(connection)
        self._refused.discard(connection)
        self._waits.forget(connection)
        for task, served in self._tasks.items():
            if served is connection:
                task.cancel()
        self._changed.set()

    def advance(self, connection: Connection) -> None:
        """Have the next calls of a connection run, if none are under way and its client keeps up with the answers."""
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

    def _end(self, connection: Connection) -> None:
        """See to a connection that has no more calls to run."""
        if connection in self._waits:
            if connection.has_left:
                connection.abort()
        elif connection.has_last:
            self._changed.set()
        else:
            connection.close()

    def _run(self, connection: Connection, calls: Sequence[bytes]) -> None:
        """Run calls, the first one at least, or send them to where they run."""
        first = calls[0]
        if takes_long(first):
            connection.is_busy = True
            self._begin(connection, self._decode(connection, first))
        elif (answer := self._answer_storeless(first)) is not None:
            self._send(connection, [Outcome(first, answer)])
            self._loop.call_soon(self.advance, connection)  # the other connections come first
        else:
            connection.is_busy = True
            short = [*takewhile(lambda call: not takes_long(call), calls)]
            self._turns.calls(short, partial(self._answered, connection))

    def _answer_storeless(self, call: bytes) -> Answer | Awaitable[Answer] | None:
        """Return the answer to a call that needs no store, so that no other call delays it; None to any other."""
        try:
            return self._dispatcher.answer_call_of(STORELESS, call)
        except Exception:  # the server must outlive a bug in a call
            logger.exception("A call ended in a bug")
            return self._dispatcher.refuse(call, INTERNAL_ERROR)

    def _answered(self, connection: Connection, outcomes: Sequence[Outcome]) -> None:
        """Send the answers of calls that have run elsewhere, and go on."""
        connection.is_busy = False
        self._send(connection, outcomes)
        self.advance(connection)

    def _send(self, connection: Connection, outcomes: Sequence[Outcome]) -> None:
        connection.answered(len(outcomes))
        for outcome in outcomes:
            answer = outcome.answer
            if not isinstance(answer, Answer):
                self._waits.begin(connection, outcome.message, answer)
            elif isinstance(answer, _LastAnswer):
                connection.send_last(answer.data)
            else:
                connection.send(answer.data)
                if answer.close:
                    self._cut(connection)
                if answer.rest is not None:
                    connection.is_busy = True
                    self._begin(connection, self._send_rest(connection, answer.rest))

    async def _decode(self, connection: Connection, call: bytes) -> None:
        """Answer a call that decodes a long string, or have it run if it is another one after all."""
        try:
            answer = await self._decoder.answer(call)
        except RpcError as error:
            answer = self._dispatcher.refuse(call, error)
        if answer is None:
            self._turns.calls([call], partial(self._answered, connection))
        else:
            self._answered(connection, [Outcome(call, answer)])

    async def _send_rest(self, connection: Connection, rest: Iterator[bytes]) -> None:
        """Send the other pages of a long list, each of them read when the client has room for it."""
        try:
            while (page := await self._turns.run(partial(next, rest, None))) is not None:
                connection.send(page)
                await connection.drained()
        except RpcError as error:
            # Half of the answer is sent. Nobody may take it for the whole: without its end it is not JSON.
            logger.warning("An answer was cut off: %s", error.message)
            connection.abort()
        connection.is_busy = False
        self.advance(connection)

    def _begin(self, connection: Connection, work: Coroutine[None, None, None]) -> None:
        """Do what takes its time. It ends with its connection."""
        task = self._loop.create_task(work)
        self._tasks[task] = connection
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        connection = self._tasks.pop(task)
        if not task.cancelled() and (bug := task.exception()) is not None:
            self._loop.call_exception_handler({"message": "An answer ended in a bug", "exception": bug})
            connection.abort()

    def _cut(self, connection: Connection) -> None:
        """Answer nothing more on a connection."""
        connection.cut()
        self._waits.forget(connection)

    def _turn_away(self, connection: Connection, message: bytes) -> None:
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
            self._node.entropy.reset(mark)  # the call runs again, and must then do what it would have done now
            raise
        if self._was_stop and isinstance(answer, Answer):
            self._was_stop = False
            return _LastAnswer(answer.data)
        return answer

    @asynccontextmanager
    async def _reaching_peers(self) -> AsyncIterator[None]:
        """Be connected to other nodes while the block runs."""
        options = self._node.options
        keeping = [self._loop.create_task(stay_connected(self._peers, address)) for address in options.peers]
        try:
            async with listening(self._peers, options.listen):
                yield
        finally:
            for task in keeping:
                task.cancel()

    def _stop_by_call(self) -> None:
        """Stop, and have the answer to the call at hand sent last. Runs on the thread of `turns`."""
        self._was_stop = True
        self._loop.call_soon_threadsafe(self.stop)

    async def _watch_until_stopped(self) -> None:
        """Wait for the end; meanwhile, look for clients that have left, and for requests that do not end."""
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
        """Answer what has arrived, but for `stop`; refuse strings that are not decoded in time.

        Nothing uses the node after that.
        """
        for connection in [*self._connections]:
            connection.finish()
        self._waits.end()
        self._turns.hurry(LAST_WRITE_SECONDS)
        try:
            await self._until(lambda: all(self._is_left_to_stop(connection) for connection in self._connections))
            self._decoder.end()
            await self._until(self._has_answered_who_reads)
            for connection in self._connections:
                if not self._is_left_to_stop(connection):
                    connection.abort()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
        finally:
            self._turns.close()
            self._decoder.close()

    def _is_left_to_stop(self, connection: Connection) -> bool:
        return connection.has_last and connection.is_over and connection not in self._waits

    def _has_answered_who_reads(self) -> bool:
        return all(self._is_left_to_stop(connection) or not connection.has_room for connection in self._connections)

    async def _close(self) -> None:
        """Answer `stop`, and close the connections."""
        for connection in self._connections:
            connection.close()
        await self._until(lambda: not self._connections)
        for connection in self._connections:
            connection.abort()

    async def _until(self, reached: Callable[[], bool]) -> None:
        """Wait until the connections have come to this, but not too long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_SECONDS):
                while not reached():
                    self._changed.clear()
                    await self._changed.wait()


def _nobody(link: Link, _: ReceivedMessage) -> None:
    """Drop a message for this node, because no command waits for one yet."""
    logger.debug("Dropped a message that came by %s: nothing waits for it", link)
