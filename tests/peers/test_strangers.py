"""What nodes that nobody knows can do to a server: nothing that costs it more than its limits say."""

from __future__ import annotations

import os
import secrets
import socket
import time

import pytest

from clnrpc import RpcError
from lnoffers.bolt12 import CHAINS
from lnoffers.net.blinding import message_path
from lnoffers.net.connection import PeerError, PeerWarning
from lnoffers.net.errors import RemoteProtocolError
from lnoffers.net.messages import OnionMessage, Ping, Pong
from lnoffers.net.onion_messages import Payload, ReceivedMessage, open_message, wrap
from lnoffers.service.peers.link import READ_BURST, READ_BYTES
from lnoffers.service.peers.peers import MAX_WARNINGS
from lnoffers.service.peers.reach import MAX_HANDSHAKES
from tests.peers.conftest import Served, Start
from tests.peers.stranger import connected, key
from tests.service.program import SECONDS, until

CHANNEL_REESTABLISH = (136).to_bytes(2, "big") + bytes(112)


def lists(served: Served) -> set[str]:
    """Return the ids of the nodes that are connected."""
    return {peer.id for peer in served.client.listpeers().peers}


def test_a_message_is_forwarded_to_a_node_that_is_connected(start: Start) -> None:
    middle = start()
    with connected(key(1), middle.id, middle.port) as one, connected(key(2), middle.id, middle.port) as two:
        until(lambda: len(lists(middle)) == 2)
        path = message_path(
            secrets.token_bytes(32), [bytes.fromhex(middle.id), key(2).public_key], path_id=b"known to two"
        )
        one.send(wrap(secrets.token_bytes(32), path, Payload.build(invoice_request=b"said by one")))
        message = two.event()
        assert isinstance(message, OnionMessage)
        opened = open_message(key(2), message)
        assert isinstance(opened, ReceivedMessage)
        assert (opened.path_id, opened.payload.invoice_request) == (b"known to two", b"said by one")


def test_messages_to_nobody_and_for_nobody_are_dropped(start: Start) -> None:
    served = start()
    me = bytes.fromhex(served.id)
    with connected(key(1), served.id, served.port) as one:
        for way in ([me, key(9).public_key], [me, me], [me]):
            path = message_path(secrets.token_bytes(32), way, b"x")
            one.send(wrap(secrets.token_bytes(32), path, Payload.build(invoice_request=b"x")))
        one.send(OnionMessage(key(1).public_key, os.urandom(1_366)))
        one.send(Ping(3))
        assert one.event() == Pong(3)


def test_a_newer_connection_of_a_node_replaces_the_older_one(start: Start) -> None:
    served = start()
    with connected(key(1), served.id, served.port) as older:
        until(lambda: lists(served))
        with connected(key(1), served.id, served.port) as newer:
            assert older.wire.recv(1) == b""
            newer.send(Ping(3))
            assert newer.event() == Pong(3)
            assert lists(served) == {key(1).public_key.hex()}


def test_who_takes_the_node_for_another_one_gets_no_error_and_ends_all_connections(start: Start) -> None:
    served = start()
    with connected(key(1), served.id, served.port) as other, connected(key(2), served.id, served.port) as one:
        until(lambda: len(lists(served)) == 2)
        one.send_raw(CHANNEL_REESTABLISH)
        for stranger in (one, other):
            while (event := stranger.event()) is not None:
                assert not isinstance(event, PeerError | PeerWarning)
    until(lambda: lists(served) == set())
    with pytest.raises(RpcError, match="about a channel"):
        served.client.connect(f"{key(3).public_key.hex()}@127.0.0.1:9")
    with pytest.raises((OSError, AssertionError)), connected(key(4), served.id, served.port):
        pass
    assert "Use another one here" in served.log()


@pytest.mark.parametrize("noise", [b"", b"\0" * 50, os.urandom(50), os.urandom(100_000)], ids=len)
def test_noise_in_place_of_a_handshake_is_dropped(start: Start, noise: bytes) -> None:
    served = start()
    with socket.create_connection(("127.0.0.1", served.port), SECONDS) as wire:
        wire.sendall(noise)
        wire.shutdown(socket.SHUT_WR)
        try:
            while wire.recv(1 << 16):
                pass
        except ConnectionResetError:  # it closed with bytes of ours unread
            pass
    assert lists(served) == set()


def test_handshakes_that_never_end_leave_room_for_others_after_a_while(start: Start) -> None:
    served = start()
    held = [socket.create_connection(("127.0.0.1", served.port), SECONDS) for _ in range(2 * MAX_HANDSHAKES)]
    try:
        for wire in held:
            assert wire.recv(1) == b""  # those beyond the limit at once, the others when their time is up
        with connected(key(1), served.id, served.port):
            until(lambda: lists(served) == {key(1).public_key.hex()})
    finally:
        for wire in held:
            wire.close()


def test_a_node_of_another_chain_is_refused(start: Start) -> None:
    served = start()
    with (
        pytest.raises((AssertionError, RemoteProtocolError)),
        connected(key(1), served.id, served.port, CHAINS["signet"]),
    ):
        pass
    assert lists(served) == set()


def test_a_node_that_reads_nothing_costs_no_more_than_its_queue(start: Start) -> None:
    served = start()
    me = bytes.fromhex(served.id)
    with connected(key(1), served.id, served.port) as sender, connected(key(2), served.id, served.port):
        until(lambda: len(lists(served)) == 2)
        path = message_path(secrets.token_bytes(32), [me, key(2).public_key], b"x")
        for _ in range(40):
            sender.send(wrap(secrets.token_bytes(32), path, Payload.build(invoice_request=bytes(20_000))))
        sender.send(Ping(3))
        assert sender.event() == Pong(3)
    assert "its next node reads too slowly" in served.log()


def test_pongs_are_limited_like_what_is_read(start: Start) -> None:
    served = start()
    with connected(key(1), served.id, served.port) as one:
        begun = time.monotonic()
        one.send_pings(200, pong_length=65_000)
        received = 0
        while time.monotonic() < begun + 2:
            received += len(one.wire.recv(1 << 16))
        assert received < READ_BURST + READ_BYTES * (time.monotonic() - begun) + 3 * 65_535


def test_a_peer_that_stops_reading_and_then_breaks_a_rule_is_dropped(start: Start) -> None:
    served = start()
    with connected(key(1), served.id, served.port) as one:
        until(lambda: lists(served))
        one.send_pings(200, pong_length=65_000)  # whose pongs nobody reads
        one.send_raw(b"\0\x10")  # init again, cut short
        until(lambda: not lists(served))


def test_one_open_channel_message_closes_its_own_connection_only(start: Start) -> None:
    served = start()
    with connected(key(1), served.id, served.port) as other, connected(key(2), served.id, served.port) as one:
        until(lambda: len(lists(served)) == 2)
        one.send_raw((32).to_bytes(2, "big") + bytes(100))
        until(lambda: lists(served) == {key(1).public_key.hex()})
        other.send(Ping(3))
        assert other.event() == Pong(3)


def test_a_peers_words_do_not_fill_the_log(start: Start) -> None:
    served = start()
    with connected(key(1), served.id, served.port) as one:
        for _ in range(100):
            one.send_raw((1).to_bytes(2, "big") + bytes(32) + (5).to_bytes(2, "big") + b"howdy")
        one.send_raw((17).to_bytes(2, "big") + bytes(32) + (60_000).to_bytes(2, "big") + b"\n" * 60_000)
        until(lambda: not lists(served))
    log = served.log()
    assert log.count("howdy") == MAX_WARNINGS
    assert max(map(len, log.splitlines())) < 1_000
