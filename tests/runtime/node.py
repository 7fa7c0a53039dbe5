"""The other end of a socket, for the tests of the clients: a real listener whose connections follow a script."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from threading import Thread
from typing import Any, Self

from rpcschema.runtime.jsontext import Framer


class Connection:
    """One accepted connection, as a script uses it."""

    def __init__(self, accepted: socket.socket) -> None:
        accepted.settimeout(10)
        self.socket = accepted
        self._framer = Framer()

    def read(self) -> dict[str, Any]:
        """The next request."""
        while True:
            for message in self._framer:
                request: dict[str, Any] = json.loads(message)
                return request
            received = self.socket.recv(1 << 16)
            if not received:
                raise EOFError
            self._framer.feed(received)

    def send(self, text: str | bytes) -> None:
        self.socket.sendall(text.encode() if isinstance(text, str) else text)

    def answer(self, request: dict[str, Any], result: object) -> None:
        self.send(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}) + "\n\n")


Script = Callable[[Connection], None]


def echo(connection: Connection) -> None:
    """Answers each request with its own method and params, until the client goes."""
    try:
        while True:
            request = connection.read()
            connection.answer(request, {"method": request["method"], "params": request["params"]})
    except EOFError:
        pass


def complain(connection: Connection) -> None:
    """Says, without an id, that it takes no request, and closes without having read one."""
    connection.send('{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Too many"}}\n\n')


def serve_one(listener: socket.socket) -> None:
    """Empties a queue in which one connection waits; the next to come is echoed."""
    listener.accept()[0].close()
    accepted, _ = listener.accept()
    with accepted:
        echo(Connection(accepted))


class ScriptedNode:
    """Listens at `path`; its first connection follows the first script, and so on.

    Leaving it checks that all scripts ran to their end.
    """

    def __init__(self, path: Path, *scripts: Script) -> None:
        self.path = path
        self._scripts = scripts
        self._failures: list[BaseException] = []
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.settimeout(10)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = Thread(target=self._run)

    def _run(self) -> None:
        try:
            for script in self._scripts:
                accepted, _ = self._listener.accept()
                with accepted:
                    script(Connection(accepted))
        except (OSError, EOFError, AssertionError) as error:
            self._failures.append(error)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._thread.join(20)
        self._listener.close()
        self.path.unlink()
        if kind is None:
            assert not self._thread.is_alive()
            assert self._failures == []
