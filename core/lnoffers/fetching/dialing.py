"""Open TCP connections to nodes: directly, or through a SOCKS5 proxy such as Tor's.

A proxy gets host names as they are and resolves them itself. So nobody else learns which nodes are connected to, and
.onion addresses work.
"""

from __future__ import annotations

import asyncio
import os
import socket
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final, Self

from lnoffers.bolt12.typecheck import typechecked
from lnoffers.net.address import is_onion, parse_place, place_text

PROXY_PORT: Final = 9050
"""The port of Tor's proxy, for a proxy that names none."""
CONNECT_SECONDS: Final = 10.0
"""The time limit for connecting to a node, including handshake and `init`."""
PROXY_SECONDS: Final = 60.0
"""The same through a proxy, because Tor takes long to find an .onion address."""
_MAX_NAME: Final = 255
_LEAVE: Final = 0xFF
"""The proxy's choice if it demands what was not offered, such as a password."""
_FAILURES: Final = {
    1: "general failure",
    2: "its rules do not allow that",
    3: "network unreachable",
    4: "host unreachable",
    5: "connection refused",
    6: "the time to live has expired",
    7: "it does not connect to TCP ports",
    8: "it does not support this kind of address",
}
"""The replies of RFC 1928, section 6."""


class PeerGoneError(Exception):
    """The connection has ended, or could not be opened; the message says why."""


class UnresolvedError(PeerGoneError):
    """The host name cannot be resolved."""


@typechecked
@dataclass(frozen=True, slots=True)
class Proxy:
    """The host and TCP port of a SOCKS5 proxy that demands no password."""

    host: str
    port: int = PROXY_PORT

    @classmethod
    @typechecked
    def parse(cls, text: str) -> Self:
        """Parse `HOST:PORT` or `HOST`. An IPv6 address is in brackets.

        Raises:
            AddressError: if the text is neither.
        """
        return cls(*parse_place(text, PROXY_PORT))

    def __str__(self) -> str:
        return place_text(self.host, self.port)


def connect_seconds(proxy: Proxy | None) -> float:
    """Return the time limit for connecting to a node, including handshake and `init`."""
    return CONNECT_SECONDS if proxy is None else PROXY_SECONDS


async def dial(host: str, port: int, proxy: Proxy | None = None) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a TCP connection.

    Raises:
        PeerGoneError: if that fails. Its text does not name the host.
    """
    if proxy is not None:
        return await _dial_through(proxy, host, port)
    if is_onion(host):
        raise PeerGoneError(
            f"an .onion address needs Tor: pass its proxy with --proxy (in Python, proxy), as 127.0.0.1:{PROXY_PORT}"
        )
    try:
        return await asyncio.open_connection(host, port)
    except UnicodeError:
        raise UnresolvedError("not a host name") from None
    except socket.gaierror as error:
        raise UnresolvedError(error.strerror) from error
    except OSError as error:
        raise PeerGoneError(error_text(error)) from error


async def _dial_through(proxy: Proxy, host: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    request = b"\5\1\0" + _address(host) + port.to_bytes(2, "big")
    try:
        reader, writer = await dial(proxy.host, proxy.port)
    except PeerGoneError as error:
        raise PeerGoneError(f"the proxy {proxy} cannot be reached: {error}") from error
    try:
        await _ask(proxy, reader, writer, request)
    except BaseException:
        writer.transport.abort()
        raise
    return reader, writer


async def _ask(proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
    """Exchange the messages of RFC 1928 that open a connection. At most 264 bytes of the proxy are read.

    Raises:
        PeerGoneError: if the proxy does not open it.
    """
    try:
        writer.write(b"\5\1\0")  # version 5, one method: no authentication
        version, method = await reader.readexactly(2)
        if version == 5 and method == _LEAVE:
            raise PeerGoneError(f"the proxy {proxy} demands a password; use one that does not")
        if (version, method) != (5, 0):
            raise PeerGoneError(f"the proxy {proxy} does not speak SOCKS5")
        writer.write(request)
        version, reply, _, kind = await reader.readexactly(4)
        if version != 5:
            raise PeerGoneError(f"the proxy {proxy} does not speak SOCKS5")
        if reply:
            raise PeerGoneError(f"the proxy {proxy} cannot reach it: {_FAILURES.get(reply, f'reply {reply}')}")
        length = {1: 4, 4: 16}.get(kind) or (await reader.readexactly(1))[0]
        await reader.readexactly(length + 2)  # the address and port at which the proxy has connected
    except asyncio.IncompleteReadError:
        raise PeerGoneError(f"the proxy {proxy} closed the connection") from None
    except OSError as error:
        raise PeerGoneError(f"the proxy {proxy} ended the connection: {error_text(error)}") from error


def _address(host: str) -> bytes:
    """Return a host as SOCKS5 has it: an IP address, or a name of at most 255 bytes.

    Raises:
        UnresolvedError: if it is neither.
    """
    try:
        found = ip_address(host)
    except ValueError:
        pass
    else:
        return (b"\1" if found.version == 4 else b"\4") + found.packed
    try:
        name = host.encode("idna")
    except UnicodeError:
        name = b""
    if not 0 < len(name) <= _MAX_NAME:
        raise UnresolvedError("not a host name")
    return b"\3" + len(name).to_bytes(1, "big") + name


def error_text(error: OSError) -> str:
    """Return the system's text for an error. asyncio's text repeats the address instead."""
    return os.strerror(error.errno) if error.errno is not None and error.errno > 0 else error.strerror or str(error)
