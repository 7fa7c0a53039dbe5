"""No secret is shown by the repr of anything, or told by an error."""

from __future__ import annotations

from collections.abc import Iterator
from pickle import dumps, loads

import pytest

from lnoffers.bolt12.curve import KeyPair
from lnoffers.net.errors import ChannelMessageError, Hint, LocalProtocolError, RemoteProtocolError, WireError
from lnoffers.net.frames import FrameReader
from lnoffers.net.handshake import Initiator, Responder
from tests.net.pairs import ALICE, ALICES_EPHEMERAL, BOB, BOBS_EPHEMERAL, initiator, pair

CHAINING_KEY, KEY = b"C" * 32, b"K" * 32


def inside(thing: object) -> Iterator[object]:
    """Yield an object and all objects inside it."""
    yield thing
    for name in getattr(type(thing), "__slots__", ()):
        yield from inside(getattr(thing, name))


def test_nothing_shows_a_key() -> None:
    alice, bob = pair()
    things = [initiator(), alice, bob, Initiator(ALICE, ALICES_EPHEMERAL, BOB.public_key)]
    things += [Responder(BOB, BOBS_EPHEMERAL), FrameReader(CHAINING_KEY, KEY)]  # type: ignore[list-item]
    everything = [part for thing in things for part in inside(thing)]
    secrets = {part for part in everything if isinstance(part, bytes) and len(part) == 32}
    assert {CHAINING_KEY, KEY} <= secrets
    assert len(secrets) > 8
    shown = " ".join(repr(part) for part in everything if not isinstance(part, bytes | bytearray))
    for secret in (*secrets, b"A" * 32, b"B" * 32, b"a" * 32, b"b" * 32):
        assert secret.hex() not in shown
        assert repr(secret) not in shown


def test_an_error_is_somebodys_fault() -> None:
    with pytest.raises(TypeError, match="or RemoteProtocolError instead"):
        WireError("whose?")
    assert issubclass(LocalProtocolError, WireError)
    assert issubclass(RemoteProtocolError, WireError)


def test_errors_pass_between_processes() -> None:
    dropped = loads(dumps(RemoteProtocolError("why", hint=Hint.DROP)))
    assert (dropped.message, dropped.hint) == ("why", Hint.DROP)
    channel = loads(dumps(ChannelMessageError(136)))
    assert (channel.type, channel.hint) == (136, Hint.CLOSE)


def test_a_key_pair_can_be_a_node_key_without_being_shown() -> None:
    assert b"A" * 32 not in repr(KeyPair(b"A" * 32)).encode()
