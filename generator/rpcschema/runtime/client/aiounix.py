"""Calls of an event loop over Unix sockets: they share a connection, and responses are matched by id."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress
from itertools import count
from typing import Any, cast

from ..errors import ProtocolError, RpcTimeoutError, queue_is_full
from .address import find_socket
from .aiosession import Call, Session, SessionTransport
from .exchange import ResponseObject, ResponseReader, encode_request, request_id
from .unix import CHUNK, RETRY_SECONDS, is_open, try_to_connect


class AsyncUnixTransport(SessionTransport):
    """Calls over the socket at `path`, or over the only socket of the lightning directory `path`.

    All calls go out on one connection, without waiting for earlier responses. When a call is given up (cancelled, or
    timed out), the connection is retired: later calls open a new one, and the old one closes once its other pending
    calls have their responses. So a server that responds in order does not block later calls behind one that was given
    up, and nothing needs to be remembered about it. A request whose last byte was sent is never sent again.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = os.fspath(path)
        self._numbers = count(1)
        super().__init__()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._path,)  # a pickled copy has its own connections

    def _new_session(self) -> Session:
        return _UnixSession(self._path)

    def _request(self, method: str, params: bytes, response_filter: bytes | None) -> tuple[str, bytes]:
        identity = request_id(method, next(self._numbers))
        return identity, encode_request(identity, method, params, response_filter)


class _UnixSession(Session):
    """The connections of one event loop."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        self._connecting = asyncio.Lock()
        self._connections: list[_Connection] = []
        """Those that have not ended. The last one is for new calls; the others are retired."""

    async def exchange(self, call: Call) -> ResponseObject:
        call.is_connecting = True
        connection = await self._connected()
        call.is_connecting, call.is_sent = False, True
        return await connection.exchange(call.identity, call.request)

    def too_slow(self) -> RpcTimeoutError:
        return queue_is_full(self._path)

    async def close(self) -> None:
        for connection in self._connections:
            await connection.close()

    def drop(self) -> None:
        for connection in self._connections:
            connection.drop()

    async def _connected(self) -> _Connection:
        """Return the connection for new calls.

        Raises a ClientError if the node cannot be reached, BrokenPipeError if the client is closed meanwhile.
        """
        async with self._connecting:
            self.check_not_closed()
            current = self._connections[-1] if self._connections else None
            if current is not None and current.is_open():
                return current
            if current is not None and not current.is_retired:
                await current.close()
            fresh = await self._connect()
            self._connections = [*(each for each in self._connections if not each.has_ended()), fresh]
            if self.closed.is_set():
                await fresh.close()
            self.check_not_closed()
            return fresh

    async def _connect(self) -> _Connection:
        path = find_socket(self._path)
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            made.setblocking(False)
            while not try_to_connect(made, path):
                await asyncio.sleep(RETRY_SECONDS)
                self.check_not_closed()
            _, connection = await self.loop.create_unix_connection(lambda: _Connection(made), sock=made)
        except BaseException:
            made.close()
            raise
        return connection


class _Connection(asyncio.Protocol):
    """A connected socket and its pending calls, by id."""

    _transport: asyncio.Transport

    def __init__(self, connected: socket.socket) -> None:
        self.is_retired = False
        """Whether a call on it was given up; a server that responds in order may send nothing before that response."""
        self._socket = connected
        self._responses = ResponseReader()
        self._waiting: dict[str, asyncio.Future[ResponseObject]] = {}
        self._incomplete: str | None = None
        """The last request, until its last byte is sent."""
        self._unassigned: ResponseObject | None = None
        """An error without an id that came while no call was pending; if the node then closes the connection, the
        reason."""
        self._ended = asyncio.Event()

    def is_open(self) -> bool:
        """Return whether it accepts calls: neither side has closed it, even if the event loop has not noticed yet."""
        return not self.is_retired and not self._transport.is_closing() and is_open(self._socket)

    def has_ended(self) -> bool:
        """Return whether its socket is closed."""
        return self._ended.is_set()

    async def exchange(self, identity: str, request: bytes) -> ResponseObject:
        """Send `request` and return its response.

        If the connection ends first, raises BrokenPipeError if the last byte was certainly not sent, else
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
        """Close only the socket, without notifying the event loop."""
        self._socket.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's transport is not a subclass
        self._transport.set_write_buffer_limits(high=0)  # so `resume_writing` means that everything was sent

    def resume_writing(self) -> None:
        self._incomplete = None

    def data_received(self, data: bytes) -> None:
        try:
            for response in self._responses.feed(data):
                self._deliver(response)
        except ProtocolError as error:
            for waiting in self._pending().values():
                waiting.set_result(ResponseObject(None, str(error)))
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:  # after a failed write, asyncio does not read what the node sent before
            with suppress(OSError):
                self.data_received(self._socket.recv(CHUNK))
        self._end_calls()
        self._ended.set()

    def _deliver(self, response: ResponseObject) -> None:
        """Pass a response to its call, or drop it if that call was given up.

        A response without an id goes to all pending calls, or is kept for the next one.
        """
        self._unassigned = None
        if response.identity is not None:
            waiting = self._waiting.get(response.identity)
            if waiting is not None and not waiting.done():
                waiting.set_result(response)
        elif pending := self._pending():
            for waiting in pending.values():
                waiting.set_result(response)
        else:
            self._unassigned = response

    def _end_calls(self) -> None:
        """Fail the pending calls, because nothing more can be received."""
        for identity, waiting in self._pending().items():
            if self._unassigned is not None:
                waiting.set_result(self._unassigned)
            else:
                waiting.set_exception(BrokenPipeError() if identity == self._incomplete else ConnectionResetError())

    def _pending(self) -> dict[str, asyncio.Future[ResponseObject]]:
        return {identity: waiting for identity, waiting in self._waiting.items() if not waiting.done()}
