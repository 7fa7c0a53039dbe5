"""Serve an ASGI application over HTTP/1.1 and TLS, with limits that a hostile client cannot exceed.

uvicorn parses requests and runs the application. Only its protocol class is used, in our own event loop: its server
would handle signals, and limits neither idle connections nor slow requests. Here a connection has a limited time to
send a complete request. When all places are taken, a new connection takes the place of the one that has been idle
longest; those whose call is running stay. A connection that has not finished its TLS handshake, its headers or its body
counts as idle, so opening many of them keeps nobody out.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from email.utils import formatdate
from ipaddress import ip_address
from typing import Any, Final

from uvicorn import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from lnoffers.rest.application import App
from lnoffers.rest.request import MAX_HEAD_BYTES

BACKLOG: Final = 1024
"""How many connections wait to be accepted. One that finds the queue full tries again only after a second."""
LOOK_SECONDS: Final = 1.0
"""The interval of checks for requests that arrive too slowly."""
PAUSE_SECONDS: Final = 0.5
"""The delay before the next attempt to accept a connection, after one that has failed."""
WARNING_SECONDS: Final = 60.0
"""The interval of warnings about such failures."""
_STEP_SECONDS: Final = 0.01

logger = logging.getLogger(__name__)
_unused = logging.getLogger(f"{__name__}.uvicorn")
_unused.setLevel(logging.CRITICAL)  # the application logs its own bugs, and malformed requests are no event


class NotLoopbackError(ValueError):
    """An address that other machines can reach was to be served without TLS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits for clients."""

    connections: int = 256
    idle_seconds: int = 30
    """How long a connection stays open without a request."""
    request_seconds: float = 60.0
    """How long a request may take to arrive."""
    grace_seconds: float = 5.0
    """How long clients have to read their last answers when the server stops."""


@asynccontextmanager
async def serving(
    app: App, host: str, port: int, tls: ssl.SSLContext | None, limits: Limits | None = None
) -> AsyncIterator[Listener]:
    """Serve an application while the block runs. Port 0 is a free port; without `tls`, `host` must be a loopback.

    After the block, calls that are running have `grace_seconds` to end.

    Raises:
        OSError: if the address cannot be used.
        NotLoopbackError: if other machines could reach it without TLS.
    """
    unbound, address = await _socket_for(host, port)
    with unbound:
        if tls is None and not ip_address(address[0]).is_loopback:
            raise NotLoopbackError(f"{host} is not a loopback address, and there is no TLS")
        unbound.bind(address)
        unbound.listen(BACKLOG)
        listener = Listener(app, unbound, tls, limits or Limits())
        try:
            yield listener
        finally:
            await listener.end()


async def _socket_for(host: str, port: int) -> tuple[socket.socket, tuple[Any, ...]]:
    """Return a socket and the address to bind it to."""
    found = await asyncio.get_running_loop().getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_NUMERICSERV
    )
    family, kind, protocol, _, address = found[0]
    unbound = socket.socket(family, kind, protocol)
    unbound.setblocking(False)
    unbound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted sockets inherit this, so that a call that waits ends some hours after its client's machine is gone.
    unbound.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return unbound, address


class Listener:
    """Accepts connections and watches them, from its creation in the event loop until `close`."""

    def __init__(self, app: App, listening: socket.socket, tls: ssl.SSLContext | None, limits: Limits) -> None:
        self.address: tuple[str, int] = listening.getsockname()[:2]
        """The address and the port that are bound."""
        self._listening = listening
        self._tls = tls
        self._limits = limits
        self._config = Config(
            app,
            ws="none",
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            server_header=False,
            h11_max_incomplete_event_size=MAX_HEAD_BYTES,
            timeout_keep_alive=limits.idle_seconds,
        )
        self._config.load()
        self._state = ServerState()
        self._loop = asyncio.get_running_loop()
        self._connections: dict[_Connection, asyncio.Task[None]] = {}
        """The connections that are open, and the tasks of their handshakes."""
        self._working = [self._loop.create_task(work) for work in (self._accept(), self._watch())]
        self._working[0].add_done_callback(lambda _: listening.close())  # not while the loop watches it

    def close(self) -> None:
        """Accept no more connections, and close those without a call; the others close when theirs is answered."""
        for task in self._working:
            task.cancel()
        for connection, handshake in [*self._connections.items()]:
            if handshake.done():
                connection.finish()
            else:
                self._drop(connection)

    async def end(self) -> None:
        """Close, and wait until the last calls have ended and their answers are sent."""
        self.close()
        await asyncio.wait(self._working)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.grace_seconds):
                while self._connections:
                    await asyncio.sleep(_STEP_SECONDS)
        for connection in [*self._connections]:
            self._drop(connection)
        if self._state.tasks:
            await asyncio.wait(self._state.tasks, timeout=self._limits.grace_seconds)

    async def _accept(self) -> None:
        warned = -WARNING_SECONDS
        while True:
            try:
                accepted, _ = await self._loop.sock_accept(self._listening)
            except OSError as error:
                if self._loop.time() >= warned + WARNING_SECONDS:
                    logger.warning("New REST connections have to wait: %s", error.strerror)
                    warned = self._loop.time()
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            if self._has_room():
                self._open(accepted)
            else:
                accepted.close()
            await asyncio.sleep(0)  # accepting does not wait if many connections are pending, and others must run

    def _has_room(self) -> bool:
        """Return whether there is a place for another connection, if necessary by dropping an idle one."""
        if len(self._connections) < self._limits.connections:
            return True
        idle = [connection for connection in self._connections if not connection.is_busy]
        if idle:
            self._drop(min(idle, key=lambda connection: connection.idle_since))
        return bool(idle)

    def _open(self, accepted: socket.socket) -> None:
        connection = _Connection(self._config, self._state, self._connections)
        task = self._loop.create_task(self._shake_hands(connection, accepted))
        self._connections[connection] = task

    async def _shake_hands(self, connection: _Connection, accepted: socket.socket) -> None:
        limits: dict[str, Any] = {}
        if self._tls is not None:
            limits = {"ssl_handshake_timeout": self._limits.request_seconds, "ssl_shutdown_timeout": LOOK_SECONDS}
        try:
            await self._loop.connect_accepted_socket(lambda: connection, accepted, ssl=self._tls, **limits)
        except OSError as error:
            logger.debug("A REST connection ended in its handshake: %s", error)
        finally:
            if connection.transport is None:
                self._connections.pop(connection, None)

    def _drop(self, connection: _Connection) -> None:
        handshake = self._connections.pop(connection)
        if not handshake.done():
            handshake.cancel()
        else:
            connection.transport.abort()

    async def _watch(self) -> None:
        """Drop connections without a complete request in time, and keep the header Date up to date."""
        most = self._limits.idle_seconds + self._limits.request_seconds
        while True:
            self._state.default_headers = [(b"date", formatdate(usegmt=True).encode())]
            now = self._loop.time()
            for connection in [*self._connections]:
                if not connection.is_busy and now > connection.idle_since + most:
                    self._drop(connection)
            await asyncio.sleep(LOOK_SECONDS)


class _Connection(H11Protocol):
    """A connection, which knows since when it has no call."""

    def __init__(self, config: Config, state: ServerState, opened: dict[_Connection, asyncio.Task[None]]) -> None:
        super().__init__(config, state, {})
        self.logger, self.access_log = _unused, False
        self.idle_since = self.loop.time()
        """When the connection was made, or its last answer was sent."""
        self._opened = opened

    @property
    def is_busy(self) -> bool:
        """Whether a request has arrived completely and is not answered yet."""
        cycle = self.cycle
        return cycle is not None and not cycle.more_body and not cycle.response_complete and not self._is_closing

    @property
    def _is_closing(self) -> bool:
        return self.transport is not None and self.transport.is_closing()

    def connection_lost(self, exc: Exception | None) -> None:
        self._opened.pop(self, None)
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        self.idle_since = self.loop.time()
        super().on_response_complete()

    def finish(self) -> None:
        """Close the connection as soon as its call has ended and its answer is sent."""
        if self.is_busy:
            self.cycle.keep_alive = False
        else:
            self.transport.close()
