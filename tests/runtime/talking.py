"""A plugin's process, to which tests talk as lightningd does: messages go in and out while it runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from queue import Queue
from threading import Thread, Timer
from typing import Any, Final

from rpcschema.runtime.jsontext import Framer
from tests.shared import ROOT

SECONDS: Final = 60
"""How long a test may take on a busy machine; then its plugin is killed."""


class Talk:
    """What a test says to a plugin, and hears from it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process
        self.logs: list[tuple[str, str]] = []
        """(level, first line) of what was logged, until the last response that was read."""
        self.emitted: list[dict[str, Any]] = []
        """The other notifications of the plugin."""
        self._number = 0
        self._arrived: Queue[dict[str, Any] | None] = Queue()
        self._reader = Thread(target=self._read_all)
        self._reader.start()
        self._responses: dict[str, dict[str, Any]] = {}

    def send(self, message: dict[str, Any]) -> None:
        """Send a message."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n\n")
        self.process.stdin.flush()

    def tell(self, topic: str, payload: Any) -> None:
        """Send a notification."""
        self.send({"method": topic, "params": {topic: payload}})

    def ask(self, method: str, params: Any) -> str:
        """Send a request; return its id."""
        self._number += 1
        identity = f"cli:{method}#{self._number}"
        self.send({"id": identity, "method": method, "params": params})
        return identity

    def response(self, identity: str) -> dict[str, Any]:
        """Return the result or the error of a request."""
        while identity not in self._responses:
            self.read()
        return self._responses.pop(identity)

    def call(self, method: str, params: Any) -> Any:
        """Send a request; return its result."""
        return self.response(self.ask(method, params))["result"]

    def refused(self, method: str, params: Any) -> Any:
        """Send a request; return its error."""
        return self.response(self.ask(method, params))["error"]

    def init(self, **options: Any) -> Any:
        """Send getmanifest and init; return the result of init."""
        self.call("getmanifest", {"allow-deprecated-apis": True})
        return self.call("init", {"options": options, "configuration": {"lightning-dir": "/", "rpc-file": "none"}})

    def read(self) -> None:
        """Wait for one more message. Raises EOFError."""
        message = self._arrived.get()
        if message is None:
            raise EOFError
        if "id" in message:
            self._responses[message["id"]] = message
        elif message["method"] == "log":
            self.logs.append((message["params"]["level"], message["params"]["message"].splitlines()[0]))
        else:
            self.emitted.append(message)

    def end(self) -> int:
        """Close the plugin's stdin, read the rest, and return its exit status."""
        assert self.process.stdin
        self.process.stdin.close()
        try:
            while True:
                self.read()
        except EOFError:
            return self.process.wait()

    def close(self) -> None:
        """Kill the plugin if it still runs."""
        self.process.kill()
        self._reader.join()

    def _read_all(self) -> None:
        """Read all the time, as lightningd does."""
        assert self.process.stdout
        framer = Framer()
        while data := os.read(self.process.stdout.fileno(), 1 << 16):
            framer.feed(data)
            for text in framer:
                self._arrived.put(json.loads(text))
        self._arrived.put(None)


@contextmanager
def talking(arguments: Sequence[str], **environment: str) -> Iterator[Talk]:
    """Run Python as a plugin, with these arguments."""
    command, settings = [sys.executable, *arguments], os.environ | environment
    with subprocess.Popen(command, cwd=ROOT, env=settings, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        guard = Timer(SECONDS, process.kill)
        guard.start()
        talk = Talk(process)
        try:
            yield talk
        finally:
            guard.cancel()
            talk.close()
