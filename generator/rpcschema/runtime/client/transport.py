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
    nobody_accepts,
    timed_out,
)
from .exchange import ResponseObject, ResponseReader, encode_request, request_id
from .forks import begin_anew_in_children

CHUNK: Final = 1 << 18
"""Bytes to read at once: as a rule all that a Unix socket holds for its reader."""

RETRY_SECONDS: Final = 0.01
"""Between two tries to connect while the node's queue of connections is full."""


class UnixTransport:
    """One persistent connection to the socket at `path`, which threads may share: their calls follow one another.

    It connects at the first call, and anew when the server closed the idle connection. A request whose last byte went
    out is never sent again. `timeout` bounds each call, in seconds, the wait for other threads' calls included; a
    connection on which a call failed is given up. A forked child process opens a connection of its own.
    """

    def __init__(self, path: str | os.PathLike[str], timeout: float | None = None) -> None:
        self._path = os.fspath(path)
        self._timeout = timeout
        self._numbers = count(1)
        self._begin()
        begin_anew_in_children(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._path, self._timeout)  # what is pickled has a connection of its own

    def _begin(self) -> None:
        self.asking = Lock()  # held by a call that must ask the node something first
        self._turn = Lock()  # held by the call that uses the connection
        self._guard = Lock()  # held for a moment to replace or end the connection, or to give up the turn
        self._connection: _Connection | None = None
        self._closed = Event()  # set for the pending calls when the client is closed; later calls have another

    def begin_anew(self) -> None:
        """Forget the connection of a parent process, and the calls of its threads."""
        self._drop()
        self._begin()

    def deadline(self) -> float | None:
        """Return when a call that begins now must be over: seconds of the monotonic clock, or None."""
        return None if self._timeout is None else monotonic() + self._timeout

    def call(self, method: str, params: bytes, deadline: float | None = None, *, only: bytes | None = None) -> bytes:
        """Call `method` with `params` and, if given, the filter `only` (JSON texts); return the result's JSON text.

        With an earlier `deadline` several calls share one timeout. Raises RpcError or a ClientError.
        """
        if deadline is None:
            deadline = self.deadline()
        identity = request_id(method, next(self._numbers))
        call = _Call(method, identity, encode_request(identity, method, params, only), deadline, self._closed)
        if not self._turn.acquire(timeout=call.longest_wait()):
            raise timed_out(method, self._timeout, sent=False)
        failed = True
        try:
            reply = self._exchange(call)
            failed = False
        finally:
            with self._guard:
                if failed or call.closed.is_set():
                    self._drop()
                self._turn.release()
        return reply.result(method)

    def close(self) -> None:
        """Close the connection. Pending calls of other threads fail, and a later call opens another."""
        with self._guard:
            self._closed.set()
            if self._turn.acquire(blocking=False):
                self._drop()
                self._turn.release()
            elif self._connection is not None:
                self._connection.interrupt()  # who has the turn drops it
            self._closed = Event()

    def _exchange(self, call: _Call) -> ResponseObject:
        """Send the request, if need be on a new connection, and return the reply to it."""
        sent = False
        try:
            connection = self._connection
            if connection is None or not connection.is_open() or not (sent := connection.send(call)):
                connection = self._connect(call)
                sent = connection.send(call)
            return connection.receive(call)
        except RpcTimeoutError:  # it could not even connect, and says so
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
    """Connect a non-blocking socket; return False if the node's queue of connections is full at present.

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
    """A call under way."""

    method: str
    identity: str
    request: bytes
    deadline: float | None
    """On the monotonic clock, in seconds."""
    closed: Event
    """Set when the client is closed during the call."""

    def seconds_left(self) -> float | None:
        """Return them as a socket takes them. Raises TimeoutError if there are none."""
        if self.deadline is None:
            return None
        if (left := self.deadline - monotonic()) <= 0:
            raise TimeoutError
        return left

    def longest_wait(self) -> float:
        """Return the seconds left, as a lock takes them."""
        return TIMEOUT_MAX if self.deadline is None else max(0.0, self.deadline - monotonic())

    def pause(self, path: str) -> None:
        """Wait before the next try to connect to `path`.

        Raises ConnectionResetError if the client is closed, RpcTimeoutError if the time is up.
        """
        if self.closed.wait(min(RETRY_SECONDS, self.longest_wait())):
            raise ConnectionResetError
        if self.longest_wait() == 0:
            raise nobody_accepts(path)


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
    """A connected socket, with what was read from it and is not an answer yet."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._replies = ResponseReader()

    def is_open(self) -> bool:
        self._socket.settimeout(0)
        return is_open(self._socket)

    def send(self, call: _Call) -> bool:
        """Send the request; return False if the other side closed before the last byte went out.

        It cannot act on the request then. What it sent before it closed can still be received.
        """
        self._socket.settimeout(call.seconds_left())
        try:
            self._socket.sendall(call.request)
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def receive(self, call: _Call) -> ResponseObject:
        """Return the answer to the call, or the node's complaint, without an id, that it refuses the request.

        Late answers to other calls are dropped. Raises ConnectionResetError if the connection ends before.
        """
        while True:
            self._socket.settimeout(call.seconds_left())
            chunk = self._socket.recv(CHUNK)
            if not chunk:
                raise ConnectionResetError
            for reply in self._replies.feed(chunk):
                if reply.identity in (call.identity, None):
                    return reply

    def interrupt(self) -> None:
        """End the connection for the thread that waits on it, which wakes up to an error."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._socket.close()
