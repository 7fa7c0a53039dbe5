"""A plugin that writes down what lightningd sends to it: `python -m lnstandin.conform.watcher FILE NAME...`.

Each NAME is `notification/NAME` or `hook/NAME`. A line of FILE is an object with "event", one of these names, and its
"payload" as lightningd sent it. Every hook goes on as if there were no plugin.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

from clnrpc.runtime.client.exchange import MAX_RESPONSE_BYTES
from clnrpc.runtime.client.objects import ObjectReader
from clnrpc.runtime.plugin.events import unwrapped
from clnrpc.runtime.plugin.stdio import own_streams, read_chunks, write_all

MOST: Final = 100
"""How many payloads of one event are written."""
NOT_WATCHED: Final = frozenset({"hook/db_write", "hook/openchannel2_changed", "hook/openchannel2_sign"})
"""Hooks that a plugin cannot register later, or whose answer must hold a transaction."""
_CONTINUE: Final = {"result": "continue"}


class Watcher:
    """Answers lightningd, and writes events to a file."""

    def __init__(self, file: Path, events: Collection[str]) -> None:
        self._file = file
        self._events = frozenset(events)
        self._count: Counter[str] = Counter()

    def answer(self, message: dict[str, Any]) -> Any:
        """Return the result for a message; it counts only if the message has an id."""
        method, params = message["method"], message.get("params", {})
        if method == "getmanifest":
            return {
                "options": [],
                "rpcmethods": [],
                "subscriptions": self._names("notification"),
                "hooks": [{"name": name} for name in self._names("hook")],
                "dynamic": True,
            }
        if method == "init":
            return {}
        if "id" in message:
            self._write(f"hook/{method}", params)
            return _CONTINUE
        self._write(f"notification/{method}", json.loads(unwrapped(method, json.dumps(params).encode())))
        return None

    def _names(self, kind: str) -> list[str]:
        return sorted(event.partition("/")[2] for event in self._events if event.startswith(f"{kind}/"))

    def _write(self, event: str, payload: Any) -> None:
        self._count[event] += 1
        if self._count[event] <= MOST:
            with self._file.open("a") as stream:
                stream.write(json.dumps({"event": event, "payload": payload}) + "\n")


def main() -> None:
    """Serve lightningd on stdin and stdout until it closes them."""
    watcher, objects = Watcher(Path(sys.argv[1]), sys.argv[2:]), ObjectReader(MAX_RESPONSE_BYTES)
    with own_streams() as (source, sink):
        for chunk in read_chunks(source):
            for text in objects.feed(chunk):
                message = json.loads(text)
                result = watcher.answer(message)
                if "id" in message:
                    response = {"jsonrpc": "2.0", "id": message["id"], "result": result}
                    write_all(sink, json.dumps(response).encode() + b"\n\n")


if __name__ == "__main__":
    main()
