"""Run the real program: single calls, and servers that end with their test."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from lnoffers.service import Node, Options, Server
from lnoffers.service.entropy import Entropy

Result = TypeVar("Result")

COMMAND = (sys.executable, "-m", "lnoffers")
SECONDS = 300
"""How long anything here may take on a busy machine."""

SEED_SECRET = b"lightning-2".ljust(32, b"\0")
"""The hsm_secret with which the examples of schemas/invoicerequest.json were made."""
SEED_METADATA = ("40f3b447861516367be1ad748c9b15ac", "6a2e97c3a83e1528b5d0695577902bc4")


@dataclass(frozen=True)
class Outcome:
    """The result of a run of the program."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The JSON that it printed."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Program:
    """The program on a directory of its own, on regtest."""

    directory: Path

    @property
    def network_dir(self) -> Path:
        """The directory of its files."""
        return self.directory / "regtest"

    @property
    def socket(self) -> Path:
        """The path of its server's socket."""
        return self.network_dir / "lightning-rpc"

    @property
    def flags(self) -> tuple[str, ...]:
        """The options that lead to the directory."""
        return ("--lightning-dir", str(self.directory), "--network", "regtest")

    def give_secret(self, content: bytes) -> None:
        """Write the hsm_secret."""
        write_secret(self.network_dir / "hsm_secret", content)

    def call(self, *arguments: str) -> Outcome:
        """Run `lnoffers call`."""
        return run("call", *self.flags, *arguments)

    def without_uvloop(self) -> tuple[str, ...]:
        """Return the command to run the server `under` so that it finds no uvloop, whether or not there is one."""
        hiding = self.directory / "hiding"
        hiding.mkdir()
        (hiding / "uvloop.py").write_text('raise ModuleNotFoundError("hidden", name="uvloop")\n')
        return ("env", f"PYTHONPATH={os.pathsep.join([str(hiding), *sys.path])}")

    @contextmanager
    def served(self, *flags: str, under: tuple[str, ...] = ()) -> Iterator[subprocess.Popen[str]]:
        """Run `lnoffers serve`, ready for calls, during the block; it must not have left a traceback at the end."""
        process = subprocess.Popen(
            [*under, *COMMAND, "serve", *self.flags, *flags],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            first_line = process.stdout.readline() if process.stdout else ""
            assert first_line.startswith("Listening on "), process.communicate()
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            try:
                _, errors = process.communicate(timeout=SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.communicate()
                raise
        assert "Traceback" not in errors, errors


def write_secret(file: Path, content: bytes) -> None:
    """Write an hsm_secret, replacing an existing one, and create its directory."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    file.write_bytes(content)
    file.chmod(0o400)


def while_served(
    program: Program,
    ask: Callable[[], Result],
    *,
    entropy: Entropy | None = None,
    max_connections: int = 256,
    request_seconds: float = 60.0,
) -> Result:
    """Run `ask` in a thread of its own while a server runs in this process; return its result."""

    async def serve() -> Result:
        with Node.open(Options(lightning_dir=program.directory, network="regtest")) as node:
            node.entropy = entropy or node.entropy
            server = Server(node, max_connections=max_connections, request_seconds=request_seconds)
            listening = asyncio.Event()
            running = asyncio.create_task(server.run(listening.set))
            await listening.wait()
            try:
                return await asyncio.to_thread(ask)
            finally:
                server.stop()
                await asyncio.wait_for(running, SECONDS)

    return asyncio.run(serve())


def run(*arguments: str, under: tuple[str, ...] = ()) -> Outcome:
    """Run the program to its end."""
    done = subprocess.run([*under, *COMMAND, *arguments], capture_output=True, timeout=SECONDS, check=False)
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


def until(reached: Callable[[], Result]) -> Result:
    """Wait until a function returns something true, and return that; fail if it does not in time."""
    deadline = time.monotonic() + SECONDS
    while not (found := reached()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def children(process: int) -> list[int]:
    """Return the ids of a process's children, from Linux's /proc."""
    found = []
    for task in Path(f"/proc/{process}/task").iterdir():
        found += (task / "children").read_text().split()
    return [int(child) for child in found]


class Wire:
    """A raw connection to a server."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(SECONDS)
        self._left = b""
        try:
            self.socket.connect(os.fspath(path))
        except OSError:
            self.socket.close()
            raise

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Write bytes as they are."""
        self.socket.sendall(data)

    def answer(self) -> bytes:
        """Return the next answer, with the blank line at its end, or what has arrived when the server closes."""
        while b"\n\n" not in self._left:
            data = self.socket.recv(1 << 16)
            if not data:
                break
            self._left += data
        found, end, self._left = self._left.partition(b"\n\n")
        return found + end

    def ask(self, method: str, params: Any = ()) -> Any:
        """Make a call and return the whole answer."""
        self.send(request(method, params))
        return json.loads(self.answer())

    def is_silent(self, seconds: float) -> bool:
        """Return whether nothing arrives for a while."""
        return not self._left and not select.select([self.socket], [], [], seconds)[0]

    def is_closed(self) -> bool:
        """Return whether the server has closed the connection after everything was read."""
        try:
            return not self._left and self.socket.recv(1) == b""
        except ConnectionResetError:  # it closed with bytes of ours unread
            return True


def request(method: str, params: Any = (), identity: Any = 0) -> bytes:
    """Return the text of a request."""
    return json.dumps({"jsonrpc": "2.0", "id": identity, "method": method, "params": params}).encode()
