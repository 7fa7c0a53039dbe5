"""What the generated asyncio client stands on: calls share one connection, and their answers are matched by id.

Nothing else in this folder imports asyncio, which would be half of a blocking client's start-up time.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Mapping
from itertools import count
from types import TracebackType
from typing import Any, ClassVar, Self

from .command import Command
from .errors import ProtocolError, cannot_connect, connection_lost, timed_out
from .exchange import (
    Params,
    Reply,
    ReplyReader,
    decode_response,
    decode_result,
    encode_params,
    encode_request,
    request_id,
)
from .transport import is_open


class BaseAsyncClient:
    """Calls commands over one connection to a node's Unix socket, `<lightning-dir>/<network>/lightning-rpc`.

    Calls may be made concurrently: each is sent at once and awaits its own answer. It connects at the first call and
    again when the node was restarted in between. `timeout` bounds each call, in seconds (None: as long as it takes).
    Calls raise RpcError (the node says no) or a ClientError (there is no answer). A client belongs to the event loop
    that first used it.
    """

    rpc_package: ClassVar[str]
    """The package whose classes its calls return."""

    def __init__(self, path: str | os.PathLike[str], *, timeout: float | None = None) -> None:
        self._rpc_transport = AsyncUnixTransport(path, timeout)

    async def rpc_call(self, method: str, params: Params = None) -> Any:
        """Calls any command, known to this package or not; returns its result as plain JSON values.

        Parameters go by name or by position.
        """
        return decode_result(method, await self._rpc_transport.call(method, encode_params(params)))

    async def rpc_send(self, command: Command, params: Mapping[str, Any]) -> Any:
        """Calls `command`; returns the value of its response class.

        `params` goes by wire name; those that are None are not sent.
        """
        raw = await self._rpc_transport.call(command.name, encode_params(params))
        return decode_response(self.rpc_package, command, raw)

    async def rpc_close(self) -> None:
        """Closes the connection; calls that still wait fail, and a later call opens another."""
        await self._rpc_transport.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.rpc_close()


class AsyncUnixTransport:
    """One persistent connection to the socket at `path`; a request whose last byte went out is never sent again."""

    def __init__(self, path: str | os.PathLike[str], timeout: float | None = None) -> None:
        self._path = os.fspath(path)
        self._timeout = timeout
        self._numbers = count(1)
        self._connecting = asyncio.Lock()
        self._connection: _Connection | None = None

    async def call(self, method: str, params: bytes) -> bytes:
        """Calls `method` with `params` (JSON text); returns the result's JSON text.

        Raises RpcError or a ClientError.
        """
        identity = request_id(method, next(self._numbers))
        try:
            async with asyncio.timeout(self._timeout):
                connection = await self._connected()
                reply = await connection.exchange(identity, encode_request(identity, method, params))
        except TimeoutError:
            raise timed_out(method, self._timeout) from None
        except ConnectionResetError:
            raise connection_lost(method) from None
        return reply.result()

    async def close(self) -> None:
        """Closes the connection, if there is one; calls that wait on it fail with ConnectionLostError."""
        async with self._connecting:
            if self._connection is not None:
                await self._connection.close()
                self._connection = None

    async def _connected(self) -> _Connection:
        async with self._connecting:
            if self._connection is None or not self._connection.is_open():
                if self._connection is not None:
                    await self._connection.close()
                self._connection = await _connect(self._path)
            return self._connection


async def _connect(path: str) -> _Connection:
    connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connected.setblocking(False)
    try:
        connected.connect(path)  # a Unix socket's never has to wait
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_unix_connection(lambda: _Connection(connected), sock=connected)
    except BaseException as error:
        connected.close()
        if isinstance(error, OSError):
            raise cannot_connect(path, error) from None
        raise
    return connection


class _Connection(asyncio.Protocol):
    """A connected socket and the calls that wait on it, by id."""

    _transport: asyncio.Transport

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._replies = ReplyReader()
        self._waiting: dict[str, asyncio.Future[Reply]] = {}
        self._closed = asyncio.get_running_loop().create_future()

    def is_open(self) -> bool:
        """Whether neither side has closed it, even if the event loop has not noticed yet."""
        return not self._transport.is_closing() and is_open(self._socket)

    async def exchange(self, identity: str, request: bytes) -> Reply:
        """Sends `request` and waits for its answer; raises ConnectionResetError if none can come any more."""
        self._waiting[identity] = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            return await self._waiting[identity]
        finally:
            del self._waiting[identity]

    async def close(self) -> None:
        self._transport.abort()
        await self._closed

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            for reply in self._replies.feed(data):
                for waiting in self._addressed_by(reply):
                    waiting.set_result(reply)
        except ProtocolError as error:
            self._fail(error)
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 # asyncio's signature
        self._fail(ConnectionResetError())
        self._closed.set_result(None)

    def _addressed_by(self, reply: Reply) -> list[asyncio.Future[Reply]]:
        """The calls that a reply ends: a complaint without an id ends all."""
        calls = self._waiting.values() if reply.identity is None else [self._waiting.get(reply.identity)]
        return [call for call in calls if call is not None and not call.done()]

    def _fail(self, error: Exception) -> None:
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(error)
