"""Calls of an event loop over clnrest."""

from __future__ import annotations

import asyncio
import socket
from typing import Any, cast

from ..errors import ClientError, RpcTimeoutError
from .aiosession import Call, Session, SessionTransport
from .exchange import MAX_RESPONSE_BYTES, ResponseObject
from .httpwire import HttpError, HttpReader, HttpResponse
from .rest import is_quiet
from .restnode import RestNode, Tls


class AsyncRestTransport(SessionTransport):
    """Calls over up to `connections` persistent HTTPS connections to a node's REST interface; further calls wait.

    A call has a connection to itself. When it is given up (cancelled, or timed out), its connection is closed. A
    request is never sent again.
    """

    def __init__(self, node: RestNode, connections: int) -> None:
        if connections < 1:
            raise ValueError(f"connections: expected at least 1, not {connections}")
        self._node = node
        self._size = connections
        super().__init__()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._node, self._size)

    def _new_session(self) -> Session:
        return _RestSession(self._node, self._size)

    def _request(self, method: str, params: bytes, response_filter: bytes | None) -> tuple[str, bytes]:
        return "", self._node.request(method, params)


class _RestSession(Session):
    """The connections of one event loop."""

    def __init__(self, node: RestNode, size: int) -> None:
        super().__init__()
        self._node = node
        self._tls = Tls(node)
        self._turns = asyncio.Semaphore(size)
        self._idle: list[_Connection] = []
        self._connections: set[_Connection] = set()
        """Those that have not ended, busy ones too."""
        self._connecting: set[asyncio.Task[_Connection]] = set()

    async def exchange(self, call: Call) -> ResponseObject:
        async with self._turns:
            self.check_not_closed()
            connection = self._take()
            if connection is None:
                call.is_connecting = True
                connection = await self._connected()
                call.is_connecting = False
            call.is_sent = True
            try:
                response = await connection.exchange(call.request)
            except HttpError as error:
                raise self._node.unreadable(error) from None
            self._idle.append(connection)
        return self._node.response(response)

    def too_slow(self) -> RpcTimeoutError:
        return self._node.too_slow()

    async def close(self) -> None:
        for task in self._connecting:
            task.cancel()
        for connection in tuple(self._connections):
            await connection.close()

    def drop(self) -> None:
        for connection in self._connections:
            connection.drop()

    def _take(self) -> _Connection | None:
        """Return the idle connection that was used last, if any is still open."""
        while self._idle:
            if (connection := self._idle.pop()).is_open():
                return connection
            connection.abort()
        return None

    async def _connected(self) -> _Connection:
        """Return a new connection.

        Raises a ClientError if the node cannot be reached, BrokenPipeError if the client is closed meanwhile.
        """
        task = self.loop.create_task(self._connect())
        self._connecting.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            if (current := asyncio.current_task()) is None or not current.cancelling():
                self.check_not_closed()  # `close` cancelled only the attempt
            raise
        finally:
            self._connecting.discard(task)

    async def _connect(self) -> _Connection:
        try:
            context = self._tls.context()
            connected = await self._connected_socket()
            name = None if context is None else self._node.server_name
            _, connection = await self.loop.create_connection(
                lambda: _Connection(connected, self._connections), sock=connected, ssl=context, server_hostname=name
            )
        except ClientError:
            raise
        except (OSError, UnicodeError) as error:
            raise self._tls.refused(error) from None
        return connection

    async def _connected_socket(self) -> socket.socket:
        """Connect to the first address of the host that accepts it. Raises the error of the last one."""
        node, failure = self._node, OSError("the host has no address")
        for family, _, _, _, address in await self.loop.getaddrinfo(node.host, node.port, type=socket.SOCK_STREAM):
            made = socket.socket(family, socket.SOCK_STREAM)
            made.setblocking(False)
            try:
                await self.loop.sock_connect(made, address)
            except OSError as error:
                failure = error
                made.close()
            except BaseException:
                made.close()
                raise
            else:
                return made
        raise failure


class _Connection(asyncio.Protocol):
    """A connection, which one call at a time uses."""

    _transport: asyncio.Transport

    def __init__(self, connected: socket.socket, others: set[_Connection]) -> None:
        self._socket = connected
        self._others = others
        self._reader = HttpReader(MAX_RESPONSE_BYTES)
        self._waiting: asyncio.Future[HttpResponse] | None = None
        self._is_last = False
        self._ended = asyncio.Event()

    def is_open(self) -> bool:
        """Return whether it takes another call: neither side has closed it, even if the event loop has not noticed."""
        return not self._is_last and not self._transport.is_closing() and is_quiet(self._socket)

    async def exchange(self, request: bytes) -> HttpResponse:
        """Send `request` and return its response; without one, the connection ends.

        Raises HttpError, or ConnectionResetError if the connection ends first.
        """
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        if self._ended.is_set():
            self._waiting.set_exception(ConnectionResetError())
        try:
            response = await self._waiting
        except BaseException:
            self._transport.abort()
            raise
        finally:
            self._waiting = None
        self._is_last = response.is_last
        return response

    async def close(self) -> None:
        """Fail the pending call, and wait until the socket is closed."""
        self._transport.abort()
        await self._ended.wait()

    def abort(self) -> None:
        """Close the connection; the event loop does it soon."""
        self._transport.abort()

    def drop(self) -> None:
        """Close only the socket, without notifying the event loop."""
        self._socket.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's transport is not a subclass
        self._others.add(self)

    def data_received(self, data: bytes) -> None:
        if self._waiting is None or self._waiting.done():  # nobody has asked for it
            self._transport.abort()
            return
        try:
            response = self._reader.feed(data)
        except HttpError as error:
            self._waiting.set_exception(error)
        else:
            if response is not None:
                self._waiting.set_result(response)

    def connection_lost(self, exc: Exception | None) -> None:
        self._others.discard(self)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionResetError())
        self._ended.set()
