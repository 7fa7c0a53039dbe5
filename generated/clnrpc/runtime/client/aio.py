"""What the generated asyncio client stands on: calls share one connection, and their answers are matched by id.

Nothing else in this folder imports asyncio, which would be half of a blocking client's start-up time.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from itertools import count
from types import TracebackType
from typing import Any, Self

from ..command import Command
from ..errors import (
    ClientError,
    ProtocolError,
    RpcError,
    client_closed,
    connection_lost,
    nobody_accepts,
    timed_out,
)
from ..values.decode import decode_plain
from .caller import Caller
from .checks import check
from .exchange import (
    Params,
    Reply,
    ReplyReader,
    decode_response,
    encode_params,
    encode_request,
    request_id,
)
from .transport import CHUNK, RETRY_SECONDS, is_open, try_to_connect
from .version import GETINFO


class BaseAsyncClient(Caller):
    """Calls commands over one connection to a node's Unix socket, `<lightning-dir>/<network>/lightning-rpc`.

    Calls may be made concurrently: each is sent at once and awaits its own answer. It connects at the first call and
    again when the node was restarted in between. `timeout` bounds each call, in seconds (None: as long as it takes).
    Calls raise RpcError (the node says no) or a ClientError (there is no answer). A client belongs to the event loop
    that first used it until it is closed there; a call in another raises RuntimeError.

    Before the first call of a command's method it asks the node for its version, while other such calls wait, and gives
    a VersionWarning if its types are those of another release. A node that does not tell brings no warning.
    """

    def __init__(self, path: str | os.PathLike[str], *, timeout: float | None = None) -> None:
        super().__init__()
        self._rpc_transport = AsyncUnixTransport(path, timeout)
        self._rpc_asking = asyncio.Lock()

    async def rpc_call(self, method: str, params: Params = None) -> Any:
        """Calls any command, known to this package or not; returns its result as plain JSON values.

        Parameters go by name or by position.
        """
        return decode_plain(
            method, await self._rpc_transport.call(method, encode_params(params), only=self._rpc_filter)
        )

    def rpc_send(self, command: Command, params: Mapping[str, Any]) -> Coroutine[Any, Any, Any]:
        """Calls `command`; returns, when awaited, the value of its response class.

        `params` goes by wire name; those that are None are not sent. Warnings of what is deprecated, and errors in
        parameters, come at once and so at the line that makes the call, even if a task awaits it.
        """
        check(command, params, stacklevel=3)
        return self._rpc_answer(command, encode_params(params))

    async def rpc_close(self) -> None:
        """Closes the connection; calls at hand fail, and a later call opens another."""
        await self._rpc_transport.close()

    async def _rpc_answer(self, command: Command, params: bytes) -> Any:
        deadline = self._rpc_transport.deadline()
        async with self._rpc_asking:  # always, as it is fair: calls go out in the order in which they were made
            if not self._rpc_version.is_settled and command.name != GETINFO:
                await self._rpc_ask_version(deadline)
        raw = await self._rpc_transport.call(command.name, params, deadline, only=self._rpc_filter)
        if command.name == GETINFO and self._rpc_filter is None:
            self._rpc_version.learn(raw, stacklevel=2)
        return decode_response(self.rpc_package, command, raw)

    async def _rpc_ask_version(self, deadline: float | None) -> None:
        try:
            answer = await self._rpc_transport.call(GETINFO, b"{}", deadline)
        except RpcError:
            self._rpc_version.learn(None, stacklevel=3)
        except ClientError:
            pass  # the call that follows meets the same trouble, and tells it
        else:
            self._rpc_version.learn(answer, stacklevel=3)

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
        self._closed = asyncio.Event()  # set for the calls at hand when the client is closed; later calls have another

    def deadline(self) -> float | None:
        """When a call that begins now has to be over, by the event loop's clock; None for no limit."""
        return None if self._timeout is None else asyncio.get_running_loop().time() + self._timeout

    async def call(
        self, method: str, params: bytes, deadline: float | None = None, *, only: bytes | None = None
    ) -> bytes:
        """Calls `method` with `params` and, if there is one, the filter `only` (JSON texts); the result's JSON text.

        With an earlier `deadline` several calls share one timeout. Raises RpcError or a ClientError.
        """
        if deadline is None:
            deadline = self.deadline()
        elif deadline <= asyncio.get_running_loop().time():
            raise timed_out(method, self._timeout, sent=False)
        identity = request_id(method, next(self._numbers))
        request = encode_request(identity, method, params, only)
        closed = self._closed
        connection = None
        try:
            async with asyncio.timeout_at(deadline):
                connection = await self._connected(closed)
                reply = await connection.exchange(identity, request)
        except TimeoutError:
            raise (timed_out(method, self._timeout) if connection else nobody_accepts(self._path)) from None
        except (BrokenPipeError, ConnectionResetError) as error:
            ended = client_closed if closed.is_set() else connection_lost
            raise ended(method, sent=isinstance(error, ConnectionResetError)) from None
        return reply.result(method)

    async def close(self) -> None:
        """Closes the connection, if there is one; calls at hand fail with ConnectionLostError."""
        self._closed.set()
        self._closed = asyncio.Event()
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _connected(self, closed: asyncio.Event) -> _Connection:
        """The open connection; raises a ClientError, or BrokenPipeError if the client is closed meanwhile."""
        async with self._connecting:
            if closed.is_set():
                raise BrokenPipeError
            if self._connection is not None and self._connection.loop is not asyncio.get_running_loop():
                raise RuntimeError("the client belongs to the event loop that opened its connection; close it there")
            if self._connection is None or not self._connection.is_open():
                stale, self._connection = self._connection, None
                if stale is not None:
                    await stale.close()
                fresh = await _connect(self._path, closed)
                if closed.is_set():
                    await fresh.close()
                    raise BrokenPipeError
                self._connection = fresh
            return self._connection


async def _connect(path: str, closed: asyncio.Event) -> _Connection:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        while not try_to_connect(made, path):
            await _pause(closed)
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_unix_connection(lambda: _Connection(made), sock=made)
    except BaseException:
        made.close()
        raise
    return connection


async def _pause(closed: asyncio.Event) -> None:
    """Waits before the next try to connect; raises BrokenPipeError if the client is closed."""
    await asyncio.sleep(RETRY_SECONDS)
    if closed.is_set():
        raise BrokenPipeError


class _Connection(asyncio.Protocol):
    """A connected socket and the calls that wait on it, by id."""

    _transport: asyncio.Transport

    def __init__(self, connected: socket.socket) -> None:
        self.loop = asyncio.get_running_loop()
        self._socket = connected
        self._replies = ReplyReader()
        self._waiting: dict[str, asyncio.Future[Reply]] = {}
        self._incomplete: str | None = None
        """The last request, until its last byte has gone out."""
        self._complaint: Reply | None = None
        """What the node said without an id while nobody waited: the reason, if it closes without another word."""
        self._ended = asyncio.Event()

    def is_open(self) -> bool:
        """Whether neither side has closed it, even if the event loop has not noticed yet."""
        return not self._transport.is_closing() and is_open(self._socket)

    async def exchange(self, identity: str, request: bytes) -> Reply:
        """Sends `request` and waits for the reply to it.

        If none can come any more, raises BrokenPipeError if it is certain that the last byte did not go out, else
        ConnectionResetError.
        """
        waiting: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
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

    async def close(self) -> None:
        self._transport.abort()
        await self._ended.wait()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.set_write_buffer_limits(high=0)  # so that `resume_writing` means that everything has gone out
        self._transport = transport

    def resume_writing(self) -> None:
        self._incomplete = None

    def data_received(self, data: bytes) -> None:
        try:
            for reply in self._replies.feed(data):
                self._deliver(reply)
        except ProtocolError as error:
            for waiting in self._pending().values():
                waiting.set_result(Reply(None, str(error)))
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:  # after a failed write asyncio leaves unread what the node said before
            with suppress(OSError):
                self.data_received(self._socket.recv(CHUNK))
        self._end_calls()
        self._ended.set()

    def _deliver(self, reply: Reply) -> None:
        """Ends the call that the reply is for; a complaint without an id ends all, or is kept for who comes."""
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
        """Fails the calls that wait, as nothing more can be received."""
        for identity, waiting in self._pending().items():
            if self._complaint is not None:
                waiting.set_result(self._complaint)
            else:
                waiting.set_exception(BrokenPipeError() if identity == self._incomplete else ConnectionResetError())

    def _pending(self) -> dict[str, asyncio.Future[Reply]]:
        return {identity: waiting for identity, waiting in self._waiting.items() if not waiting.done()}
