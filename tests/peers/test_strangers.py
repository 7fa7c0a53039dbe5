"""What nodes that nobody knows can do to a server: nothing that costs it more than its limits say."""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Sequence

import pytest

from clnrpc import RpcError
from lnoffers.bolt12 import CHAINS
from lnoffers.net.blinding import message_path
from lnoffers.net.connection import PeerError, PeerWarning
from lnoffers.net.errors import RemoteProtocolError
from lnoffers.net.messages import OnionMessage, Ping, Pong
from lnoffers.net.onion_messages import Payload, ReceivedMessage, open_message, wrap
from lnoffers.service.peers import Link, Peers, peers
from lnoffers.service.peers.link import READ_BURST, READ_BYTES
from lnoffers.service.peers.peers import MAX_WARNINGS
from tests.peers.conftest import Start
from tests.peers.stranger import REGTEST, connected, dialed, key
from tests.peers.test_link import ends
from tests.service.program import until

CHANNEL_REESTABLISH = (136).to_bytes(2, "big") + bytes(112)


def test_a_message_is_forwarded_to_a_node_that_is_connected(start: Start) -> None:
    middle = start()
    with connected(key(1), middle.id, middle.port) as one, connected(key(2), middle.id, middle.port) as two:
        until(lambda: len(middle.peers()) == 2)
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
        until(served.peers)
        with connected(key(1), served.id, served.port) as newer:
            assert older.wire.recv(1) == b""
            newer.send(Ping(3))
            assert newer.event() == Pong(3)
            assert served.peers() == {key(1).public_key.hex()}


def test_who_connects_and_takes_the_node_for_another_one_gets_no_error_and_is_shut_out(start: Start) -> None:
    served = start()
    with connected(key(1), served.id, served.port) as other, connected(key(2), served.id, served.port) as one:
        until(lambda: len(served.peers()) == 2)
        one.send_raw(CHANNEL_REESTABLISH)
        while (event := one.event()) is not None:
            assert not isinstance(event, PeerError | PeerWarning)
        until(lambda: served.log().count("is shut out") == 1)
        with pytest.raises((OSError, AssertionError)), connected(key(2), served.id, served.port):
            pytest.fail("it got an init")
        with pytest.raises(RpcError, match="about a channel"):
            served.client.connect(f"{key(2).public_key.hex()}@127.0.0.1:9")
        other.send(Ping(3))
        assert other.event() == Pong(3)
        assert served.peers() == {key(1).public_key.hex()}
    served.await_log("Use another one here")


def test_only_the_first_node_that_is_shut_out_is_logged_as_a_warning(start: Start) -> None:
    served = start()
    for number in (1, 2):
        with connected(key(number), served.id, served.port) as one:
            one.send_raw(CHANNEL_REESTABLISH)
            while one.event() is not None:
                pass
        until(lambda number=number: served.log().count("is shut out") == number)
    assert served.log().count(" WARNING ") == 1


def test_who_was_connected_to_and_takes_the_node_for_another_one_ends_all_connections(start: Start) -> None:
    served = start()
    with connected(key(1), served.id, served.port) as other, dialed(key(2), served.client) as one:
        until(lambda: len(served.peers()) == 2)
        one.send_raw(CHANNEL_REESTABLISH)
        for stranger in (one, other):
            while (event := stranger.event()) is not None:
                assert not isinstance(event, PeerError | PeerWarning)
    until(lambda: served.peers() == set())
    with pytest.raises(RpcError, match="about a channel"):
        served.client.connect(f"{key(3).public_key.hex()}@127.0.0.1:9")
    with pytest.raises((OSError, AssertionError)), connected(key(4), served.id, served.port):
        pass
    served.await_log("Use another one here")


def test_a_node_of_another_chain_is_refused(start: Start) -> None:
    served = start()
    with (
        pytest.raises((AssertionError, RemoteProtocolError)),
        connected(key(1), served.id, served.port, CHAINS["signet"]),
    ):
        pass
    assert served.peers() == set()


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
        until(served.peers)
        one.send_pings(200, pong_length=65_000)  # whose pongs nobody reads
        one.send_raw(b"\0\x10")  # init again, cut short
        until(lambda: not served.peers())


def test_one_open_channel_message_closes_its_own_connection_only(start: Start) -> None:
    served = start()
    with connected(key(1), served.id, served.port) as other, connected(key(2), served.id, served.port) as one:
        until(lambda: len(served.peers()) == 2)
        one.send_raw((32).to_bytes(2, "big") + bytes(100))
        until(lambda: served.peers() == {key(1).public_key.hex()})
        other.send(Ping(3))
        assert other.event() == Pong(3)


def test_a_peers_words_do_not_fill_the_log(start: Start) -> None:
    served = start()
    with connected(key(1), served.id, served.port) as one:
        for _ in range(100):
            one.send_raw((1).to_bytes(2, "big") + bytes(32) + (5).to_bytes(2, "big") + b"howdy")
        one.send_raw((17).to_bytes(2, "big") + bytes(32) + (60_000).to_bytes(2, "big") + b"\n" * 60_000)
        until(lambda: not served.peers())
    log = served.log()
    assert log.count("howdy") == MAX_WARNINGS
    assert max(map(len, log.splitlines())) < 1_000


def shut_out_in_turn(numbers: Sequence[int]) -> Peers:
    """Return the peers of a node that has shut out nodes with these keys."""

    async def run() -> Peers:
        ours = Peers(key(9), REGTEST, lambda _, __: None)
        async with ends() as both:
            for number in numbers:
                link = Link(both.ours, None)
                link.node_id = key(number).public_key  # type: ignore[misc]
                ours._shut_out_node(link, "a reason")
        return ours

    return asyncio.run(run())


def test_the_latest_nodes_that_were_shut_out_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peers, "MAX_SHUT_OUT", 2)
    ours = shut_out_in_turn([1, 2, 3])
    assert [ours._unavailable(key(number).public_key) for number in (1, 2, 3)] == ["", "a reason", "a reason"]


def test_a_node_that_is_shut_out_loses_a_newer_connection_too() -> None:
    async def run() -> str:
        ours = Peers(key(1), REGTEST, lambda _, __: None)
        async with ends() as one, ends() as two:
            older, newer = ours._add(one.ours, None), ours._add(two.ours, None)
            ours._shut_out_node(older, "a reason")
            two.theirs.abort()  # which otherwise would end it
            await newer.closed()
            return newer.why_ended

    assert asyncio.run(run()) == "this node closed the connection"
