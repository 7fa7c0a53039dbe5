"""A node that has one answer ready: enough of JSON-RPC over a Unix socket to see what a client sends."""

from __future__ import annotations

import json
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any


@dataclass(slots=True)
class Node:
    """The answer that any call gets, and the last call."""

    answer: Any = None
    method: str = ""
    params: Any = None


@contextmanager
def running(socket: Path) -> Iterator[Node]:
    """Yield a node that listens on `socket`."""
    node = Node()

    class Connection(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            text = ""
            while chunk := self.request.recv(1 << 16).decode():
                text += chunk
                try:
                    call = json.loads(text)
                except ValueError:
                    continue
                text = ""
                node.method, node.params = call["method"], call["params"]
                reply = {"jsonrpc": "2.0", "id": call["id"], "result": node.answer}
                self.wfile.write(json.dumps(reply).encode() + b"\n\n")

    with socketserver.ThreadingUnixStreamServer(str(socket), Connection) as server:
        server.daemon_threads = True
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield node
        finally:
            server.shutdown()
            thread.join()
