"""Servers that other nodes can connect to."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

import pytest

from clnrpc import Client
from lnoffers.bolt12 import new_hsm_secret
from tests.service.program import Program, until


@dataclass(frozen=True)
class Served:
    """A server with a node of its own, which listens at `port` of 127.0.0.1."""

    program: Program
    process: Popen[str]
    client: Client
    id: str
    port: int

    @property
    def address(self) -> str:
        """Where other nodes can connect."""
        return f"{self.id}@127.0.0.1:{self.port}"

    def log(self) -> str:
        """Return what it has logged."""
        return (self.program.network_dir / "log").read_text()

    def await_log(self, text: str) -> None:
        """Wait until it has logged a text."""
        until(lambda: text in self.log())

    def peers(self) -> set[str]:
        """Return the ids of the nodes that are connected."""
        return {peer.id for peer in self.client.listpeers().peers}

    def peak_megabytes(self) -> float:
        """Return the most memory that its process has used."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1_024


Start = Callable[..., Served]


@pytest.fixture
def start() -> Iterator[Start]:
    """Return a function that starts a server with a new secret, or with that of `program`; arguments are options."""
    with ExitStack() as stack:

        def run(*flags: str, program: Program | None = None) -> Served:
            if program is None:
                program = Program(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lno"))))
                program.give_secret(new_hsm_secret(os.urandom(16)))
            if "--addr" not in flags:
                flags = (*flags, "--addr", "127.0.0.1:0")
            process = stack.enter_context(program.served(*flags, "--log-file", "log", "--log-level", "debug"))
            client = stack.enter_context(Client(program.socket))
            info = client.getinfo()
            [port] = [binding.port for binding in info.binding or () if binding.type == "ipv4"]
            return Served(program, process, client, info.id, port or 0)

        yield run


@pytest.fixture
def program() -> Iterator[Program]:
    """Yield the program on a directory with a secret of its own."""
    with tempfile.TemporaryDirectory(prefix="lno") as directory:
        found = Program(Path(directory))
        found.give_secret(new_hsm_secret(os.urandom(16)))
        yield found
