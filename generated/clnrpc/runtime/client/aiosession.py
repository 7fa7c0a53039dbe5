"""What the asyncio transports share: a session for each event loop, and the errors of a call."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass

from ..errors import (
    ConnectionLostError,
    ProtocolError,
    RpcTimeoutError,
    client_closed,
    connection_lost,
    timed_out,
)
from .exchange import ResponseObject
from .forks import reset_in_children
from .transports import UNLIMITED, Limit


@dataclass(slots=True)
class Call:
    """A pending call, and how far it is."""

    method: str
    identity: str
    """The id of its request, where the protocol has ids."""
    request: bytes
    is_connecting: bool = False
    is_sent: bool = False
    """Whether a part of the request may have been sent."""


class Session:
    """The state of one event loop: its connections, and the locks of its calls."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.version_lock = asyncio.Lock()
        self.closed = asyncio.Event()
        """Set when the client is closed: pending calls fail, and later ones get another session."""

    async def exchange(self, call: Call) -> ResponseObject:
        """Send the request and return its response.

        Raises a ClientError; BrokenPipeError if the connection ends, or the client is closed, before the last byte was
        sent, ConnectionResetError if that may have been after it.
        """
        raise NotImplementedError

    def too_slow(self) -> RpcTimeoutError:
        """Return the error for a call that timed out before it had a connection."""
        raise NotImplementedError

    async def close(self) -> None:
        """Close all connections."""
        raise NotImplementedError

    def drop(self) -> None:
        """Close only the sockets: the event loop is closed, or belongs to another process."""
        raise NotImplementedError

    def check_not_closed(self) -> None:
        """Raise BrokenPipeError if the client was closed."""
        if self.closed.is_set():
            raise BrokenPipeError


class SessionTransport:
    """Calls in one event loop at a time."""

    def __init__(self) -> None:
        self._session: Session | None = None
        reset_in_children(self)

    def _new_session(self) -> Session:
        raise NotImplementedError

    def _request(self, method: str, params: bytes, response_filter: bytes | None) -> tuple[str, bytes]:
        """Return the id and the bytes of a request."""
        raise NotImplementedError

    @property
    def version_lock(self) -> asyncio.Lock:
        """The lock for a call that must ask the node something before other calls go out."""
        return self._own_session().version_lock

    async def call(
        self, method: str, params: bytes, limit: Limit = UNLIMITED, *, response_filter: bytes | None = None
    ) -> bytes:
        """Call `method`, as `AsyncTransport.call` says."""
        call = Call(method, *self._request(method, params, response_filter))
        session = self._own_session()
        try:
            async with asyncio.timeout_at(limit.end):
                response = await session.exchange(call)
        except RpcTimeoutError:
            raise
        except TimeoutError:
            late = session.too_slow() if call.is_connecting else timed_out(method, limit.seconds, sent=call.is_sent)
            raise late from None
        except (ProtocolError, ConnectionLostError) as error:
            raise type(error)(f"{method}: {error}") from None
        except (BrokenPipeError, ConnectionResetError) as error:
            ended = client_closed if session.closed.is_set() else connection_lost
            raise ended(method, sent=isinstance(error, ConnectionResetError)) from None
        return response.result(method)

    async def pause(self, seconds: float) -> bool:
        """Wait; return False if the client is closed meanwhile."""
        closed = self._own_session().closed
        with suppress(TimeoutError):
            await asyncio.wait_for(closed.wait(), seconds)
        return not closed.is_set()

    async def close(self) -> None:
        """Close all connections. Pending calls fail with ConnectionLostError."""
        if self._session is not None:
            session, self._session = self._own_session(), None
            session.closed.set()
            await session.close()

    def reset_after_fork(self) -> None:
        """Drop a parent process's connections without notifying its event loop."""
        if self._session is not None:
            self._session.drop()
            self._session = None

    def _own_session(self) -> Session:
        """Return the session of this event loop. Raises RuntimeError if another loop uses the client."""
        if self._session is not None and self._session.loop.is_closed():
            self.reset_after_fork()
        if self._session is None:
            self._session = self._new_session()
        elif self._session.loop is not asyncio.get_running_loop():
            raise RuntimeError("the client belongs to the event loop that used it first; close it there")
        return self._session
