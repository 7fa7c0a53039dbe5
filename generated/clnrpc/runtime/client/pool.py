"""The connections of a blocking client, which threads share."""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import TIMEOUT_MAX, Event, Lock, Semaphore
from time import monotonic
from typing import NamedTuple

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


class Call(NamedTuple):
    """A pending call."""

    method: str
    identity: str
    """The id of its request, where the protocol has ids."""
    request: bytes
    limit: Limit
    closed: Event
    """Set when the client is closed during the call."""

    def seconds_left(self) -> float | None:
        """Return the remaining seconds for a socket's timeout. Raises TimeoutError if there are none."""
        if self.limit.end is None:
            return None
        if (left := self.limit.end - monotonic()) <= 0:
            raise TimeoutError
        return left

    def check_not_closed(self) -> None:
        """Raise ConnectionResetError if the client was closed."""
        if self.closed.is_set():
            raise ConnectionResetError

    def longest_wait(self) -> float:
        """Return the remaining seconds for a lock's timeout."""
        return TIMEOUT_MAX if self.limit.end is None else max(0.0, self.limit.end - monotonic())


class Connection:
    """A socket, which one call at a time uses, and the first one opens."""

    def __init__(self, unconnected: socket.socket) -> None:
        self._socket = unconnected

    def open(self, call: Call) -> None:
        """Connect. Raises a ClientError, or ConnectionResetError if the client is closed meanwhile."""
        raise NotImplementedError

    def is_open(self) -> bool:
        """Return whether the idle connection can take another call."""
        raise NotImplementedError

    def send(self, call: Call) -> bool:
        """Send the request; return False if the other side closed the connection before the last byte was sent.

        The other side cannot act on the request then. What it sent before can still be received.
        """
        unsent = memoryview(call.request)
        try:
            while unsent:
                self._socket.settimeout(call.seconds_left())
                unsent = unsent[self._socket.send(unsent) :]
        except TimeoutError:
            raise
        except OSError:
            return False
        return True

    def receive(self, call: Call) -> ResponseObject:
        """Return the response. Raises a ClientError, or ConnectionResetError if the connection ends first."""
        raise NotImplementedError

    def interrupt(self) -> None:
        """Shut the connection down, so that the thread that uses it gets an error."""
        with suppress(OSError):
            # Not the method of a TLS socket, after which that thread would read and write without TLS.
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the file descriptor, and nothing else: the connection may be that of a parent process."""
        self._socket.close()

    def _read(self, call: Call, size: int) -> bytes:
        """Return up to `size` bytes. Raises ConnectionResetError at the end."""
        self._socket.settimeout(call.seconds_left())
        try:
            data = self._socket.recv(size)
        except TimeoutError:
            raise
        except OSError:  # of TLS too
            data = b""
        if not data:
            raise ConnectionResetError
        return data


class PooledTransport:
    """Up to `connections` persistent connections. A call has one to itself; calls of further threads wait.

    A call opens a connection if no idle one is left, and prefers the one used last, so calls that follow each other
    share one. The connection of a call that fails is dropped. A request whose last byte was sent is never sent again. A
    forked child process opens its own connections.
    """

    def __init__(self, connections: int) -> None:
        if connections < 1:
            raise ValueError(f"connections: expected at least 1, not {connections}")
        self._size = connections
        self._begin()
        reset_in_children(self)

    def _begin(self) -> None:
        self.version_lock = Lock()
        self._turns = Semaphore(self._size)
        self._guard = Lock()  # held briefly to move a connection between the two collections, and to close them all
        self._idle: list[Connection] = []
        self._busy: set[Connection] = set()
        self._closed = Event()  # set for pending calls when the client is closed; later calls get a new one

    def _new_connection(self) -> Connection:
        raise NotImplementedError

    def _request(self, method: str, params: bytes, response_filter: bytes | None) -> tuple[str, bytes]:
        """Return the id and the bytes of a request."""
        raise NotImplementedError

    def reset_after_fork(self) -> None:
        """Drop a parent process's connections, and the calls of its threads."""
        for connection in (*self._idle, *self._busy):
            connection.close()
        self._begin()

    def call(
        self, method: str, params: bytes, limit: Limit = UNLIMITED, *, response_filter: bytes | None = None
    ) -> bytes:
        """Call `method`, as `Transport.call` says. Waiting for other threads' calls counts towards the timeout."""
        call = Call(method, *self._request(method, params, response_filter), limit, self._closed)
        turns = self._turns
        if not turns.acquire(timeout=None if limit.end is None else call.longest_wait()):
            raise timed_out(method, limit.seconds, sent=False)
        try:
            return self._exchange(call).result(method)
        finally:
            turns.release()

    def pause(self, seconds: float) -> bool:
        """Wait; return False if the client is closed meanwhile."""
        return not self._closed.wait(seconds)

    def close(self) -> None:
        """Close all connections. Pending calls of other threads fail; a later call opens a new one."""
        with self._guard:
            self._closed.set()
            self._closed = Event()
            for connection in self._busy:
                connection.interrupt()  # the thread that uses it closes it
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _exchange(self, call: Call) -> ResponseObject:
        """Send the request, on a new connection if necessary, and return its response."""
        connection, sent, done = None, False, False
        try:
            connection = self._take()
            if connection is None or not (sent := connection.send(call)):
                connection = self._connected(call, instead_of=connection)
                sent = connection.send(call)
            response = connection.receive(call)
            done = True
        except RpcTimeoutError:  # from opening a connection
            raise
        except (ProtocolError, ConnectionLostError) as error:
            raise type(error)(f"{call.method}: {error}") from None
        except TimeoutError:
            raise timed_out(call.method, call.limit.seconds, sent=sent) from None
        except ConnectionResetError:
            ended = client_closed if call.closed.is_set() else connection_lost
            raise ended(call.method, sent=sent) from None
        finally:
            if connection is not None:
                self._release(connection, call, keep=done)
        return response

    def _take(self) -> Connection | None:
        """Return the idle connection that was used last, if any is still open."""
        while True:
            with self._guard:
                if not self._idle:
                    return None
                connection = self._idle.pop()
                self._busy.add(connection)
            if connection.is_open():
                return connection
            self._drop(connection)

    def _connected(self, call: Call, instead_of: Connection | None) -> Connection:
        """Return a new connection. Raises a ClientError, or ConnectionResetError if the client is closed."""
        if instead_of is not None:
            self._drop(instead_of)
        connection = self._new_connection()
        with self._guard:
            self._busy.add(connection)
        try:
            connection.open(call)
            call.check_not_closed()  # `close` cannot interrupt a socket that is not connected yet
        except BaseException:
            self._drop(connection)
            raise
        return connection

    def _release(self, connection: Connection, call: Call, *, keep: bool) -> None:
        with self._guard:
            self._busy.discard(connection)
            if keep and not call.closed.is_set():
                self._idle.append(connection)
                return
        connection.close()

    def _drop(self, connection: Connection) -> None:
        with self._guard:
            self._busy.discard(connection)
        connection.close()
