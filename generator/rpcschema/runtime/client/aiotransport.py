"""Calls of an event loop over Unix sockets: they share a connection, and their answers are matched by id."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress
from itertools import count
from typing import Any, cast

from ..errors import (
    ProtocolError,
    client_closed,
    connection_lost,
    nobody_accepts,
    timed_out,
)
from .exchange import ResponseObject, ResponseReader, encode_request, request_id
from .forks import begin_anew_in_children
from .transport import CHUNK, RETRY_SECONDS, is_open, try_to_connect


class AsyncUnixTransport:
    """Calls over the socket at `path`, in one event loop at a time.

    All calls go out on one connection, whether earlier ones are answered or not. When one of them is given up
    (cancelled, or its time is up), the connection is retired: later calls go out on another, which is opened for them,
    and it closes once the calls that still wait on it are answered. So a server that answers in order is no obstacle
    behind a call that was given up, and nothing needs to be remembered of such calls. A request whose last byte went
    out is never sent again.
    """

    def __init__(self, path: str | os.PathLike[str], timeout: float | None = None) -> None:
        self._path = os.fspath(path)
        self._timeout = timeout
        self._numbers = count(1)
        self._session: _Session | None = None
        begin_anew_in_children(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._path, self._timeout)  # what is pickled has connections of its own

    @property
    def asking(self) -> asyncio.Lock:
        """Return the lock of a caller that must ask the node something before other calls go out."""
        return self._own_session().asking

    def deadline(self) -> float | None:
        """Return when a call that begins now must be over, by the event loop's clock; None for no limit."""
        return None if self._timeout is None else asyncio.get_running_loop().time() + self._timeout

    async def call(
        self, method: str, params: bytes, deadline: float | None = None, *, only: bytes | None = None
    ) -> bytes:
        """Call `method` with `params` and, if given, the filter `only` (JSON texts); return the result's JSON text.

        With an earlier `deadline` several calls share one timeout. Raises RpcError or a ClientError.
        """
        if deadline is None:
            deadline = self.deadline()
        elif deadline <= asyncio.get_running_loop().time():
            raise timed_out(method, self._timeout, sent=False)
        identity = request_id(method, next(self._numbers))
        request = encode_request(identity, method, params, only)
        session = self._own_session()
        connection = None
        try:
            async with asyncio.timeout_at(deadline):
                connection = await session.connected(self._path)
                reply = await connection.exchange(identity, request)
        except TimeoutError:
            raise (timed_out(method, self._timeout) if connection else nobody_accepts(self._path)) from None
        except (BrokenPipeError, ConnectionResetError) as error:
            ended = client_closed if session.is_closed else connection_lost
            raise ended(method, sent=isinstance(error, ConnectionResetError)) from None
        return reply.result(method)

    async def close(self) -> None:
        """Close all connections. Pending calls fail with ConnectionLostError."""
        if self._session is not None:
            session, self._session = self._own_session(), None
            await session.close()

    def begin_anew(self) -> None:
        """Forget the connections of a parent process, without its event loop noticing."""
        if self._session is not None:
            self._session.drop()
            self._session = None

    def _own_session(self) -> _Session:
        """Return what belongs to this event loop. Raises RuntimeError if another one uses the client."""
        if self._session is not None and not self._session.is_alive():
            self.begin_anew()
        if self._session is None:
            self._session = _Session()
        elif self._session.loop is not asyncio.get_running_loop():
            raise RuntimeError("the client belongs to the event loop that used it first; close it there")
        return self._session


class _Session:
    """What belongs to an event loop: its connections, and the locks of the calls that are made there."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.asking = asyncio.Lock()
        self.is_closed = False
        """Whether the client was closed: pending calls fail, and later ones get another session."""
        self._connecting = asyncio.Lock()
        self._connections: list[_Connection] = []
        """Those that have not ended. The last one is for new calls, and the others have been retired."""

    def is_alive(self) -> bool:
        """Return whether its event loop can still be used."""
        return not self.loop.is_closed()

    async def connected(self, path: str) -> _Connection:
        """Return the connection for new calls.

        Raises a ClientError if there is none, BrokenPipeError if the client is closed meanwhile.
        """
        async with self._connecting:
            self._check_not_closed()
            current = self._connections[-1] if self._connections else None
            if current is not None and current.is_open():
                return current
            if current is not None and not current.is_retired:
                await current.close()
            fresh = await self._connect(path)
            self._connections = [*(each for each in self._connections if not each.has_ended()), fresh]
            if self.is_closed:
                await fresh.close()
            self._check_not_closed()
            return fresh

    async def close(self) -> None:
        """Close all connections."""
        self.is_closed = True
        for connection in self._connections:
            await connection.close()

    def drop(self) -> None:
        """Close the sockets and nothing else: the event loop is closed, or another process's."""
        for connection in self._connections:
            connection.drop()

    async def _connect(self, path: str) -> _Connection:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            made.setblocking(False)
            while not try_to_connect(made, path):
                await asyncio.sleep(RETRY_SECONDS)
                self._check_not_closed()
            _, connection = await self.loop.create_unix_connection(lambda: _Connection(made), sock=made)
        except BaseException:
            made.close()
            raise
        return connection

    def _check_not_closed(self) -> None:
        if self.is_closed:
            raise BrokenPipeError


class _Connection(asyncio.Protocol):
    """A connected socket and the calls that wait on it, by id."""

    _transport: asyncio.Transport

    def __init__(self, connected: socket.socket) -> None:
        self.is_retired = False
        """Whether a call on it was given up: a server that answers in order may say nothing before that answer."""
        self._socket = connected
        self._replies = ResponseReader()
        self._waiting: dict[str, asyncio.Future[ResponseObject]] = {}
        self._incomplete: str | None = None
        """The last request, until its last byte has gone out."""
        self._complaint: ResponseObject | None = None
        """What the node sent without an id while no call was pending: the reason, if it then closes the connection."""
        self._ended = asyncio.Event()

    def is_open(self) -> bool:
        """Return whether it takes calls: neither side has closed it, even if the event loop has not noticed yet."""
        return not self.is_retired and not self._transport.is_closing() and is_open(self._socket)

    def has_ended(self) -> bool:
        """Return whether its socket is closed."""
        return self._ended.is_set()

    async def exchange(self, identity: str, request: bytes) -> ResponseObject:
        """Send `request` and return the reply to it.

        If none can come any more, raises BrokenPipeError if the last byte certainly did not go out, else
        ConnectionResetError.
        """
        waiting: asyncio.Future[ResponseObject] = asyncio.get_running_loop().create_future()
        self._waiting[identity] = waiting
        self._incomplete = identity
        self._transport.write(request)
        if not self._transport.is_closing() and not self._transport.get_write_buffer_size():
            self._incomplete = None
        if self._ended.is_set():
            self._end_calls()
        try:
            return await waiting
        finally:
            del self._waiting[identity]
            self.is_retired |= waiting.cancelled()
            if self.is_retired and not self._waiting:
                self._transport.abort()

    async def close(self) -> None:
        """Fail the pending calls, and wait until the socket is closed."""
        self._transport.abort()
        await self._ended.wait()

    def drop(self) -> None:
        """Close the socket alone; the event loop hears nothing of it."""
        self._socket.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is of no class of asyncio
        self._transport.set_write_buffer_limits(high=0)  # so `resume_writing` means that everything has gone out

    def resume_writing(self) -> None:
        self._incomplete = None

    def data_received(self, data: bytes) -> None:
        try:
            for reply in self._replies.feed(data):
                self._deliver(reply)
        except ProtocolError as error:
            for waiting in self._pending().values():
                waiting.set_result(ResponseObject(None, str(error)))
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:  # after a failed write asyncio leaves unread what the node said before
            with suppress(OSError):
                self.data_received(self._socket.recv(CHUNK))
        self._end_calls()
        self._ended.set()

    def _deliver(self, reply: ResponseObject) -> None:
        """Give a reply to the call that it is for; drop it if that call was given up.

        A complaint without an id goes to all pending calls, or is kept for the next one.
        """
        self._complaint = None
        if reply.identity is not None:
            waiting = self._waiting.get(reply.identity)
            if waiting is not None and not waiting.done():
                waiting.set_result(reply)
        elif pending := self._pending():
            for waiting in pending.values():
                waiting.set_result(reply)
        else:
            self._complaint = reply

    def _end_calls(self) -> None:
        """Fail the pending calls, as nothing more can be received."""
        for identity, waiting in self._pending().items():
            if self._complaint is not None:
                waiting.set_result(self._complaint)
            else:
                waiting.set_exception(BrokenPipeError() if identity == self._incomplete else ConnectionResetError())

    def _pending(self) -> dict[str, asyncio.Future[ResponseObject]]:
        return {identity: waiting for identity, waiting in self._waiting.items() if not waiting.done()}
