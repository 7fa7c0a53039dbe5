"""A client that sends and reads raw JSON-RPC, notifications included."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

SECONDS: Final = 30.0


class Talker:
    """A connection to a socket."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(SECONDS)
        self._socket.connect(str(path))
        self._buffer = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes."""
        self._socket.sendall(data)

    def ask(self, identity: int, method: str, params: Any) -> None:
        """Send a request."""
        request = {"jsonrpc": "2.0", "id": identity, "method": method, "params": params}
        self.send(json.dumps(request).encode())

    def call(self, identity: int, method: str, params: Any) -> list[dict[str, Any]]:
        """Send a request; return the notifications before its response, and the response."""
        self.ask(identity, method, params)
        messages = [self.read()]
        while messages[-1].get("id") != identity:
            messages.append(self.read())
        return messages

    def read(self) -> dict[str, Any]:
        """Return the next message, without the version of JSON-RPC. Raises EOFError at the end of the connection."""
        while b"\n\n" not in self._buffer:
            data = self._socket.recv(1 << 16)
            if not data:
                raise EOFError(self._buffer.decode())
            self._buffer += data
        text, _, self._buffer = self._buffer.partition(b"\n\n")
        message: dict[str, Any] = json.loads(text)
        assert message.pop("jsonrpc") == "2.0"
        return message

    def rest(self) -> bytes:
        """Return everything up to the end of the connection."""
        while data := self._socket.recv(1 << 16):
            self._buffer += data
        return self._buffer
