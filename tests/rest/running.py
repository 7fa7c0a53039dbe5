"""A REST server on a thread, over a dispatch of the test, and clients that pin its certificate."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import threading
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

from clnrpc import RpcError
from lnoffers.rest import Dispatch, application
from lnoffers.rest.certificates import server_context
from lnoffers.rest.listening import Limits, serving

HOST = "127.0.0.1"
RUNE = "a-rune"


@dataclass(frozen=True)
class Answer:
    """An answer: its status, its headers with names in lower case, and its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, which must be JSON."""
        assert self.headers["content-type"] == "application/json"
        return json.loads(self.body)


@dataclass(frozen=True)
class Site:
    """Where a REST server listens, and the certificate that its clients pin."""

    port: int
    ca: Path

    @property
    def tls(self) -> ssl.SSLContext:
        """The context of a client, which trusts only this server."""
        return ssl.create_default_context(cafile=str(self.ca))

    def connection(self) -> HTTPSConnection:
        """Return a connection that is not open yet."""
        return HTTPSConnection(HOST, self.port, timeout=30, context=self.tls)

    def socket(self) -> ssl.SSLSocket:
        """Return an open connection for bytes that no HTTP client would send."""
        return self.tls.wrap_socket(socket.create_connection((HOST, self.port), timeout=30), server_hostname=HOST)

    def request(
        self, verb: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Make a request on a connection of its own."""
        connection = self.connection()
        try:
            connection.request(verb, path, body, dict(headers or {}))
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())
        finally:
            connection.close()

    def post(self, method: str, params: object = None, rune: str = RUNE, **headers: str) -> Answer:
        """Call a method; without parameters, with an empty body."""
        body = b"" if params is None else json.dumps(params).encode()
        return self.request("POST", f"/v1/{method}", body, {"Rune": rune, **headers})


@contextmanager
def served(dispatch: Dispatch, folder: Path, limits: Limits | None = None) -> Iterator[Site]:
    """Serve a dispatch over TLS, in an event loop on another thread."""
    ready, ending = threading.Event(), asyncio.Event()
    sites: list[Site] = []
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        async with serving(application(dispatch), HOST, 0, server_context(folder, HOST), limits) as listener:
            sites.append(Site(listener.address[1], folder / "ca.pem"))
            ready.set()
            await ending.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(30)
        yield sites[0]
    finally:
        loops[0].call_soon_threadsafe(ending.set)
        thread.join(30)
        assert not thread.is_alive()


Called = tuple[str, bytes]


class Node:
    """A node that permits every call with RUNE, and writes down what is asked of it."""

    def __init__(self) -> None:
        self.called: list[Called] = []

    async def __call__(self, method: str, params: bytes, /) -> bytes | AsyncGenerator[bytes, None]:
        self.called.append((method, params))
        match method:
            case "checkrune":
                rune = json.loads(params)["rune"]
                if rune == "useless":
                    return b'{"valid":false}'
                if rune != RUNE:
                    raise RpcError(1501, "Not authorized: Not derived from master")
                return b'{"valid":true}'
            case "getinfo" | "help":
                return b'{"id":"02aa"}'
            case "pay":
                raise RpcError(210, "Timed out", {"attempts": 3})
            case "listinvoices":
                return in_pieces(b'{"invoices":[', b"1,", b"2", b"]}")
            case "listpays":
                return cut_off(b'{"pays":[1')
            case "stop":
                raise ConnectionError("it has stopped")
            case "bug":
                raise AssertionError("a bug")
        raise RpcError(-32601, f"Unknown command '{method}'")


async def in_pieces(*pieces: bytes) -> AsyncGenerator[bytes, None]:
    """Yield the pieces of a long result."""
    for piece in pieces:
        yield piece


async def cut_off(piece: bytes) -> AsyncGenerator[bytes, None]:
    """Yield the beginning of a result whose end never comes."""
    yield piece
    raise ConnectionError("the node has stopped")
