"""Real nodes: lightningd processes on a chain of their own, listening on 127.0.0.1 only."""

from __future__ import annotations

import os
import shlex
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import pytest

from clnrpc import Client, RpcError, VersionWarning
from clnrpc.runtime.errors import ClientError
from tests.interop.chain.folder import Chain
from tests.shared import ROOT

Found = TypeVar("Found")

VARIABLE: Final = "LIGHTNINGD"
"""The environment variable that names the lightningd binary."""
SECONDS: Final = 90
"""How long anything here may take on a busy machine."""
LOG_LINES: Final = 30
"""How much of a node's log is shown when it does not do what it should."""

_OPTIONS: Final = (
    "--network=regtest",
    "--disable-plugin=bcli",
    "--developer",
    "--dev-bitcoind-poll=1",
    "--dev-fast-gossip",
    "--dev-allow-localhost",
    "--allow-deprecated-apis=true",  # the default, but not with --developer
    "--log-level=debug",
    "--log-file=log",
)


def lightningd() -> Path:
    """Return the binary that LIGHTNINGD names; skip the calling test, and say so, if it names none."""
    named = os.environ.get(VARIABLE)
    if not named:
        pytest.skip(f"needs Core Lightning; set {VARIABLE} to a lightningd binary")
    binary = Path(named)
    assert binary.is_file(), f"{VARIABLE} names {named}, which is no file"
    return binary.resolve()


@dataclass(frozen=True)
class Node:
    """A running lightningd. `id` is its public key; it listens at `port` of 127.0.0.1."""

    directory: Path
    port: int
    process: subprocess.Popen[bytes]
    client: Client
    id: str

    @property
    def socket(self) -> Path:
        """Return the path at which it answers JSON-RPC."""
        return _socket(self.directory)

    @property
    def height(self) -> int:
        """Return the height of the newest block that it has seen."""
        return self.client.getinfo().blockheight

    def log(self) -> str:
        """Return all that it has logged."""
        return _log(self.directory)


@contextmanager
def running(chain: Chain, directory: Path, *options: str) -> Iterator[Node]:
    """Run a node in `directory` until the end of the block. `options` come after those that every node gets."""
    binary = lightningd()
    directory.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    plugin = program(chain.directory / "plugin", "tests.interop.chain", chain.directory)
    command = [str(binary), *_OPTIONS, f"--lightning-dir={directory}", f"--bind-addr=127.0.0.1:{port}"]
    with (directory / "stderr").open("wb") as errors:
        process = subprocess.Popen(
            [
                *command,
                f"--plugin={plugin}",
                *options,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
    with Client(_socket(directory), timeout=SECONDS) as client:
        try:
            identity = until(lambda: _identity(process, directory, client), "the node answers")
            yield Node(directory, port, process, client, identity)
        finally:
            _stop(process, client)


def until(condition: Callable[[], Found | None], what: str, *, seconds: float = SECONDS) -> Found:
    """Return what `condition` returns as soon as that is true.

    Raises:
        TimeoutError: If it takes too long. `what` names the condition there.
    """
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} seconds until {what}")
        time.sleep(0.1)
    return found


def _identity(process: subprocess.Popen[bytes], directory: Path, client: Client) -> str | None:
    """Return the node's id, None if it does not answer yet."""
    if process.poll() is not None:
        log = "\n".join(_log(directory).splitlines()[-LOG_LINES:])
        raise RuntimeError(f"lightningd ended with {process.returncode}\n{(directory / 'stderr').read_text()}{log}")
    try:
        with warnings.catch_warnings():
            # Nodes of any release will do; the client asks once and warns only then.
            warnings.simplefilter("ignore", VersionWarning)
            return client.getinfo().id
    except ClientError:
        return None


def _stop(process: subprocess.Popen[bytes], client: Client) -> None:
    """End a node. Its plugins and daemons leave with it, because their pipes close."""
    try:
        client.stop()  # the orderly way; a signal ends it at once
    except (ClientError, RpcError):
        process.terminate()
    try:
        process.wait(SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(SECONDS)
        raise


def program(path: Path, module: str, *arguments: Path) -> Path:
    """Write a program that runs a module of ours with this Python, for lightningd to run as a plugin."""
    command = shlex.join([sys.executable, "-m", module, *map(str, arguments)])
    path.write_text(f"#!/bin/sh\ncd {shlex.quote(str(ROOT))} && exec {command}\n")
    path.chmod(0o700)
    return path


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _socket(directory: Path) -> Path:
    return directory / "regtest" / "lightning-rpc"


def _log(directory: Path) -> str:
    path = directory / "regtest" / "log"
    return path.read_text(errors="replace") if path.exists() else ""
