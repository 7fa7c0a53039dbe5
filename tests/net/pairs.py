"""Two ends of a connection without a network between them."""

from __future__ import annotations

from lnoffers.bolt12 import CHAINS
from lnoffers.bolt12.curve import KeyPair
from lnoffers.net.connection import Event, PeerConnection
from lnoffers.net.features import OFFERED
from lnoffers.net.messages import Init

REGTEST = CHAINS["regtest"]
INIT = Init(OFFERED, (REGTEST,))
ALICE, BOB = KeyPair(b"A" * 32), KeyPair(b"B" * 32)
ALICES_EPHEMERAL, BOBS_EPHEMERAL = KeyPair(b"a" * 32), KeyPair(b"b" * 32)


def initiator(init: Init = INIT, to: bytes = BOB.public_key) -> PeerConnection:
    """Return Alice, who connects."""
    return PeerConnection.initiate(ALICE, ALICES_EPHEMERAL, to, init)


def responder(init: Init = INIT) -> PeerConnection:
    """Return Bob, who listens."""
    return PeerConnection.respond(BOB, BOBS_EPHEMERAL, init)


def events(connection: PeerConnection) -> list[Event]:
    """Return all events so far."""
    found = []
    while (event := connection.next_event()) is not None:
        found.append(event)
    return found


def carry(source: PeerConnection, target: PeerConnection) -> list[Event]:
    """Bring what the one has to send to the other; what happens there."""
    data = source.data_to_send()
    if data:
        target.receive_data(data)
    return events(target)


def pair(first: Init = INIT, second: Init = INIT) -> tuple[PeerConnection, PeerConnection]:
    """Return two ends that have exchanged `init`."""
    alice, bob = initiator(first), responder(second)
    for source, target in ((alice, bob), (bob, alice), (alice, bob), (bob, alice)):
        carry(source, target)
    return alice, bob
