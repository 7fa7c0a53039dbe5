"""One client's connection: bytes in, complete messages out, no more of either than the other side keeps up with.

A connection hands out what has arrived when its server asks (`take`). While it has more than the server asked for, or
its client does not read its answers, nothing more is read from it.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Iterator
from time import monotonic
from typing import Final, Protocol, cast

from clnrpc.runtime.jsontext import Framer, FramingError, LimitExceeded

MAX_MESSAGE_BYTES: Final = 1 << 20
MAX_NESTED: Final = 10_000
"""Arrays and objects in one message: they are what takes longest to read."""
MAX_UNREAD_BYTES: Final = 1 << 20
"""Of answers that a client has not read yet; beyond that it must read before it is served further."""


class Owner(Protocol):
    """What a connection tells its server."""

    def opened(self, connection: Connection) -> None:
        """It has begun."""

    def arrived(self, connection: Connection) -> None:
        """There may be something to take, or to close."""

    def lost(self, connection: Connection) -> None:
        """It is over, and what was not taken is gone."""


class Connection(asyncio.Protocol):
    """The server's end of a connection; the event loop calls the methods of `asyncio.Protocol`."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._framer = Framer(MAX_MESSAGE_BYTES, max_nested=MAX_NESTED)
        self._transport: asyncio.Transport
        self._finishing = False
        self._writable = True
        self._drained = True
        self._held = False
        self._owed = 0
        self._rest: Iterator[bytes] | None = None
        self._last = b""
        self._begun: float | None = None
        """When the request at hand began to arrive, by the monotonic clock."""
        self._overdue: LimitExceeded | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # it acts as one, but uvloop's is no subclass
        self._transport.set_write_buffer_limits(high=MAX_UNREAD_BYTES)
        self._owner.opened(self)

    def data_received(self, data: bytes) -> None:
        if self._finishing:
            return
        self._framer.feed(data)
        self._drained = False
        self._owner.arrived(self)

    def eof_received(self) -> bool:
        self.finish()
        return True  # the client may still wait for answers

    def pause_writing(self) -> None:
        self._writable = False
        self._begun = None  # nothing is read meanwhile, which is not the client's delay

    def resume_writing(self) -> None:
        self._writable = True
        self._owner.arrived(self)

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002
        self._owner.lost(self)

    @property
    def is_done(self) -> bool:
        """Whether there is nothing more to take, nor will be."""
        return self._finishing and self._drained and not self._held and self._rest is None

    @property
    def waits_for_the_end(self) -> bool:
        """Whether all is answered but what `send_last` holds back."""
        return self.is_done and bool(self._last)

    @property
    def has_left(self) -> bool:
        """Whether no answer reaches the client any more: it has closed its end, and not for sending alone."""
        poll = select.poll()
        poll.register(self._transport.get_extra_info("socket"), 0)  # that end is told of unasked
        return bool(poll.poll(0))

    def take(self, limit: int) -> Iterator[bytes | FramingError]:
        """Up to `limit` messages, fewer or none while the client has too many answers to read, none if it has left.

        While it is held there are none either.

        An error takes the place of what can never become a message.
        """
        if self._drained or not self._can_take():
            return
        try:
            for count, message in enumerate(self._framer, 1):
                self._begun = self._overdue = None
                yield message
                if count == limit or self._drained or not self._can_take():
                    return
            if self._overdue is not None:
                raise self._overdue
            if self._begun is None and self._framer.has_begun:
                self._begun = monotonic()
        except FramingError as error:
            self._begun = None
            yield error
        self._drained = True

    def hold(self) -> None:
        """Let nothing be taken until `release`: a call waits, and the next ones wait behind it."""
        self._held = True

    def release(self) -> None:
        """The call that waited is answered."""
        self._held = False
        self._owner.arrived(self)

    def hurry(self, seconds: float) -> None:
        """Give a request up that began to arrive longer ago than this and is not complete."""
        if self._begun is not None and monotonic() - self._begun > seconds:
            self._overdue = LimitExceeded(f"the message was not complete within {seconds:g} seconds", b"")
            self._drained = False
            self._owner.arrived(self)

    def owe(self, size: int) -> None:
        """An answer of so many bytes will be sent before this connection settles."""
        self._owed += size

    def send(self, answer: bytes) -> None:
        """Send an answer, unless the client has left."""
        if not self._transport.is_closing():
            self._transport.write(answer)

    def send_rest(self, rest: Iterator[bytes] | None) -> None:
        """The answer just sent goes on with this, piece by piece, and nothing is taken before its end."""
        self._rest = rest

    def send_piece(self) -> None:
        """Send the next piece of an answer's rest, if there is one and the client keeps up.

        Raises what the making of the piece does. Then nothing more is sent: nobody may take the half for the whole.
        """
        if self._rest is None or not self._keeps_up():
            return
        try:
            piece = next(self._rest, None)
        except BaseException:
            self.abort()
            raise
        if piece is None:
            self._rest = None
        else:
            self.send(piece)

    def send_last(self, answer: bytes) -> None:
        """Hold an answer back until `close`; until then the connection stays open."""
        self._last += answer

    def finish(self) -> None:
        """Read no more; close when all that has arrived is answered."""
        self._finishing = True
        self._owner.arrived(self)

    def cut(self) -> None:
        """Drop what has arrived but was not taken, and close behind the answers."""
        self._drained = True
        self.finish()

    def close(self) -> None:
        """Send what was held back, and close behind it."""
        self.send(self._last)
        self._last = b""
        self._transport.close()  # sends first what is not sent yet

    def abort(self) -> None:
        """Close now, whatever is left to send."""
        self._transport.abort()

    def settle(self) -> bool:
        """Once answers are sent: read on, wait or close, as fits. Whether there may be more to take or send at once."""
        self._owed = 0
        if self.is_done:
            if not self._last:
                self._transport.close()
        elif self._drained and self._writable and self._rest is None:
            self._transport.resume_reading()
        else:
            self._transport.pause_reading()
        return (self._rest is not None or not self._drained) and self._keeps_up()

    def _can_take(self) -> bool:
        return self._rest is None and self._keeps_up()

    def _keeps_up(self) -> bool:
        unread = self._transport.get_write_buffer_size() + self._owed
        return not self._held and self._writable and unread <= MAX_UNREAD_BYTES and not self._transport.is_closing()
