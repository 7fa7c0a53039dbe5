"""Blocking calls over one Unix socket."""

from __future__ import annotations

import os
import socket
from itertools import count
from threading import Lock
from time import monotonic
from typing import Final

from .errors import cannot_connect, connection_lost, timed_out
from .exchange import Reply, ReplyReader, encode_request, request_id

_CHUNK: Final = 1 << 18


class UnixTransport:
    """One persistent connection to the socket at `path`, which threads may share: their calls follow one another.

    It connects at the first call, and anew when the server closed the idle connection. A request whose last byte went
    out is never sent again. `timeout` bounds each call, in seconds; a connection on which a call failed is given up.
    """

    def __init__(self, path: str | os.PathLike[str], timeout: float | None = None) -> None:
        self._path = os.fspath(path)
        self._timeout = timeout
        self._lock = Lock()
        self._numbers = count(1)
        self._connection: _Connection | None = None

    def call(self, method: str, params: bytes) -> bytes:
        """Calls `method` with `params` (JSON text); returns the result's JSON text.

        Raises RpcError or a ClientError.
        """
        with self._lock:
            identity = request_id(method, next(self._numbers))
            deadline = None if self._timeout is None else monotonic() + self._timeout
            reply = None
            try:
                connection = self._send(encode_request(identity, method, params), deadline)
                reply = connection.receive(identity, deadline)
            except TimeoutError:
                raise timed_out(method, self._timeout) from None
            except (BrokenPipeError, ConnectionResetError):
                raise connection_lost(method) from None
            finally:
                if reply is None:
                    self._drop()
        return reply.result()

    def close(self) -> None:
        """Closes the connection, if there is one; a later call opens another."""
        with self._lock:
            self._drop()

    def _send(self, request: bytes, deadline: float | None) -> _Connection:
        """Sends `request`, if need be on a new connection; returns the connection."""
        if self._connection is not None and self._connection.is_open():
            try:
                self._connection.send(request, deadline)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the last byte did not go out, so the node cannot have acted on it: try once more
            else:
                return self._connection
        self._drop()
        self._connection = _Connection(self._path, deadline)
        self._connection.send(request, deadline)
        return self._connection

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def is_open(connected: socket.socket) -> bool:
    """Whether the other side of a non-blocking socket has not closed it."""
    try:
        return bool(connected.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return True
    except OSError:
        return False


class _Connection:
    """A connected socket, with what was read from it and is not an answer yet."""

    def __init__(self, path: str, deadline: float | None) -> None:
        self._replies = ReplyReader()
        seconds = _seconds_until(deadline)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(seconds)
        try:
            self._socket.connect(path)
        except OSError as error:
            self._socket.close()
            raise cannot_connect(path, error) from None

    def is_open(self) -> bool:
        self._socket.settimeout(0)
        return is_open(self._socket)

    def send(self, request: bytes, deadline: float | None) -> None:
        self._socket.settimeout(_seconds_until(deadline))
        self._socket.sendall(request)

    def receive(self, identity: str, deadline: float | None) -> Reply:
        """The answer to the request `identity`, or the node's complaint, without an id, that it could not read it.

        Late answers to others are dropped.
        """
        while True:
            self._socket.settimeout(_seconds_until(deadline))
            chunk = self._socket.recv(_CHUNK)
            if not chunk:
                raise ConnectionResetError
            for reply in self._replies.feed(chunk):
                if reply.identity in (identity, None):
                    return reply

    def close(self) -> None:
        self._socket.close()


def _seconds_until(deadline: float | None) -> float | None:
    if deadline is None:
        return None
    if (left := deadline - monotonic()) <= 0:
        raise TimeoutError
    return left
