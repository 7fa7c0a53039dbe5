"""The other end of a socket, for the tests of the clients: a real listener whose connections follow a script."""

from __future__ import annotations

import json
import socket
import socketserver
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import count
from pathlib import Path
from threading import Condition, Event, Thread
from typing import Any, Self

from rpcschema.runtime.jsontext import Framer


class Connection:
    """One accepted connection, as a script uses it."""

    def __init__(self, accepted: socket.socket) -> None:
        accepted.settimeout(10)
        self.socket = accepted
        self._framer = Framer()

    def read(self) -> dict[str, Any]:
        """Return the next request."""
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
    """Answer each request with its own method and params, until the client closes."""
    try:
        while True:
            request = connection.read()
            connection.answer(request, {"method": request["method"], "params": request["params"]})
    except EOFError:
        pass


def complain(connection: Connection) -> None:
    """Send, without an id, that no request is accepted, and close without having read one."""
    connection.send('{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Too many"}}\n\n')


def serve_one(listener: socket.socket) -> None:
    """Empty a queue in which one connection waits; echo the next one."""
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


class ManyNode:
    """Serves any number of connections at once, and answers calls with their parameters.

    But `wait` is answered after `release`, which is a method here and a call, and `closed` when all other connections
    are closed. Until then a node that is `in_order` reads nothing more on that connection. The others answer what comes
    meanwhile, as lightningd does.
    """

    def __init__(self, path: Path, *, in_order: bool = False) -> None:
        self.calls: list[tuple[int, str]] = []
        """Number of the connection, from 1 on, and method, for each call."""
        self.open: set[int] = set()
        """The connections that the other side has not closed."""
        self.changed = Condition()
        self._in_order = in_order
        self._released = Event()
        self._numbers = count(1)
        self._sockets: list[socket.socket] = []
        self._server = socketserver.ThreadingUnixStreamServer(str(path), self._handler())
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,))

    def release(self) -> None:
        self._released.set()

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something that this node does has made `condition` true."""
        with self.changed:
            assert self.changed.wait_for(condition, 30)

    def _handler(self) -> type[socketserver.BaseRequestHandler]:
        node = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                node._serve(Connection(self.request))

        return Handler

    def _serve(self, connection: Connection) -> None:
        connection.socket.settimeout(None)
        self._sockets.append(connection.socket)
        number = next(self._numbers)
        self._note(lambda: self.open.add(number))
        waits: list[Thread] = []
        with suppress(EOFError, OSError):
            while True:
                request = connection.read()
                method = request["method"]
                self._note(partial(self.calls.append, (number, method)))
                if method == "release":
                    self.release()
                elif method == "closed":
                    self.until(lambda: len(self.open) == 1)
                if method != "wait":
                    connection.answer(request, request["params"])
                elif self._in_order:
                    self._answer_wait(connection, request)
                else:
                    waits.append(Thread(target=self._answer_wait, args=(connection, request)))
                    waits[-1].start()
        self._note(lambda: self.open.remove(number))
        for wait in waits:
            wait.join()
        self._sockets.remove(connection.socket)

    def _answer_wait(self, connection: Connection, request: dict[str, Any]) -> None:
        self._released.wait(30)
        with suppress(OSError):
            connection.answer(request, "released")

    def _note(self, change: Callable[[], None]) -> None:
        with self.changed:
            change()
            self.changed.notify_all()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
        self._server.shutdown()
        self._thread.join()
        for each in tuple(self._sockets):  # where a test failed, a client may have left it open
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        self._server.server_close()
