"""Blocking calls over clnrest."""

from __future__ import annotations

import socket
from typing import Any, Final

from ..errors import ClientError
from .exchange import MAX_RESPONSE_BYTES, ResponseObject
from .httpwire import HttpError, HttpReader
from .pool import Call, Connection, PooledTransport
from .restnode import RestNode, Tls

CHUNK: Final = 1 << 16
"""Bytes to read at once; TLS returns at most a quarter of it."""


class RestTransport(PooledTransport):
    """Calls over persistent HTTPS connections to a node's REST interface."""

    def __init__(self, node: RestNode, connections: int) -> None:
        self._node = node
        self._tls = Tls(node)
        super().__init__(connections)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._node, self._size)

    def _new_connection(self) -> _RestConnection:
        return _RestConnection(self._node, self._tls)

    def _request(self, method: str, params: bytes, response_filter: bytes | None) -> tuple[str, bytes]:
        return "", self._node.request(method, params)


def is_quiet(connected: socket.socket) -> bool:
    """Return whether nothing can be read from an idle, non-blocking socket: neither data nor the end.

    A server sends nothing on an idle connection unless it closes it.
    """
    try:
        socket.socket.recv(connected, 1, socket.MSG_PEEK)  # the method of a TLS socket refuses the flag
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False


class _RestConnection(Connection):
    """A connection, with the part of a response that was already read."""

    def __init__(self, node: RestNode, tls: Tls) -> None:
        super().__init__(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
        self._node = node
        self._tls = tls
        self._reader = HttpReader(MAX_RESPONSE_BYTES)
        self._is_last = False

    def open(self, call: Call) -> None:
        try:
            context = self._tls.context()
            self._connect(call)
            if context is not None:
                secured = context.wrap_socket(
                    self._socket, server_hostname=self._node.server_name, do_handshake_on_connect=False
                )
                self._use(secured, call)
                secured.do_handshake()
        except ClientError:
            raise
        except TimeoutError:
            raise self._node.too_slow() from None
        except (OSError, UnicodeError) as error:
            if call.closed.is_set():
                raise ConnectionResetError from None
            raise self._tls.refused(error) from None

    def is_open(self) -> bool:
        self._socket.settimeout(0)
        return not self._is_last and is_quiet(self._socket)

    def receive(self, call: Call) -> ResponseObject:
        response = None
        while response is None:
            data = self._read(call, CHUNK)
            try:
                response = self._reader.feed(data)
            except HttpError as error:
                raise self._node.unreadable(error) from None
        self._is_last = response.is_last
        return self._node.response(response)

    def _connect(self, call: Call) -> None:
        """Connect to the first address of the host that accepts it. Raises the error of the last one."""
        failure = OSError("the host has no address")
        for family, _, _, _, address in socket.getaddrinfo(self._node.host, self._node.port, type=socket.SOCK_STREAM):
            self._socket.close()
            self._use(socket.socket(family, socket.SOCK_STREAM), call)
            try:
                self._socket.connect(address)
            except OSError as error:
                failure = error
            else:
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return
        raise failure

    def _use(self, replacement: socket.socket, call: Call) -> None:
        """Go on with another socket, which `interrupt` shuts down from now on."""
        self._socket = replacement
        replacement.settimeout(call.seconds_left())
        call.check_not_closed()
