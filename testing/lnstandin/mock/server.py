"""The unix socket: reads requests, and sends responses whole, in half, late, out of order or not at all."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from clnrpc.runtime.errors import RpcError
from clnrpc.runtime.jsontext import Framer, FramingError
from clnrpc.runtime.server import envelope
from clnrpc.runtime.server.bind import BadParameter
from clnrpc.runtime.server.convert import BadToken, json_value
from clnrpc.runtime.server.filter import Filter, apply, parse
from clnrpc.runtime.values.encode import encode
from lnoffers.service.errors import ListenError
from lnoffers.service.serving.listening import MAX_PATH, is_served
from lnstandin.mock.core import Caller, Outcome, Standin
from lnstandin.mock.rules import Manner, Params

_CHUNK: Final = 1 << 16
_STEPS_TO_SERVE: Final = 10
"""More steps of the event loop than asyncio takes from accepting a connection to serving it."""


class Server:
    """Serves a stand-in at a socket. One event loop runs all of it."""

    def __init__(self, standin: Standin, path: Path) -> None:
        self.path = path
        self._standin = standin
        self._listening: asyncio.Server | None = None
        self._connections: set[_Connection] = set()
        self._serving: set[asyncio.Task[None]] = set()
        """The tasks that read from the connections."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._turns = _Turns()

    async def open(self) -> None:
        """Listen. Raises ListenError."""
        _free(self.path)
        try:
            self._listening = await asyncio.start_unix_server(self._serve, self.path)
        except OSError as error:
            raise ListenError(f"{self.path}: cannot listen there: {error.strerror or error}") from error

    async def close(self) -> None:
        """Stop listening, and end all connections at once."""
        await self._stop_listening()
        await self._end(list(self._connections))
        if self._serving:
            await asyncio.wait(self._serving)

    async def restart(self) -> None:
        """End all connections without answering, and listen again, which has begun when they end."""
        await self._stop_listening()
        connections = list(self._connections)
        await self.open()
        await self._end(connections)

    async def _stop_listening(self) -> None:
        """Accept no more connections, serve those that are accepted, and then close the socket.

        In the other order, asyncio cannot attach a connection to the server, and leaves its transport unclosed.
        """
        listening, self._listening = self._listening, None
        if listening is None:
            return
        for each in listening.sockets:
            asyncio.get_running_loop().remove_reader(each.fileno())
        for _ in range(_STEPS_TO_SERVE):
            await asyncio.sleep(0)
        listening.close()
        self.path.unlink(missing_ok=True)

    async def _end(self, connections: Sequence[_Connection]) -> None:
        for connection in connections:
            connection.abort()
        self._turns.release()
        me = asyncio.current_task()
        for task in [each for each in self._tasks if each is not me]:
            task.cancel()
        await asyncio.sleep(0)

    def reorder(self, count: int) -> None:
        """Send the next `count` responses in reverse order, once all of them are ready."""
        self._turns = _Turns(count)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(writer)
        self._connections.add(connection)
        if task := asyncio.current_task():
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
        framer = Framer()
        try:
            while data := await reader.read(_CHUNK):
                framer.feed(data)
                for message in framer:
                    self._start(message, connection)
        except FramingError as error:
            connection.send(envelope.failure(envelope.NO_ID, envelope.malformed(error)))
        except (ConnectionError, asyncio.CancelledError):
            connection.abort()
        finally:
            await connection.finish()
            self._connections.discard(connection)

    def _start(self, message: bytes, connection: _Connection) -> None:
        task = asyncio.create_task(self._respond(message, connection))
        for tasks in (self._tasks, connection.tasks):
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    async def _respond(self, message: bytes, connection: _Connection) -> None:
        request = envelope.members_by_name(message)
        if not envelope.has_version(request):
            connection.send(envelope.failure(envelope.NO_ID, envelope.no_version(message)))
            connection.close()
            return
        identity = envelope.NO_ID
        try:
            identity = envelope.identity_of(request)
            method = envelope.method_of(request).decode()
            wanted = _filter_of(request)
        except RpcError as error:
            connection.send(envelope.failure(identity, error))
            return
        caller = Caller(lambda kind, params: connection.notify(identity, kind, params), connection.enable)
        outcome = await self._standin.outcome(method, request[b"params"], caller)
        for kind, params in outcome.step.notices:
            caller.notify(kind, params)
        await self._send(outcome, _response(identity, outcome, wanted), connection)
        if method == "stop" and outcome.error is None:
            self._standin.on_stop()

    async def _send(self, outcome: Outcome, response: bytes, connection: _Connection) -> None:
        if outcome.step.delay:
            await asyncio.sleep(outcome.step.delay)
        await self._turns.wait()
        match outcome.step.manner:
            case Manner.WHOLE:
                connection.send(response)
            case Manner.HALF:
                connection.send(response[: len(response) // 2])
                connection.close()
            case Manner.DROP:
                connection.abort()
            case Manner.RESTART:
                await self.restart()


class _Connection:
    """The connection of one client."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._has_notifications = False
        self.tasks: set[asyncio.Task[None]] = set()
        self._writer = writer

    def send(self, data: bytes) -> None:
        if not self._writer.is_closing():
            self._writer.write(data)

    def enable(self, enabled: bool) -> None:  # the parameter of the command `notifications`
        """Send notifications about this connection's calls from now on, or none."""
        self._has_notifications = enabled

    def notify(self, identity: bytes, method: str, params: Params) -> None:
        """Send a notification about the call with this id, if they are enabled."""
        if self._has_notifications:
            shown = encode({"id": json_value(identity), **params})
            self.send(b'{"jsonrpc":"2.0","method":%b,"params":%b}\n\n' % (encode(method), shown))

    def close(self) -> None:
        """End the connection after sending what is left."""
        self._writer.close()

    def abort(self) -> None:
        """End the connection at once."""
        self._writer.transport.abort()

    async def finish(self) -> None:
        """Close the connection once all calls are answered."""
        if self.tasks and not self._writer.is_closing():
            await asyncio.wait(set(self.tasks))
        self._writer.close()
        with suppress(ConnectionError, asyncio.CancelledError):
            await self._writer.wait_closed()


class _Turns:
    """Holds a number of responses back until all of them are ready, then lets them go in reverse order."""

    def __init__(self, count: int = 0) -> None:
        self._count = count
        self._waiting: list[asyncio.Event] = []

    async def wait(self) -> None:
        """Wait for the turn of a response that is ready."""
        if not self._count:
            return
        turn = asyncio.Event()
        self._waiting.append(turn)
        if len(self._waiting) == self._count:
            self.release()
        await turn.wait()

    def release(self) -> None:
        """Let all go that wait, and hold no others back."""
        self._count = 0
        for turn in reversed(self._waiting):
            turn.set()  # tasks go on in the order in which their events are set


def _filter_of(request: envelope.RequestMembers) -> Filter | None:
    raw = request.get(b"filter")
    if raw is None:
        return None
    try:
        return parse(raw)
    except BadToken as bad:
        raise BadParameter("filter", bad) from None


def _response(identity: bytes, outcome: Outcome, wanted: Filter | None) -> bytes:
    if outcome.error is not None:
        return envelope.failure(identity, outcome.error)
    answer = outcome.answer if wanted is None else encode(apply(wanted, json_value(outcome.answer)))
    return envelope.success(identity, answer)


def _free(path: Path) -> None:
    """Remove the socket that a process left behind. Raises ListenError if the path cannot be used."""
    if len(os.fsencode(path)) > MAX_PATH:
        raise ListenError(f"{path}: too long for a socket's path; the most are {MAX_PATH} bytes")
    if not path.parent.is_dir():
        raise ListenError(f"{path}: there is no folder {path.parent}")
    if path.exists() and not path.is_socket():
        raise ListenError(f"{path}: there is a file that is no socket")
    if is_served(path):
        raise ListenError(f"{path}: another process listens there")
    if path.is_socket():
        path.unlink()
