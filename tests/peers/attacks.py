"""What hostile nodes do to a server. Each attack takes the server's node id and port, and returns when it is over.

The tests run them in their short form, `tests.endurance.hostile` in their long form.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from typing import Final

from lnoffers.bolt12 import BlindedHop, BlindedPath, ChannelEnd, KeyPair
from lnoffers.net.blinding import message_path
from lnoffers.net.frames import MAX_MESSAGE
from lnoffers.net.handshake import ACT_TWO_LENGTH, Initiator
from lnoffers.net.messages import OnionMessage
from lnoffers.net.onion_messages import Payload, wrap
from tests.peers.stranger import Stranger, key, wired

PONG_BYTES: Final = 65_531
"""The longest pong that a ping can request."""
SMALL_BUFFER: Final = 4_096
NOWHERE: Final = 1 << 60
"""A short channel id that no channel has."""

Attack = Callable[[str, int], None]


def read_to_end(wire: socket.socket) -> bytes:
    """Return what the other side still sends before it closes the connection."""
    received = b""
    with suppress(ConnectionResetError):  # it closed with bytes of ours unread
        while data := wire.recv(1 << 16):
            received += data
    return received


# ---- handshakes


def half_handshake(peer_id: str, wire: socket.socket, acts: int) -> None:
    """Play the initiator for so many acts (0, 1 or 3); the responder's second act is read in between."""
    initiator = Initiator(key(1), KeyPair(secrets.token_bytes(32)), bytes.fromhex(peer_id))
    if acts > 0:
        wire.sendall(initiator.act_one())
    if acts > 1:
        act_two = wire.recv(ACT_TWO_LENGTH, socket.MSG_WAITALL)
        if not act_two:
            raise ConnectionError("the server has closed the connection")
        wire.sendall(initiator.read_act_two(act_two)[0])


def garbage_at(acts: int, noise: bytes, host: str = "127.0.0.1") -> Attack:
    """Send noise after so many acts, and nothing more."""

    def attack(peer_id: str, port: int) -> None:
        with wired(port, host) as wire:
            half_handshake(peer_id, wire, acts)
            with suppress(OSError):  # it may have closed the connection already
                wire.sendall(noise)
                wire.shutdown(socket.SHUT_WR)
            read_to_end(wire)

    return attack


def half_open(count: int, addresses: int) -> Attack:
    """Open many connections from so many addresses, and say nothing on them; end when the server has closed all."""

    def attack(peer_id: str, port: int) -> None:
        with ExitStack() as stack:
            wires = [stack.enter_context(wired(port, f"127.0.1.{number % addresses + 1}")) for number in range(count)]
            for wire in wires:
                read_to_end(wire)

    return attack


# ---- messages


def messages(payload: bytes, count: int) -> Callable[[Stranger], None]:
    """Send the same message again and again."""

    def attack(stranger: Stranger) -> None:
        for _ in range(count):
            stranger.send_raw(payload)

    return attack


def sent_until_blocked(stranger: Stranger) -> int:
    """Ask for long pongs and read none, until the system accepts no more bytes from us; return how many it accepted.

    The system accepts bytes until its buffers are full on both sides: the server has stopped reading then.
    """
    assert stranger.connection._established is not None
    sent, padding = 0, bytes(1_000)
    ping = (18).to_bytes(2, "big") + PONG_BYTES.to_bytes(2, "big") + len(padding).to_bytes(2, "big") + padding
    stranger.wire.settimeout(3)
    with suppress(TimeoutError):
        while True:
            frame = stranger.connection._established.writer.frame(ping)
            stranger.wire.sendall(frame)
            sent += len(frame)
    return sent


UNKNOWN_ODD: Final[Mapping[str, bytes]] = {
    "short unknown messages": b"\xff\xff",
    "messages of 65,535 bytes": b"\xff\xff" + bytes(MAX_MESSAGE - 2),
}


# ---- onion messages


def by_way_of(node_id: bytes, target: bytes, request: bytes) -> OnionMessage:
    """Return a message that a node is to forward to another one."""
    path = message_path(secrets.token_bytes(32), [node_id, target], b"x")
    return wrap(secrets.token_bytes(32), path, Payload.build(invoice_request=request))


def to_node(node_id: bytes, payload: Payload) -> OnionMessage:
    """Return a message for a node, along a path of one hop."""
    path = message_path(secrets.token_bytes(32), [node_id], b"x")
    return wrap(secrets.token_bytes(32), path, payload)


def odd_reply_paths(node_id: bytes) -> Iterator[tuple[str, OnionMessage]]:
    """Yield requests whose reply paths lead nowhere, each with what is wrong with it."""
    hop = BlindedHop(key(3).public_key, os.urandom(50))
    paths = {
        "no hop": BlindedPath(key(1).public_key, key(2).public_key, ()),
        "an unknown channel": BlindedPath(ChannelEnd(0, NOWHERE), key(2).public_key, (hop,)),
        "the node itself": message_path(secrets.token_bytes(32), [node_id], b"x"),
        "the node itself, twice": message_path(secrets.token_bytes(32), [node_id, node_id], b"x"),
        "the node itself, with garbage": BlindedPath(node_id, key(2).public_key, (hop,)),
        "200 hops": BlindedPath(key(1).public_key, key(2).public_key, (hop,) * 200),
    }
    for name, path in paths.items():
        yield name, to_node(node_id, Payload.build(invoice_request=b"x", reply_path=path))
