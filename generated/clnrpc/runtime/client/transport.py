"""Blocking calls over one Unix socket."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from itertools import count
from threading import TIMEOUT_MAX, Event, Lock
from time import monotonic
from typing import Any, Final, NamedTuple

from ..errors import (
    ProtocolError,
    RpcTimeoutError,
    cannot_connect,
    client_closed,
    connection_lost,
    queue_is_full,
    timed_out,
)
from .exchange import ResponseObject, ResponseReader, encode_request, request_id
from .forks import reset_in_children

CHUNK: Final = 1 << 18
"""Bytes to read at once: usually all that a Unix socket buffers."""

RETRY_SECONDS: Final = 0.01
"""The delay between attempts to connect while the node's queue of connections is full."""


class UnixTransport:
    """A persistent connection to the socket at `path`. Threads can share it: their calls run one after the other.

    It connects with the first call, and again if the server has closed the idle connection. A request whose last byte
    was sent is never sent again. `timeout` limits each call, in seconds, including the wait for other threads' calls;
    after a failed call the connection is dropped. A forked child process opens its own connection.
    """

    def __init__(self, path: str | os.PathLike[str], timeout: float | None = None) -> None:
        self._path = os.fspath(path)
        self._timeout = timeout
        self._numbers = count(1)
        self._begin()
        reset_in_children(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._path, self._timeout)  # a pickled copy has its own connection

    def _begin(self) -> None:
        self.version_lock = Lock()  # held by a call that first asks for the node's version
        self._turn = Lock()  # held by the call that uses the connection
        self._guard = Lock()  # held briefly to replace or close the connection, or to release `_turn`
        self._connection: _Connection | None = None
        self._closed = Event()  # set for pending calls when the client is closed; later calls get a new one

    def reset_after_fork(self) -> None:
        """Drop a parent process's connection, and the calls of its threads."""
        self._drop()
        self._begin()

    def deadline(self) -> float | None:
        """Return when a call that begins now times out, in seconds of the monotonic clock; None for never."""
        return None if self._timeout is None else monotonic() + self._timeout

    def call(
        self, method: str, params: bytes, deadline: float | None = None, *, response_filter: bytes | None = None
    ) -> bytes:
        """Call `method` and return the result's JSON text; `params` and `response_filter` are JSON texts.

        Several calls can share one timeout by passing a `deadline`. Raises RpcError or a ClientError.
        """
        if deadline is None:
            deadline = self.deadline()
        identity = request_id(method, next(self._numbers))
        call = _Call(
            method, identity, encode_request(identity, method, params, response_filter), deadline, self._closed
        )
        if not self._turn.acquire(timeout=call.longest_wait()):
            raise timed_out(method, self._timeout, sent=False)
        failed = True
        try:
            response = self._exchange(call)
            failed = False
        finally:
            with self._guard:
                if failed or call.closed.is_set():
                    self._drop()
                self._turn.release()
        return response.result(method)

    def close(self) -> None:
        """Close the connection. Pending calls of other threads fail; a later call opens a new one."""
        with self._guard:
            self._closed.set()
            if self._turn.acquire(blocking=False):
                self._drop()
                self._turn.release()
            elif self._connection is not None:
                self._connection.interrupt()  # the thread that has the turn drops it
            self._closed = Event()

    def _exchange(self, call: _Call) -> ResponseObject:
        """Send the request, on a new connection if necessary, and return its response."""
        sent = False
        try:
            connection = self._connection
            if connection is None or not connection.is_open() or not (sent := connection.send(call)):
                connection = self._connect(call)
                sent = connection.send(call)
            return connection.receive(call)
        except RpcTimeoutError:  # from _connect
            raise
        except ProtocolError as error:
            raise ProtocolError(f"{call.method}: {error}") from None
        except TimeoutError:
            raise timed_out(call.method, self._timeout, sent=sent) from None
        except ConnectionResetError:
            ended = client_closed if call.closed.is_set() else connection_lost
            raise ended(call.method, sent=sent) from None

    def _connect(self, call: _Call) -> _Connection:
        """Replace the connection by a new one. Raises ConnectionResetError if the client is closed."""
        fresh = _Connection(_connected(self._path, call))
        with self._guard:
            self._drop()
            self._connection = fresh
            if call.closed.is_set():
                raise ConnectionResetError
        return fresh

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def is_open(connected: socket.socket) -> bool:
    """Return whether the other side of a non-blocking socket has not closed it."""
    try:
        return bool(connected.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return True
    except OSError:
        return False


def try_to_connect(unconnected: socket.socket, path: str) -> bool:
    """Connect a non-blocking socket; return False if the node's queue of connections is full.

    Raises CannotConnectError.
    """
    try:
        unconnected.connect(path)
    except BlockingIOError:
        return False
    except OSError as error:
        raise cannot_connect(path, error) from None
    return True


class _Call(NamedTuple):
    """A pending call."""

    method: str
    identity: str
    request: bytes
    deadline: float | None
    """Seconds of the monotonic clock."""
    closed: Event
    """Set when the client is closed during the call."""

    def seconds_left(self) -> float | None:
        """Return the remaining seconds for a socket's timeout. Raises TimeoutError if there are none."""
        if self.deadline is None:
            return None
        if (left := self.deadline - monotonic()) <= 0:
            raise TimeoutError
        return left

    def longest_wait(self) -> float:
        """Return the remaining seconds for a lock's timeout."""
        return TIMEOUT_MAX if self.deadline is None else max(0.0, self.deadline - monotonic())

    def pause(self, path: str) -> None:
        """Wait before the next attempt to connect to `path`.

        Raises ConnectionResetError if the client is closed, RpcTimeoutError on a timeout.
        """
        if self.closed.wait(min(RETRY_SECONDS, self.longest_wait())):
            raise ConnectionResetError
        if self.longest_wait() == 0:
            raise queue_is_full(path)


def _connected(path: str, call: _Call) -> socket.socket:
    """Return a connected socket. Raises a ClientError, or ConnectionResetError if the client is closed meanwhile."""
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        while call.closed.is_set() or not try_to_connect(made, path):
            call.pause(path)
    except BaseException:
        made.close()
        raise
    return made


class _Connection:
    """A connected socket, with the part of a response that was already read."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._responses = ResponseReader()

    def is_open(self) -> bool:
        self._socket.settimeout(0)
        return is_open(self._socket)

    def send(self, call: _Call) -> bool:
        """Send the request; return False if the other side closed the connection before the last byte was sent.

        The other side cannot act on the request then. What it sent before can still be received.
        """
        self._socket.settimeout(call.seconds_left())
        try:
            self._socket.sendall(call.request)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def receive(self, call: _Call) -> ResponseObject:
        """Return the response to the call, or the error without an id that answers an unreadable request.

        Late responses to other calls are dropped. Raises ConnectionResetError if the connection ends first.
        """
        while True:
            self._socket.settimeout(call.seconds_left())
            chunk = self._socket.recv(CHUNK)
            if not chunk:
                raise ConnectionResetError
            for response in self._responses.feed(chunk):
                if response.identity in (call.identity, None):
                    return response

    def interrupt(self) -> None:
        """Shut the connection down, so that the thread that waits for a response gets an error."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._socket.close()
