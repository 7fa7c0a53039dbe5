"""The connection of one client: it turns bytes into complete messages, and limits how much is read and sent.

The server takes the calls that have arrived with `take`, but none while the client leaves too many answers unread.
Until then, the connection reads a bounded number of bytes ahead.
"""

from __future__ import annotations

import asyncio
import select
from collections import deque
from collections.abc import Sequence
from time import monotonic
from typing import Final, Protocol, cast

from clnrpc.runtime.jsontext import Framer, FramingError, LimitExceeded

MAX_MESSAGE_BYTES: Final = 1 << 20
MAX_NESTED: Final = 10_000
"""The most arrays and objects in a message; they take longest to read."""
MAX_UNREAD_BYTES: Final = 1 << 20
"""The most bytes of answers that a client has not read; beyond that, its next calls have to wait."""
MAX_WAITING_BYTES: Final = 1 << 18
"""The most bytes that have arrived and are not parsed yet; beyond that, nothing more is read."""
CALLS_AT_ONCE: Final = 32
"""The most calls of a connection that the server takes at once."""

_PIECE_BYTES: Final = 1 << 14
"""The number of bytes to parse before other connections have their turn; at worst they take milliseconds."""


class ConnectionHandler(Protocol):
    """The server of a connection."""

    def opened(self, connection: RpcConnection) -> None:
        """Handle a new connection."""

    def advance(self, connection: RpcConnection) -> None:
        """Handle a change: calls may have arrived, the client may have read, or the connection may have ended."""

    def lost(self, connection: RpcConnection) -> None:
        """Handle the end of the connection."""


class RpcConnection(asyncio.Protocol):
    """The server's end of a connection; the event loop calls the methods of `asyncio.Protocol`."""

    def __init__(self, handler: ConnectionHandler) -> None:
        self.is_busy = False
        """Whether calls of this connection are running; the server sets it."""
        self.is_lost = False
        """Whether the connection is closed."""
        self._handler = handler
        self._transport: asyncio.Transport
        self._framer = Framer(MAX_MESSAGE_BYTES, max_nested=MAX_NESTED)
        self._received: deque[bytes] = deque()
        self._waiting_bytes = 0
        """The number of bytes in `_received`."""
        self._is_framed = True
        """Whether the framer has no complete message left."""
        self._calls: deque[bytes] = deque()
        self._error: FramingError | None = None
        """Why nothing more can be read after the calls."""
        self._begun: float | None = None
        """The time, by the monotonic clock, since when the framer has had a part of a message."""
        self._finishing = False
        self._last = b""
        self._has_room = asyncio.Event()
        self._has_room.set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's transport is not a subclass
        self._transport.set_write_buffer_limits(high=MAX_UNREAD_BYTES)
        self._handler.opened(self)

    def data_received(self, data: bytes) -> None:
        if self._finishing:
            return
        self._received.append(data)
        self._waiting_bytes += len(data)
        if self._waiting_bytes > MAX_WAITING_BYTES:
            self._transport.pause_reading()
        self._handler.advance(self)

    def eof_received(self) -> bool:
        self.finish()
        return True  # the client may still wait for answers

    def pause_writing(self) -> None:
        self._has_room.clear()
        self._begun = None  # less is read now, so the delay is not the client's

    def resume_writing(self) -> None:
        self._has_room.set()
        self._handler.advance(self)

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002
        self.is_lost = True
        self._handler.lost(self)

    @property
    def is_over(self) -> bool:
        """Whether no call is left and none can arrive."""
        return self._finishing and not self.is_busy and not self._calls and not self._received and self._is_framed

    @property
    def has_more(self) -> bool:
        """Whether the server has more to do here before the client sends more."""
        return bool(self._calls or self._received or self._finishing or not self._is_framed)

    @property
    def has_room(self) -> bool:
        """Whether the client keeps up with its answers."""
        return self._has_room.is_set()

    @property
    def has_last(self) -> bool:
        """Whether there is an answer to send at the end."""
        return bool(self._last)

    @property
    def is_in_process(self) -> bool:
        """Whether the client is in this process, so there is no socket (`inprocess`)."""
        return self._transport.get_extra_info("socket") is None

    @property
    def has_left(self) -> bool:
        """Whether the client has closed its end completely, and not only stopped sending, so no answer reaches it."""
        if self.is_in_process:
            return False
        poll = select.poll()
        poll.register(self._transport.get_extra_info("socket"), 0)  # POLLHUP is reported unasked
        return bool(poll.poll(0))

    def take(self) -> Sequence[bytes]:
        """Return the next calls, at most `CALLS_AT_ONCE`. They stay the next ones until `answered` removes them.

        If there are none, but bytes are left to parse, `ConnectionHandler.advance` is called again soon.

        Raises:
            FramingError: if the next bytes can never become a call.
        """
        if not self._calls and (self._received or not self._is_framed):
            self._read_piece()
        if not self._calls:
            if self._error is not None:
                raise self._error
            if self._received:
                asyncio.get_running_loop().call_soon(self._handler.advance, self)
        return self._calls

    def answered(self) -> None:
        """Remove the first call: it is answered."""
        self._calls.popleft()

    def hurry(self, seconds: float) -> None:
        """Refuse a request that began to arrive more than `seconds` ago and is not complete."""
        if self._begun is not None and not self.is_busy and monotonic() > self._begun + seconds:
            self._refuse(LimitExceeded(f"the message was not complete within {seconds:g} seconds", b""))
            self._handler.advance(self)

    def send(self, answer: bytes) -> None:
        """Send an answer, unless the client has left."""
        if not self._transport.is_closing():
            self._transport.write(answer)

    async def drained(self) -> None:
        """Wait until the client keeps up with its answers."""
        await self._has_room.wait()

    def send_last(self, answer: bytes) -> None:
        """Keep an answer until `close`; until then the connection stays open."""
        self._last += answer

    def finish(self) -> None:
        """Stop reading."""
        self._finishing = True
        self._handler.advance(self)

    def cut(self) -> None:
        """Stop reading, and drop what has arrived."""
        self._calls.clear()
        self._received.clear()
        self._error = None
        self._is_framed = self._finishing = True

    def close(self) -> None:
        """Send the last answer, then close."""
        self.send(self._last)
        self._last = b""
        self._transport.close()  # after sending what is left

    def abort(self) -> None:
        """Close at once, without sending what is left."""
        self._transport.abort()

    def _read_piece(self) -> None:
        """Parse the next bytes that have arrived."""
        if self._is_framed:
            self._framer.feed(self._next_piece())
            self._is_framed = False
        try:
            for message in self._framer:
                self._calls.append(message)
                self._begun = None
                if len(self._calls) == CALLS_AT_ONCE:
                    return
        except FramingError as error:
            self._refuse(error)
        self._is_framed = True
        if self._framer.has_begun and self._begun is None:
            self._begun = monotonic()

    def _next_piece(self) -> bytes:
        data = self._received.popleft()
        if len(data) > _PIECE_BYTES:
            self._received.appendleft(data[_PIECE_BYTES:])
            data = data[:_PIECE_BYTES]
        self._waiting_bytes -= len(data)
        if self._waiting_bytes <= MAX_WAITING_BYTES:
            self._transport.resume_reading()
        return data

    def _refuse(self, error: FramingError) -> None:
        self._error = error
        self._received.clear()
        self._is_framed = self._finishing = True
