"""Handshakes that go wrong, or never end: each is dropped with a logged reason, and leaves room for other nodes."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack

import pytest

from lnoffers.net.messages import Ping, Pong
from lnoffers.service.peers import peers
from lnoffers.service.peers.admission import ADDRESS_BURST, MAX_HANDSHAKES, MAX_OF_ADDRESS, OF_ADDRESS_A_SECOND
from lnoffers.service.peers.peers import HANDSHAKE_SECONDS, MAX_PEERS
from tests.peers import attacks
from tests.peers.conftest import Start
from tests.peers.stranger import connected, key, wired
from tests.service.program import until

ANOTHER_HOST = "127.0.0.77"
NO_VERSION = b"\1"


@pytest.mark.parametrize(
    ("acts", "noise", "reason"),
    [
        (0, b"", "closed the connection in the state AWAITING_ACT_ONE"),
        (0, bytes(49), "closed the connection in the state AWAITING_ACT_ONE"),
        (0, NO_VERSION + bytes(100), "act one has version 1"),
        (0, bytes(50), "act one has a key that is not a point"),
        (0, b"\0" + key(5).public_key + bytes(16), "act one has a wrong tag"),
        (0, NO_VERSION * 100_000, "act one has version 1"),
        (1, b"", "closed the connection in the state AWAITING_ACT_THREE"),
        (1, NO_VERSION * 66, "act three has version 1"),
        (1, bytes(66), "act three has a wrong ciphertext"),
        (3, b"", "closed the connection in the state AWAITING_INIT"),
        (3, os.urandom(1_000), "wrong tag"),
    ],
)
def test_garbage_at_each_stage_is_dropped_with_a_reason(start: Start, acts: int, noise: bytes, reason: str) -> None:
    served = start()
    attacks.garbage_at(acts, noise)(served.id, served.port)
    served.await_log(reason)
    assert "Dropped 127.0.0.1:" in served.log()
    assert served.peers() == set()


def test_handshakes_that_never_end_are_dropped_and_leave_room_for_other_addresses(start: Start) -> None:
    served = start()
    with ExitStack() as stack:
        held = [stack.enter_context(wired(served.port)) for _ in range(2 * MAX_OF_ADDRESS)]
        for wire in held[MAX_OF_ADDRESS:]:
            assert wire.recv(1) == b"", "the address has as many as it may"
        with connected(key(1), served.id, served.port, host=ANOTHER_HOST):
            until(lambda: served.peers() == {key(1).public_key.hex()})
        for wire in held:
            assert wire.recv(1) == b"", "their time is up"
    served.await_log(f"Refused a connection from 127.0.0.1: {MAX_OF_ADDRESS} handshakes with its address")
    served.await_log(f"the handshake took more than {HANDSHAKE_SECONDS:g} seconds")


def test_handshakes_that_never_end_from_many_addresses_leave_room_when_their_time_is_up(start: Start) -> None:
    served = start()
    attacks.half_open(2 * MAX_HANDSHAKES, addresses=40)(served.id, served.port)
    served.await_log(f": {MAX_HANDSHAKES} handshakes are under way")
    with connected(key(1), served.id, served.port):
        until(lambda: served.peers() == {key(1).public_key.hex()})


def test_one_address_begins_a_limited_number_of_handshakes(start: Start) -> None:
    served = start()
    attack = attacks.garbage_at(0, NO_VERSION * 50)
    refused = f"Refused a connection from 127.0.0.1: its address begins more than {OF_ADDRESS_A_SECOND}"
    for _ in range(100 * ADDRESS_BURST):
        attack(served.id, served.port)
        if refused in served.log():
            break
    else:
        pytest.fail("all were accepted")
    with connected(key(1), served.id, served.port, host=ANOTHER_HOST):
        until(lambda: served.peers() == {key(1).public_key.hex()})


def test_strangers_fill_only_their_own_places(start: Start) -> None:
    served, friend = start(), start()
    with ExitStack() as stack:
        for number in range(MAX_PEERS):
            host = f"127.0.2.{number + 1}"
            stack.enter_context(connected(key(number + 1), served.id, served.port, host=host))
        until(lambda: len(served.peers()) == MAX_PEERS)
        with connected(key(240), served.id, served.port, host=ANOTHER_HOST) as late:
            assert late.event() is None
        served.client.connect(friend.address)
        assert friend.id in served.peers()
        assert key(240).public_key.hex() not in served.peers()
    served.await_log(f"{MAX_PEERS} nodes have connected")


def test_one_address_leaves_places_for_nodes_at_others(start: Start) -> None:
    served = start()
    with ExitStack() as stack:
        for number in range(peers.MAX_OF_ADDRESS):
            stack.enter_context(connected(key(number + 1), served.id, served.port))
        until(lambda: len(served.peers()) == peers.MAX_OF_ADDRESS)
        with connected(key(240), served.id, served.port) as late:
            assert late.event() is None
        with connected(key(1), served.id, served.port) as newer:  # which replaces its older connection
            newer.send(Ping(3))
            assert newer.event() == Pong(3)
        with connected(key(241), served.id, served.port, host=ANOTHER_HOST):
            until(lambda: key(241).public_key.hex() in served.peers())
    served.await_log(f"{peers.MAX_OF_ADDRESS} nodes have connected from its address")


def test_a_server_that_stops_ends_open_handshakes(start: Start) -> None:
    served = start()
    with wired(served.port) as silent, wired(served.port) as halfway:
        attacks.half_handshake(served.id, halfway, acts=1)
        halfway.recv(1)  # act two: so both handshakes are under way
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait() == 0
        attacks.read_to_end(silent)
        attacks.read_to_end(halfway)
