"""Peers that break the rules: each is dropped with a reason, at once, and costs a bounded amount."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnoffers.bolt12 import CHAINS
from lnoffers.bolt12.features import bitmap
from lnoffers.net.connection import MAX_BUFFER, PeerConnection
from lnoffers.net.errors import ChannelMessageError, Hint, LocalProtocolError, RemoteProtocolError
from lnoffers.net.features import OFFERED
from lnoffers.net.frames import MAX_FRAME, MAX_MESSAGE
from lnoffers.net.handshake import Initiator
from lnoffers.net.messages import Init, OnionMessage, PeerWarning, Ping
from lnoffers.net.states import State
from tests.net.pairs import ALICE, ALICES_EPHEMERAL, BOB, carry, events, initiator, pair, responder


def refusal(connection: PeerConnection, data: bytes) -> RemoteProtocolError:
    """Return the error for these bytes; after it, the connection must accept nothing more."""
    connection.receive_data(data)
    with pytest.raises(RemoteProtocolError) as caught:
        events(connection)
    assert connection.state is State.FAILED
    connection.receive_data(bytes(200))
    assert events(connection) == []
    with pytest.raises(LocalProtocolError):
        connection.send(Ping())
    return caught.value


def said(connection: PeerConnection, payload: bytes) -> bytes:
    """Return the frame of any payload, as this end would send it."""
    assert connection._established is not None
    return connection._established.writer.frame(payload)


def at_each_stage() -> list[PeerConnection]:
    """Return connections that wait for each act, and for init."""
    fresh = [responder(), initiator()]
    alice, bob = initiator(), responder()
    carry(alice, bob)
    late_alice, late_bob = initiator(), responder()
    carry(late_alice, late_bob)
    carry(late_bob, late_alice)
    stages = [*fresh, bob, late_alice]
    for connection in stages:
        connection.data_to_send()
    return stages


# ---- the handshake


@given(st.integers(0, 3), st.binary(min_size=66, max_size=200))
def test_garbage_at_any_stage_of_the_handshake_ends_it_without_a_word(stage: int, data: bytes) -> None:
    connection = at_each_stage()[stage]
    assert refusal(connection, data).hint is Hint.CLOSE
    assert connection.data_to_send() == b""


@given(st.integers(0, 49), st.integers(0, 7), st.integers(0, 65))
def test_an_act_with_any_bit_changed_ends_the_handshake(place: int, bit: int, late: int) -> None:
    alice, bob = initiator(), responder()
    act_one = bytearray(alice.data_to_send())
    changed = bytearray(act_one)
    changed[place] ^= 1 << bit
    refusal(responder(), bytes(changed))
    bob.receive_data(bytes(act_one))
    events(bob)
    act_two = bytearray(bob.data_to_send())
    changed = bytearray(act_two)
    changed[place] ^= 1 << bit
    refusal(initiator(), bytes(changed))
    alice.receive_data(bytes(act_two))
    events(alice)
    act_three = bytearray(alice.data_to_send()[:66])
    act_three[late] ^= 1 << bit
    refusal(bob, bytes(act_three))


class Impostor:
    """Somebody whose id is no point."""

    public_key = b"\x04" + bytes(32)

    def shared_secret(self, point: bytes, /) -> bytes:
        return ALICE.shared_secret(point)


def test_a_node_id_that_is_no_point_ends_the_handshake() -> None:
    impostor, bob = Initiator(Impostor(), ALICES_EPHEMERAL, BOB.public_key), responder()
    bob.receive_data(impostor.act_one())
    events(bob)
    act_three, _ = impostor.read_act_two(bob.data_to_send())
    assert "names a node id that is not a point" in refusal(bob, act_three).message


def test_an_act_that_never_gets_whole_says_nothing_and_its_end_is_a_fault() -> None:
    for connection in at_each_stage():
        for _ in range(17):
            connection.receive_data(b"\0")
            assert events(connection) == []
        assert "closed the connection in the state AWAITING" in refusal(connection, b"").message


def test_an_act_sent_twice_ends_the_handshake() -> None:
    bob = responder()
    act_one = initiator().data_to_send()
    assert "version" not in refusal(bob, act_one + act_one + bytes(66)).message


# ---- init


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        (b"", "no room for its type"),
        (b"\0", "no room for its type"),
        (b"\0\x10", "cannot be read"),
        (b"\0\x12\0\0\0\0", "first message is not init"),
        (b"\0\x07", "first message is not init"),
        (b"\0\x10" + b"\0\0" + b"\0\x01\x04", "requires feature 2"),
        (b"\0\x10" + b"\0\x01\x04" + b"\0\0", "requires feature 2"),
        (b"\0\x10\0\0\0\0" + b"\x01\x20" + CHAINS["bitcoin"], "none of our chains"),
        (b"\0\x10\0\0\0\0" + b"\x01\x1f" + bytes(31), "whole number of 32-byte hashes"),
    ],
)
def test_a_first_message_that_is_no_good_init_ends_the_connection(payload: bytes, why: str) -> None:
    alice, bob = Initiator(ALICE, ALICES_EPHEMERAL, BOB.public_key), responder()
    bob.receive_data(alice.act_one())
    events(bob)
    act_three, established = alice.read_act_two(bob.data_to_send())
    bob.receive_data(act_three)
    events(bob)
    assert why in refusal(bob, established.writer.frame(payload)).message


def test_a_peer_that_needs_what_is_unknown_here_is_told_why() -> None:
    demanding = Init(bitmap([2]))
    alice, bob = initiator(demanding), responder()
    carry(alice, bob)
    carry(bob, alice)
    with pytest.raises(RemoteProtocolError):
        carry(alice, bob)
    alice.receive_data(bob.data_to_send())
    *_, warning = events(alice)
    assert isinstance(warning, PeerWarning)
    assert warning.text == "the peer requires feature 2, which is unknown here"


def test_init_comes_once() -> None:
    alice, bob = pair()
    assert "init again" in refusal(bob, said(alice, b"\0\x10\0\0\0\0")).message


# ---- messages


def test_a_changed_frame_ends_the_connection_without_a_word() -> None:
    for place in (0, 17, 18, 40):
        alice, bob = pair()
        frame = bytearray(said(alice, bytes.fromhex("0012") + bytes(30)))
        frame[place] ^= 1
        error = refusal(bob, bytes(frame))
        assert "wrong tag" in error.message
        assert error.hint is Hint.CLOSE
        assert bob.data_to_send() == b""


def test_a_frame_sent_twice_left_out_or_sent_back_ends_the_connection() -> None:
    alice, bob = pair()
    frame = said(alice, b"\0\x12\0\0\0\0")
    bob.receive_data(frame)
    events(bob)
    assert "wrong tag" in refusal(bob, frame).message
    alice, bob = pair()
    said(alice, b"\0\x12\0\0\0\0")
    assert "wrong tag" in refusal(bob, said(alice, b"\0\x12\0\0\0\0")).message
    alice, bob = pair()
    assert "wrong tag" in refusal(alice, said(alice, b"\0\x12\0\0\0\0")).message


def test_a_connection_cut_within_a_message_is_a_fault() -> None:
    for size in (1, 17, 18, 30):
        alice, bob = pair()
        bob.receive_data(said(alice, bytes.fromhex("0012") + bytes(30))[:size])
        assert events(bob) == []
        assert "within a message" in refusal(bob, b"").message


def test_messages_of_every_size_are_taken() -> None:
    alice, bob = pair()
    for size in (2, 1_000, MAX_MESSAGE):
        bob.receive_data(said(alice, b"\x7f\xff" + bytes(size - 2)))
        assert events(bob) == []
    with pytest.raises(LocalProtocolError, match="at most 65535"):
        said(alice, bytes(MAX_MESSAGE + 1))
    assert "no room" in refusal(bob, said(alice, b"")).message


@pytest.mark.parametrize("type_", [0, 20, 514, 32_768])
def test_an_unknown_even_message_ends_the_connection_with_a_warning(type_: int) -> None:
    alice, bob = pair()
    assert "is even" in refusal(bob, said(alice, type_.to_bytes(2, "big"))).message
    [warning] = carry(bob, alice)
    assert isinstance(warning, PeerWarning)
    assert str(type_) in warning.text


@pytest.mark.parametrize("type_", [32, 136])
def test_a_message_about_a_channel_ends_the_connection_without_a_word(type_: int) -> None:
    alice, bob = pair()
    error = refusal(bob, said(alice, type_.to_bytes(2, "big") + bytes(100)))
    assert isinstance(error, ChannelMessageError)
    assert bob.data_to_send() == b""


def test_a_program_that_does_not_read_events_cannot_fill_the_memory() -> None:
    alice, bob = pair()
    frames = b"".join(said(alice, b"\x7f\xff" + bytes(MAX_MESSAGE - 2)) for _ in range(3))
    bob.receive_data(frames)
    assert len(frames) > MAX_BUFFER
    with pytest.raises(LocalProtocolError, match="call next_event"):
        bob.receive_data(b"more")
    assert events(bob) == []
    bob.receive_data(b"more")


def test_no_more_than_a_frame_and_a_read_is_ever_held() -> None:
    alice, bob = pair()
    stream = b"".join(said(alice, b"\x7f\xff" + bytes(MAX_MESSAGE - 2)) for _ in range(4))
    held = 0
    for start in range(0, len(stream), 4_096):
        bob.receive_data(stream[start : start + 4_096])
        events(bob)
        held = max(held, len(bob._buffer))
    assert held < MAX_FRAME + 4_096


@given(st.binary(max_size=300))
def test_any_message_is_an_event_nothing_or_a_fault(payload: bytes) -> None:
    alice, bob = pair()
    bob.receive_data(said(alice, payload))
    try:
        found = events(bob)
    except RemoteProtocolError:
        assert bob.state is State.FAILED
    else:
        assert len(found) <= 1
        assert bob.state is State.OPEN


def test_a_thousand_pings_make_no_more_than_a_thousand_pongs() -> None:
    alice, bob = pair(Init(OFFERED), Init(OFFERED))
    for _ in range(1_000):
        bob.receive_data(said(alice, b"\0\x12\0\0\0\0"))
        assert len(events(bob)) == 1
        assert len(bob.data_to_send()) == 18 + 4 + 16


def test_an_onion_for_no_point_ends_the_connection() -> None:
    alice, bob = pair()
    alice.send(OnionMessage(ALICE.public_key, b""))
    assert len(carry(alice, bob)) == 1
    assert "no compressed point" in refusal(bob, said(alice, b"\x02\x01" + bytes(33) + b"\0\0")).message
