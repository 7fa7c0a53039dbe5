"""Blocking calls over a Unix socket."""

from __future__ import annotations

import os
import socket
from itertools import count
from typing import Any, Final

from ..errors import cannot_connect, queue_is_full
from .address import find_socket
from .exchange import ResponseObject, ResponseReader, encode_request, request_id
from .pool import Call, Connection, PooledTransport

CHUNK: Final = 1 << 18
"""Bytes to read at once: usually all that a Unix socket buffers."""

RETRY_SECONDS: Final = 0.01
"""The delay between attempts to connect while the node's queue of connections is full."""


class UnixTransport(PooledTransport):
    """Calls over the socket at `path`, or over the only socket of the lightning directory `path`."""

    def __init__(self, path: str | os.PathLike[str], connections: int = 1) -> None:
        self._path = os.fspath(path)
        self._numbers = count(1)
        super().__init__(connections)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._path, self._size)  # a pickled copy has its own connections

    def _new_connection(self) -> _UnixConnection:
        return _UnixConnection(self._path)

    def _request(self, method: str, params: bytes, response_filter: bytes | None) -> tuple[str, bytes]:
        identity = request_id(method, next(self._numbers))
        return identity, encode_request(identity, method, params, response_filter)


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


class _UnixConnection(Connection):
    """A connection to a socket, with the part of a response that was already read."""

    def __init__(self, path: str) -> None:
        super().__init__(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        self._path = path
        self._responses = ResponseReader()

    def open(self, call: Call) -> None:
        path = find_socket(self._path)
        self._socket.setblocking(False)
        while not try_to_connect(self._socket, path):
            if call.closed.wait(min(RETRY_SECONDS, call.longest_wait())):
                raise ConnectionResetError
            if call.longest_wait() == 0:
                raise queue_is_full(path)

    def is_open(self) -> bool:
        self._socket.settimeout(0)
        return is_open(self._socket)

    def receive(self, call: Call) -> ResponseObject:
        """Return the response to the call, or the error without an id that answers an unreadable request.

        Late responses to other calls are dropped. Raises ConnectionResetError if the connection ends first.
        """
        while True:
            for response in self._responses.feed(self._read(call, CHUNK)):
                if response.identity in (call.identity, None):
                    return response
