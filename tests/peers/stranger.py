"""A node under a test's control: a socket and a `PeerConnection`, without the service's own peers."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final

from clnrpc import Client
from lnoffers.bolt12 import CHAINS, KeyPair
from lnoffers.net.connection import Event, PeerConnection, Ready
from lnoffers.net.features import OFFERED
from lnoffers.net.messages import Init, OnionMessage, Ping
from tests.service.program import SECONDS

REGTEST: Final = CHAINS["regtest"]


class Stranger:
    """A node that has connected, or been connected to, and has exchanged `init`."""

    def __init__(self, wire: socket.socket, connection: PeerConnection) -> None:
        self.wire = wire
        self.connection = connection
        while not isinstance(event := self.event(), Ready):
            assert event is not None, "the other side has closed the connection"

    def event(self) -> Event | None:
        """Return what happens next; None once the other side has closed the connection."""
        while (event := self.connection.next_event()) is None:
            self.wire.sendall(self.connection.data_to_send())
            data = self.wire.recv(1 << 16)
            if not data:
                return None
            self.connection.receive_data(data)
        self.wire.sendall(self.connection.data_to_send())
        return event

    def send(self, message: OnionMessage | Ping) -> None:
        """Send a message."""
        self.connection.send(message)
        self.wire.sendall(self.connection.data_to_send())

    def send_raw(self, message: bytes) -> None:
        """Send the bytes of a message, whatever they are."""
        assert self.connection._established is not None
        self.wire.sendall(self.connection._established.writer.frame(message))

    def send_pings(self, count: int, *, pong_length: int) -> None:
        """Send many pings, and wait for no pong."""
        for _ in range(count):
            self.send_raw((18).to_bytes(2, "big") + pong_length.to_bytes(2, "big") + bytes(2))


def key(number: int) -> KeyPair:
    """Return one of many keys."""
    return KeyPair(bytes([number]) * 32)


@contextmanager
def wired(port: int, host: str = "127.0.0.1", receive_buffer: int | None = None) -> Iterator[socket.socket]:
    """Open a TCP connection to a port of this machine, from one of its loopback addresses.

    `receive_buffer` limits the bytes that the system accepts before anybody reads them.
    """
    with socket.socket() as wire:
        wire.settimeout(SECONDS)
        if receive_buffer is not None:
            wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        wire.bind((host, 0))
        wire.connect(("127.0.0.1", port))
        yield wire


@contextmanager
def connected(
    node: KeyPair,
    peer_id: str,
    port: int,
    chain: bytes = REGTEST,
    *,
    host: str = "127.0.0.1",
    receive_buffer: int | None = None,
) -> Iterator[Stranger]:
    """Connect to a node on this machine, as `wired` does."""
    with wired(port, host, receive_buffer) as wire:
        init = Init(OFFERED, (chain,))
        yield Stranger(
            wire, PeerConnection.initiate(node, key(secrets.randbelow(200) + 50), bytes.fromhex(peer_id), init)
        )


@contextmanager
def dialed(node: KeyPair, client: Client) -> Iterator[Stranger]:
    """Have the server of a client connect to a node on this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as pool:
        connecting = pool.submit(client.connect, f"{node.public_key.hex()}@127.0.0.1:{listener.getsockname()[1]}")
        listener.settimeout(SECONDS)
        wire, _ = listener.accept()
        with wire:
            wire.settimeout(SECONDS)
            init = Init(OFFERED, (REGTEST,))
            stranger = Stranger(wire, PeerConnection.respond(node, key(secrets.randbelow(200) + 50), init))
            connecting.result()
            yield stranger
