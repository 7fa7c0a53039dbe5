"""pyln-proto's transport, in an environment of its own: handshakes in both directions, and many messages.

It reads no messages, so it echoes them. PYLN_PROTO names a Python that has it.
"""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lnoffers.bolt12 import CHAINS, KeyPair
from lnoffers.net.connection import Authenticated, Event, PeerConnection, Ready
from lnoffers.net.features import OFFERED
from lnoffers.net.frames import ROTATION
from lnoffers.net.messages import Init, OnionMessage

VARIABLE = "PYLN_PROTO"
SECONDS = 60
OURS, EPHEMERAL, THEIRS = (KeyPair(bytes([number]) * 32) for number in (1, 2, 3))
THEIR_SECRET = "03" * 32
INIT = Init(OFFERED, (CHAINS["regtest"],))


@contextmanager
def echo(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run pyln-proto's end; skip the calling test, and say so, if it is not installed."""
    python = os.environ.get(VARIABLE)
    if not python:
        pytest.skip(f"needs pyln-proto; `nox -s interop` installs it, or set {VARIABLE} to a Python that has it")
    command = [python, str(Path(__file__).with_name("echo.py")), THEIR_SECRET, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def happenings(connection: PeerConnection, peer: socket.socket) -> Iterator[Event]:
    """Yield all events, over a blocking socket."""
    peer.settimeout(SECONDS)
    while True:
        while (event := connection.next_event()) is not None:
            yield event
        peer.sendall(connection.data_to_send())
        connection.receive_data(peer.recv(65_536))


def talk(connection: PeerConnection, peer: socket.socket) -> None:
    """Have everything come back that is said, past several changes of the keys."""
    events = happenings(connection, peer)
    assert next(events) == Authenticated(THEIRS.public_key)
    assert next(events) == Ready(INIT)
    for number in range(ROTATION + 10):
        message = OnionMessage(OURS.public_key, number.to_bytes(4, "big") * (number % 7))
        connection.send(message)
        assert next(events) == message
    longest = OnionMessage(OURS.public_key, bytes(65_535 - 2 - 33 - 2))
    connection.send(longest)
    assert next(events) == longest


def test_we_connect_to_pyln_proto() -> None:
    with echo("listen") as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        with socket.create_connection(("127.0.0.1", port)) as peer:
            talk(PeerConnection.initiate(OURS, EPHEMERAL, THEIRS.public_key, INIT), peer)


def test_pyln_proto_connects_to_us() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(SECONDS)
        with echo(OURS.public_key.hex(), server.getsockname()[1]), server.accept()[0] as peer:
            talk(PeerConnection.respond(OURS, EPHEMERAL, INIT), peer)
