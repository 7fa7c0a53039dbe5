"""A running LDK, see `peer.mjs`. The environment variable LDK_PEER names the folder in which npm has installed it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

VARIABLE: Final = "LDK_PEER"


@dataclass(frozen=True)
class Ldk:
    """The process, its node id, and where it listens."""

    process: subprocess.Popen[str]
    id: str
    port: int

    @property
    def address(self) -> str:
        """Return ID@HOST:PORT."""
        return f"{self.id}@127.0.0.1:{self.port}"

    def ask(self, do: str, **words: object) -> Any:
        """Return its answer to one command."""
        return _exchange(self.process, {"do": do} | words)


@contextmanager
def running() -> Iterator[Ldk]:
    """Run one until the end of the block; skip the calling test, and say so, if it is not installed."""
    folder = os.environ.get(VARIABLE)
    if not folder:
        pytest.skip(f"needs LDK; `nox -s interop` installs it, or set {VARIABLE} to a folder with its packages")
    command = ["node", str(Path(__file__).with_suffix(".mjs")), folder]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            told = _answer(process)
            yield Ldk(process, told["id"], told["port"])
        finally:
            process.kill()


def _exchange(process: subprocess.Popen[str], words: dict[str, object]) -> Any:
    assert process.stdin is not None
    print(json.dumps(words), file=process.stdin, flush=True)
    return _answer(process)


def _answer(process: subprocess.Popen[str]) -> Any:
    """Return the next line of JSON; LDK prints its version, and its last words, on standard output too."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("{"):
            return json.loads(line)
    raise RuntimeError(f"LDK ended with {process.wait()}")
