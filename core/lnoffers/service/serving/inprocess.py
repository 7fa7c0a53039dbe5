"""Calls of this process to its own server. A call takes the same path as one that arrives at the socket.

Each call has a connection of its own, a real `RpcConnection` without a socket. So it waits for no other call, and it is
dropped like that of a client that disconnects if the caller gives up.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Final

import msgspec

from clnrpc.runtime.errors import RpcError
from clnrpc.runtime.values.encode import encode
from lnoffers.service.serving.connection import ConnectionHandler, RpcConnection

_REQUEST: Final = b'{"jsonrpc":"2.0","id":0,"method":%b,"params":%b}'
_RESULT: Final = b'{"jsonrpc":"2.0","id":0,"result":'
_END: Final = b"}\n\n"


class InProcessCalls:
    """Makes calls to a server in the same event loop."""

    def __init__(self, server: ConnectionHandler) -> None:
        self._server = server

    async def __call__(self, method: str, params: bytes, /) -> bytes | AsyncGenerator[bytes, None]:
        """Return the text of a command's result, in pieces if it is a long list.

        `params` is the text of a JSON object or array.

        Raises:
            RpcError: if the call is answered with an error.
            ConnectionError: if it is not answered. From the pieces: the answer is incomplete.
        """
        pieces = _pieces(self._server, _REQUEST % (encode(method), params))
        first = await anext(pieces)
        if first.startswith(_RESULT) and not first.endswith(_END):
            return _rest_of_result(first, pieces)
        await pieces.aclose()
        if first.startswith(_RESULT):
            return first.removeprefix(_RESULT).removesuffix(_END)
        error = msgspec.json.decode(first)["error"]
        raise RpcError(error["code"], error["message"], error.get("data"))


async def _rest_of_result(first: bytes, pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with aclosing(pieces):
        yield first.removeprefix(_RESULT)
        async for piece in pieces:
            yield piece.removesuffix(_END)


async def _pieces(server: ConnectionHandler, message: bytes) -> AsyncGenerator[bytes, None]:
    """Yield the answer to a message, in pieces as the server sends them."""
    client = _Client()
    connection = RpcConnection(server)
    client.connect(connection)
    try:
        connection.data_received(message)
        while True:
            piece = await client.receive()
            yield piece
            if piece.endswith(_END):
                return
    finally:
        client.abort()


class _Client(asyncio.Transport):
    """The transport of a connection without a socket: what the server writes waits here until it is received."""

    def __init__(self) -> None:
        super().__init__()
        self._connection: RpcConnection
        self._loop = asyncio.get_running_loop()
        self._written = b""
        self._closing = False
        self._changed = asyncio.Event()

    def connect(self, connection: RpcConnection) -> None:
        """Become the transport of a connection."""
        self._connection = connection
        connection.connection_made(self)

    async def receive(self) -> bytes:
        """Return what the server has sent. It sends no more of a long answer before that.

        Raises:
            ConnectionError: if the server has closed the connection.
        """
        while not self._written:
            if self._closing:
                raise ConnectionError("the server has ended the call")
            self._changed.clear()
            await self._changed.wait()
        received, self._written = self._written, b""
        self._loop.call_soon(self._connection.resume_writing)
        return received

    def write(self, data: Any) -> None:
        self._written += data
        self._changed.set()
        self._connection.pause_writing()

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._changed.set()
            self._loop.call_soon(self._connection.connection_lost, None)

    def abort(self) -> None:
        self.close()

    def pause_reading(self) -> None:
        """Do nothing: the only message was received at once."""

    def resume_reading(self) -> None:
        """Do nothing."""

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Do nothing: one piece waits at a time."""
