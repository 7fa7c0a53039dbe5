"""A connection: the order of things, for peers that keep to it."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnoffers.bolt12 import CHAINS
from lnoffers.net.connection import Authenticated, Closed, Ready
from lnoffers.net.errors import LocalProtocolError
from lnoffers.net.features import OFFERED
from lnoffers.net.frames import ROTATION
from lnoffers.net.messages import NO_PONG, Init, OnionMessage, PeerError, PeerWarning, Ping, Pong
from lnoffers.net.states import TRANSITIONS, State, Step, has_ended
from tests.net.pairs import ALICE, BOB, INIT, carry, events, initiator, pair, responder

ONION = OnionMessage(ALICE.public_key, bytes(1_366))


def test_both_sides_learn_who_the_other_is_and_what_it_knows() -> None:
    alice, bob = initiator(Init(OFFERED)), responder()
    assert (alice.peer_id, bob.peer_id) == (None, None)
    assert carry(alice, bob) == []
    assert carry(bob, alice) == [Authenticated(BOB.public_key)]
    assert carry(alice, bob) == [Authenticated(ALICE.public_key), Ready(Init(OFFERED))]
    assert carry(bob, alice) == [Ready(INIT)]
    assert (alice.peer_id, bob.peer_id) == (BOB.public_key, ALICE.public_key)
    assert alice.state is bob.state is State.OPEN


@given(st.lists(st.integers(1, 100), min_size=1))
def test_what_happens_does_not_depend_on_how_the_bytes_are_cut(cuts: list[int]) -> None:
    alice, bob = initiator(), responder()
    carry(alice, bob)
    carry(bob, alice)
    alice_says = alice.data_to_send()
    for size in cuts:
        bob.receive_data(alice_says[:size] or b"?")
        alice_says = alice_says[size:]
        if not alice_says:
            return
        events(bob)
    bob.receive_data(alice_says)
    events(bob)
    assert bob.state is State.OPEN


def test_messages_go_both_ways_past_several_changes_of_the_keys() -> None:
    alice, bob = pair()
    for _ in range(ROTATION):  # two texts a message: each key changes twice
        alice.send(ONION)
        bob.send(PeerWarning(b"slow down"))
        assert carry(alice, bob) == [ONION]
        assert carry(bob, alice) == [PeerWarning(b"slow down")]


@pytest.mark.parametrize("wanted", [0, 1, 1_000, NO_PONG - 1])
def test_a_ping_is_answered_with_as_many_bytes_as_it_wants(wanted: int) -> None:
    alice, bob = pair()
    alice.send(Ping(wanted, byteslen=65_529 if wanted == 1 else 0))
    [ping] = carry(alice, bob)
    assert isinstance(ping, Ping)
    assert carry(bob, alice) == [Pong(wanted)]


@pytest.mark.parametrize("wanted", [NO_PONG, 65_535])
def test_a_ping_for_more_than_fits_is_not_answered(wanted: int) -> None:
    alice, bob = pair()
    alice.send(Ping(wanted))
    alice.send(Ping(wanted))
    assert carry(alice, bob) == [Ping(wanted), Ping(wanted)]
    assert bob.data_to_send() == b""


def test_one_pong_is_waited_for_at_a_time() -> None:
    alice, bob = pair()
    alice.send(Ping(1))
    with pytest.raises(LocalProtocolError, match="has not arrived"):
        alice.send(Ping(2))
    carry(alice, bob)
    carry(bob, alice)
    alice.send(Ping(2))


def test_a_pong_that_nobody_waits_for_is_ignored() -> None:
    alice, bob = pair()
    for message in (Pong(0), Pong(7)):
        bob._write(message)
        assert carry(bob, alice) == []
    alice.send(Ping(1))
    bob._write(Pong(2))
    assert carry(bob, alice) == []


def test_gossip_and_unknown_odd_messages_are_nothing_that_happens() -> None:
    alice, bob = pair()
    assert bob._established is not None
    frames = [bob._established.writer.frame(type_.to_bytes(2, "big") + bytes(300)) for type_ in (256, 258, 265, 999)]
    alice.receive_data(b"".join(frames))
    assert events(alice) == []
    assert alice.state is State.OPEN


def test_an_error_is_for_the_program_to_judge() -> None:
    alice, bob = pair()
    assert bob._established is not None
    alice.receive_data(bob._established.writer.frame(b"\0\x11" + bytes(32) + b"\0\2no"))
    assert events(alice) == [PeerError(b"no")]
    assert alice.data_to_send() == b""


def test_a_peer_may_close_between_two_messages() -> None:
    alice, bob = pair()
    bob.send(ONION)
    alice.receive_data(bob.data_to_send())
    alice.receive_data(b"")
    assert events(alice) == [ONION, Closed()]
    assert alice.state is State.CLOSED
    alice.receive_data(b"more")
    assert events(alice) == []


def test_nothing_is_sent_before_the_peers_init_and_after_the_end() -> None:
    alice, bob = initiator(), responder()
    for connection in (alice, bob):
        with pytest.raises(LocalProtocolError, match="not possible in the state AWAITING"):
            connection.send(Ping())
    carry(alice, bob)
    carry(bob, alice)
    assert alice.state is State.AWAITING_INIT
    with pytest.raises(LocalProtocolError):
        alice.send(Ping())
    alice, bob = pair()
    alice.close()
    alice.close()
    with pytest.raises(LocalProtocolError, match="CLOSED"):
        alice.send(Ping())


def test_cannot_connect_to_what_is_no_point() -> None:
    with pytest.raises(LocalProtocolError, match="not a point"):
        initiator(to=b"\x02" + b"\xff" * 32)


@pytest.mark.parametrize(
    ("mine", "theirs"), list(product([(CHAINS["regtest"],), (), (CHAINS["bitcoin"], CHAINS["regtest"])], repeat=2))
)
def test_nodes_that_share_a_chain_or_name_none_get_on(mine: tuple[bytes, ...], theirs: tuple[bytes, ...]) -> None:
    alice, bob = pair(Init(OFFERED, mine), Init(OFFERED, theirs))
    assert alice.state is bob.state is State.OPEN


def test_every_state_but_the_first_is_reached_and_every_one_but_the_last_is_left() -> None:
    reached = {after for moves in TRANSITIONS.values() for after in moves.values()}
    left = {before for moves in TRANSITIONS.values() for before in moves}
    first = {State.AWAITING_ACT_ONE, State.AWAITING_ACT_TWO}
    assert reached == set(State) - first
    assert left == {state for state in State if not has_ended(state)}
    assert set(TRANSITIONS) == set(Step)
