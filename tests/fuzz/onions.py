"""What must hold for whatever a peer sends as an onion: it is opened, or refused by one of our own errors.

No fuzzer guesses an HMAC, and most of the code is behind one. So each input is also put *into* an onion: as a layer,
and as the data of a path, sealed for the node that opens it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from lnoffers.net import onion
from lnoffers.net.blinding import Hop, blind
from lnoffers.net.errors import Hint, RemoteProtocolError
from lnoffers.net.messages import OnionMessage, read_message, write_message
from lnoffers.net.offer_messages import read_reply
from lnoffers.net.onion_messages import Forward, Payload, ReceivedMessage, open_message
from tests.fuzz.seeds import OTHER, SELF

T = TypeVar("T")

SESSION_KEY: Final = bytes([5]) * 32


def check_packet(data: bytes) -> None:
    """Check a packet, as Core Lightning's `handle_onion_message` takes it, and what may be inside one."""
    _attempt(lambda: onion.peel(SELF, data))
    _attempt(lambda: open_message(SELF, OnionMessage(OTHER.public_key, data)))
    data = data[: onion.LARGE - 200]
    path = blind(SESSION_KEY, [Hop(SELF.public_key, b"")])
    _open(path.first_path_key, [(path.hops[0].blinded_node_id, data)])
    sealed = Payload.build().for_hop(path.hops[0].encrypted_recipient_data)
    _open(path.first_path_key, [(path.hops[0].blinded_node_id, sealed + data)])
    told = blind(SESSION_KEY, [Hop(SELF.public_key, data)])
    layer = Payload.build().for_hop(told.hops[0].encrypted_recipient_data)
    for more in ([], [(OTHER.public_key, b"to you")]):
        _open(told.first_path_key, [(told.hops[0].blinded_node_id, layer), *more])


def check_wire(payload: bytes) -> None:
    """Check the payload of `onion_message`, as Core Lightning's `wire-onion_message` takes it, and any message."""
    for data in (payload, b"\x02\x01" + payload):
        try:
            message = read_message(data)
        except RemoteProtocolError as error:
            if error.hint is Hint.DROP:  # a message that cannot be read is its peer's fault
                raise
            continue
        if isinstance(message, OnionMessage):
            assert data.startswith(write_message(message))
            _attempt(lambda message=message: open_message(SELF, message))  # type: ignore[misc]


def _open(path_key: bytes, layers: list[tuple[bytes, bytes]]) -> None:
    opened = _attempt(
        lambda: open_message(SELF, OnionMessage(path_key, onion.create(SESSION_KEY, layers, onion.LARGE)))
    )
    match opened:
        case Forward(_, message):
            assert len(message.packet) == onion.LARGE + onion.OVERHEAD
            assert read_message(write_message(message)) == message
        case ReceivedMessage() as received:
            _attempt(lambda: read_reply(received))


def _attempt(act: Callable[[], T]) -> T | None:
    try:
        return act()
    except RemoteProtocolError as error:
        if error.hint is not Hint.DROP:  # nobody is to blame for an onion
            raise
        return None
