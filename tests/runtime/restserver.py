"""A REST interface for the tests of the clients: a real TLS server whose answers follow a script."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition, Thread
from typing import IO, Any, Self

from lnoffers.rest.certificates import server_context

RUNE = "0kmmPDhTXyWZsUYWqSXz1nBwSOJRkMUT5zZZUpWOMBM9MA=="


def response(body: object, status: int = 201, *fields: str) -> bytes:
    """Return the bytes of a response with a stated length."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = (f"HTTP/1.1 {status} X", "content-type: application/json", *fields, f"content-length: {len(content)}")
    return "\r\n".join((*lines, "", "")).encode() + content


@dataclass
class Request:
    """A request that arrived."""

    connection: int
    """The number of its connection, from 1 on."""
    method: str
    fields: dict[str, str]
    params: Any


Answer = Callable[[Request], bytes | None]
"""Returns the bytes to send; None closes the connection instead, and an answer that begins with `!` afterwards."""


def echo(request: Request) -> bytes:
    return response({"method": request.method, "params": request.params})


@dataclass
class RestServer:
    """Serves HTTPS at a free port of `host`, with certificates in `folder`."""

    folder: Path
    answer: Answer = echo
    host: str = "127.0.0.1"
    is_tls: bool = True
    requests: list[Request] = field(default_factory=list)
    changed: Condition = field(default_factory=Condition)
    port: int = 0

    @property
    def url(self) -> str:
        return f"{'https' if self.is_tls else 'http'}://{self.host}:{self.port}"

    @property
    def ca(self) -> Path | None:
        return self.folder / "ca.pem" if self.is_tls else None

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until a request has made `condition` true."""
        with self.changed:
            assert self.changed.wait_for(condition, 30)

    def _serve(self) -> None:
        number = 0
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            number += 1
            thread = Thread(target=self._converse, args=(accepted, number), daemon=True)
            self._open.append((accepted, thread))
            thread.start()

    def _converse(self, accepted: socket.socket, number: int) -> None:
        with accepted, suppress(OSError):
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            secured = self._context.wrap_socket(accepted, server_side=True) if self._context else accepted
            self._open.append((secured, self._thread))
            with secured, secured.makefile("rb") as incoming:
                while (request := self._read(incoming, number)) is not None:
                    with self.changed:
                        self.requests.append(request)
                        self.changed.notify_all()
                    answer = self.answer(request)
                    if answer is None:
                        return
                    secured.sendall(answer.removeprefix(b"!"))
                    if answer.startswith(b"!"):
                        return

    @staticmethod
    def _read(incoming: IO[bytes], number: int) -> Request | None:
        """Return the next request; None if the connection ends first."""
        lines = []
        while (line := incoming.readline()) != b"\r\n":
            if not line.endswith(b"\n"):
                return None
            lines.append(line.decode().rstrip())
        fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        size = int(fields["content-length"])
        body = incoming.read(size)
        if len(body) < size:
            return None
        return Request(number, lines[0].split()[1].removeprefix("/v1/"), fields, json.loads(body))

    def __enter__(self) -> Self:
        self._context: ssl.SSLContext | None = server_context(self.folder, self.host) if self.is_tls else None
        self._open: list[tuple[socket.socket, Thread]] = []
        self._listener = socket.create_server((self.host, self.port))
        self._listener.listen(200)
        self.port = self._listener.getsockname()[1]
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        for connection, _ in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for _, thread in self._open:
            if thread is not self._thread:
                thread.join(10)
