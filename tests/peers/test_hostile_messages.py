"""Peers that complete the handshake and then break rules, or keep them too eagerly."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final

import pytest

from lnoffers.net.frames import MAX_FRAME
from lnoffers.net.messages import Ping, Pong
from lnoffers.service.peers.link import ONION_BURST, ONIONS_A_SECOND
from tests.peers import attacks
from tests.peers.conftest import Start
from tests.peers.stranger import Stranger, connected, key
from tests.service.program import until

MEGABYTES: Final = 100
PING: Final = bytes.fromhex("001200000000")
NO_PONG: Final = 65_532


def frame(stranger: Stranger, message: bytes) -> bytes:
    """Return the frame of a message."""
    assert stranger.connection._established is not None
    return stranger.connection._established.writer.frame(message)


def truncated(stranger: Stranger) -> bytes:
    """Return a frame that ends too early; the next one begins within it."""
    return frame(stranger, bytes(100))[:-20] + frame(stranger, PING)


def cut(stranger: Stranger) -> bytes:
    """Return the beginning of a frame."""
    return frame(stranger, bytes(100))[:-1]


def oversized(stranger: Stranger) -> bytes:
    """Return a frame with more bytes than its length says."""
    return frame(stranger, PING) + bytes(MAX_FRAME)


def replayed(stranger: Stranger) -> bytes:
    """Return a frame sent twice."""
    return frame(stranger, PING) * 2


def left_out(stranger: Stranger) -> bytes:
    """Return the frame after one that is never sent."""
    frame(stranger, PING)
    return frame(stranger, PING)


def noise(stranger: Stranger) -> bytes:
    """Return random bytes."""
    return os.urandom(200)


@pytest.mark.parametrize(
    ("forge", "reason"),
    [
        (truncated, "wrong tag"),
        (cut, "closed the connection within a message"),
        (oversized, "wrong tag"),
        (replayed, "wrong tag"),
        (left_out, "wrong tag"),
        (noise, "wrong tag"),
        (lambda stranger: frame(stranger, b""), "a message of 0 bytes has no room for its type"),
        (lambda stranger: frame(stranger, b"\0\x14"), "message type 20 is even"),
        (lambda stranger: frame(stranger, b"\x02\x01" + bytes(35)), "message 513 cannot be read"),
    ],
)
def test_a_forged_frame_ends_its_connection_with_a_reason(
    start: Start, forge: Callable[[Stranger], bytes], reason: str
) -> None:
    served = start()
    with connected(key(1), served.id, served.port) as one, connected(key(2), served.id, served.port) as other:
        until(lambda: len(served.peers()) == 2)
        one.wire.sendall(forge(one))
        one.wire.shutdown(1)
        until(lambda: served.peers() == {key(2).public_key.hex()})
        answers(other)
    served.await_log(reason)


def answers(stranger: Stranger) -> None:
    """Check that the server answers a ping."""
    stranger.send(Ping(3))
    while (event := stranger.event()) != Pong(3):
        assert event is not None, "the server has closed the connection"


@pytest.mark.parametrize("payload", attacks.UNKNOWN_ODD.values(), ids=attacks.UNKNOWN_ODD)
def test_a_flood_is_read_slowly_and_delays_nobody(start: Start, payload: bytes) -> None:
    served = start()
    count = 1_000 if len(payload) < 1_000 else 15
    with connected(key(1), served.id, served.port) as one, connected(key(2), served.id, served.port) as other:
        until(lambda: len(served.peers()) == 2)
        attacks.messages(payload, count)(one)
        served.client.getinfo()
        answers(other)
        answers(one)
    assert served.peak_megabytes() < MEGABYTES


def test_pings_of_every_size_are_answered_or_need_no_answer(start: Start) -> None:
    served = start()
    with connected(key(1), served.id, served.port) as one:
        for length in (0, 1, 2, 17, 255, 256, 1_024, 32_768, 65_000, NO_PONG - 1):
            one.send(Ping(length, byteslen=min(length, 65_529)))
            assert one.event() == Pong(length)
        for length in range(NO_PONG, 1 << 16):
            one.send(Ping(length))
        answers(one)


def test_a_ping_whose_length_is_wrong_ends_its_connection(start: Start) -> None:
    served = start()
    with connected(key(1), served.id, served.port) as one:
        one.send_raw(bytes.fromhex("00120000ffff") + bytes(10))
        until(lambda: not served.peers())
    served.await_log("message 18 cannot be read")


def test_a_peer_that_reads_nothing_is_no_longer_read(start: Start) -> None:
    served = start()
    with (
        connected(key(1), served.id, served.port, receive_buffer=attacks.SMALL_BUFFER) as one,
        connected(key(2), served.id, served.port) as other,
    ):
        until(lambda: len(served.peers()) == 2)
        attacks.sent_until_blocked(one)
        for _ in range(20):
            served.client.getinfo()
        answers(other)
        assert served.peak_megabytes() < MEGABYTES
    until(lambda: served.peers() == set())


def test_messages_for_a_node_that_reads_nothing_fill_only_its_queue(start: Start) -> None:
    served = start()
    with (
        connected(key(1), served.id, served.port) as sender,
        connected(key(2), served.id, served.port, receive_buffer=attacks.SMALL_BUFFER) as deaf,
    ):
        until(lambda: len(served.peers()) == 2)
        attacks.sent_until_blocked(deaf)
        while "too many messages wait to be sent to its next node" not in served.log():
            sender.send(attacks.by_way_of(bytes.fromhex(served.id), key(2).public_key, bytes(20_000)))
            answers(sender)
        assert served.peak_megabytes() < MEGABYTES


def test_forwards_beyond_what_their_next_node_is_sent_are_dropped_with_a_reason(start: Start) -> None:
    served = start()
    with (
        connected(key(1), served.id, served.port) as one,
        connected(key(3), served.id, served.port) as another,
        connected(key(2), served.id, served.port),
    ):
        until(lambda: len(served.peers()) == 3)
        for _ in range(ONION_BURST):
            for stranger in (one, another):
                stranger.send(attacks.by_way_of(bytes.fromhex(served.id), key(2).public_key, b"x"))
        served.await_log("too many messages wait to be sent to its next node")


def test_onion_messages_beyond_the_limit_are_dropped_with_a_reason(start: Start) -> None:
    served = start()
    with connected(key(1), served.id, served.port) as one:
        while f"it sends more than {ONIONS_A_SECOND} per second" not in served.log():
            for _, message in attacks.odd_reply_paths(bytes.fromhex(served.id)):
                one.send(message)
            answers(one)
