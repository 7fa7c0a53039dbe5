"""Watch the notifications and hooks of a node through a plugin that is started on it."""

from __future__ import annotations

import json
import shlex
import sys
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lnstandin.conform.node import Node, NodeError
from lnstandin.conform.watcher import NOT_WATCHED


@dataclass(frozen=True, slots=True)
class Events:
    """What the plugin has written so far."""

    file: Path

    def read(self) -> Iterator[tuple[str, Any]]:
        """Yield the name, as `hook/NAME` or `notification/NAME`, and the payload of each event."""
        text = self.file.read_text() if self.file.exists() else ""
        for line in text.splitlines(keepends=True):
            if line.endswith("\n"):  # the last one may be half written
                event = json.loads(line)
                yield event["event"], event["payload"]


@contextmanager
def watching(node: Node, names: Collection[str]) -> Iterator[Events]:
    """Run the plugin on the node until the end of the block. The node must be on this machine, under the same user.

    Raises:
        NodeError: if the node does not start it.
    """
    with tempfile.TemporaryDirectory(prefix="lnstandin-") as folder:
        file, plugin = Path(folder, "events"), Path(folder, "lnstandin-watcher")
        watched = sorted(set(names) - NOT_WATCHED)
        words = [sys.executable, "-m", "lnstandin.conform.watcher", str(file), *watched]
        plugin.write_text(f"#!/bin/sh\nexec {shlex.join(words)}\n")
        plugin.chmod(0o700)
        started = node.ask("plugin", {"subcommand": "start", "plugin": str(plugin)})
        if started.failed:
            raise NodeError(f"the node did not start the plugin that watches its events: {started.message}")
        try:
            yield Events(file)
        finally:
            node.ask("plugin", {"subcommand": "stop", "plugin": str(plugin)})
