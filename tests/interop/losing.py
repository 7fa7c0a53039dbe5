"""A socket between a service and its node that loses the node's answer to one command."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHUNK = 1 << 16
PAUSE = 0.05
"""Seconds until a thread notices that it must end."""


class Losing:
    """Passes on everything, but ends a connection in place of the answer to a command."""

    def __init__(self, node: Path, listener: socket.socket, method: str) -> None:
        self.lost = 0
        """How many answers were lost."""
        self.is_over = False
        self._node = node
        self._listener = listener
        self._asked = f'"method":"{method}"'.encode()
        self._threads: list[threading.Thread] = []

    def serve(self) -> None:
        """Pass on each connection in a thread of its own, until it is over."""
        while not self.is_over:
            if select.select([self._listener], [], [], PAUSE)[0]:
                caller, _ = self._listener.accept()
                self._threads.append(threading.Thread(target=self._pass_on, args=[caller]))
                self._threads[-1].start()
        for thread in self._threads:
            thread.join()

    def _pass_on(self, caller: socket.socket) -> None:
        is_asked = False
        with caller, socket.socket(socket.AF_UNIX) as node:
            node.connect(str(self._node))
            while not self.is_over:
                for ready in select.select([caller, node], [], [], PAUSE)[0]:
                    data = ready.recv(CHUNK)
                    self.lost += ready is node and is_asked
                    if not data or (ready is node and is_asked):
                        return
                    is_asked |= self._asked in data
                    (node if ready is caller else caller).sendall(data)


@contextmanager
def losing(node: Path, path: Path, method: str) -> Iterator[Losing]:
    """Run such a socket at `path` during the block."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        made = Losing(node, listener, method)
        thread = threading.Thread(target=made.serve)
        thread.start()
        try:
            yield made
        finally:
            made.is_over = True
            thread.join()
