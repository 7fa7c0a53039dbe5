"""The messages of BOLT 1 and `onion_message` of BOLT 4: frozen values with a parser and a writer.

A message is a type of two bytes and a payload. Types are divided by what a reader must do with them: a few are read
here, gossip and unknown odd types are ignored, and anything about channels is a sign that the peer takes us for
another node. Unknown even types end the connection. Odd types from 32769 on are read as `CustomMessage`, and mean
something only to an application that has agreed on one with the peer's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Self, TypeAlias

from lnoffers.bolt12 import codecs
from lnoffers.bolt12.cursor import Cursor
from lnoffers.bolt12.errors import Bolt12Error
from lnoffers.bolt12.message import Field, TlvStream
from lnoffers.bolt12.typecheck import typechecked
from lnoffers.net.errors import ChannelMessageError, Hint, LocalProtocolError, RemoteProtocolError

NO_CHANNEL: Final = bytes(32)
"""The channel id of a warning or error about the whole connection."""
NO_PONG: Final = 65532
"""The smallest `num_pong_bytes` that asks for no answer: such a pong would not fit into a message."""
FIRST_CUSTOM: Final = 1 << 15
"""The lowest of the types that BOLT 1 leaves to experiments and applications."""
_U16: Final = 2


class _InitTlvs(TlvStream):
    """The TLV stream after the features in `init`."""

    __slots__ = ()

    networks = Field(1, codecs.hashes)
    remote_addr = Field(3, codecs.byte_string)


@typechecked
@dataclass(frozen=True, slots=True)
class Init:
    """The first message of each side.

    Attributes:
        features: a bitmap; a reader gets both of the message's, merged.
        networks: hashes of the chains the node is interested in, 32 bytes each; empty if it does not say.
        remote_addr: the receiver's address as the sender sees it (an address descriptor of BOLT 7), if it says.
    """

    features: bytes
    networks: tuple[bytes, ...] = ()
    remote_addr: bytes | None = None
    type: ClassVar[int] = 16

    @classmethod
    def _read(cls, cursor: Cursor) -> Init:
        first, second = cursor.take(cursor.number(_U16)), cursor.take(cursor.number(_U16))
        tlvs = _InitTlvs.from_bytes(cursor.rest())
        length = max(len(first), len(second))
        merged = int.from_bytes(first, "big") | int.from_bytes(second, "big")
        return cls(merged.to_bytes(length, "big"), tlvs.networks or (), tlvs.remote_addr)

    def _payload(self) -> bytes:
        # All features go into the second bitmap.
        tlvs = _InitTlvs._build(networks=self.networks or None, remote_addr=self.remote_addr)
        return _sized(b"") + _sized(self.features) + tlvs.to_bytes()


@typechecked
@dataclass(frozen=True, slots=True)
class Ping:
    """A ping with `byteslen` bytes. It requests a pong with `num_pong_bytes`, or none if that is 65532 or more."""

    num_pong_bytes: int = 0
    byteslen: int = 0
    type: ClassVar[int] = 18

    @classmethod
    def _read(cls, cursor: Cursor) -> Ping:
        return cls(cursor.number(_U16), len(cursor.take(cursor.number(_U16))))

    def _payload(self) -> bytes:
        return codecs.encode_fixed(self.num_pong_bytes, _U16) + _sized(bytes(self.byteslen))


@typechecked
@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to a ping, with as many bytes as it asked for."""

    byteslen: int
    type: ClassVar[int] = 19

    @classmethod
    def _read(cls, cursor: Cursor) -> Pong:
        return cls(len(cursor.take(cursor.number(_U16))))

    def _payload(self) -> bytes:
        return _sized(bytes(self.byteslen))


@dataclass(frozen=True, slots=True)
class _Complaint:
    """A problem, in the sender's words."""

    data: bytes
    channel_id: bytes = NO_CHANNEL

    @classmethod
    def _read(cls, cursor: Cursor) -> Self:
        channel_id = cursor.take(len(NO_CHANNEL))
        return cls(cursor.take(cursor.number(_U16)), channel_id)

    @property
    def text(self) -> str:
        """The text, with escapes for bytes that are not printable ASCII."""
        return "".join(chr(byte) if 32 <= byte <= 126 else f"\\x{byte:02x}" for byte in self.data)


@typechecked
@dataclass(frozen=True, slots=True)
class PeerWarning(_Complaint):
    """A problem, in the sender's words, for which no channel has to be closed."""

    type: ClassVar[int] = 1

    def _payload(self) -> bytes:
        return self.channel_id + _sized(self.data)


@typechecked
@dataclass(frozen=True, slots=True)
class PeerError(_Complaint):
    """An error that ends a channel or, if `channel_id` is zero, all channels.

    It is never sent: we have no channels, and a peer that confuses us with a node that has some might close them.
    """

    type: ClassVar[int] = 17


@typechecked
@dataclass(frozen=True, slots=True)
class OnionMessage:
    """An onion to open or forward, and the path key for its reader, a compressed point. BOLT 4."""

    path_key: bytes
    packet: bytes
    type: ClassVar[int] = 513

    @classmethod
    def _read(cls, cursor: Cursor) -> OnionMessage:
        return cls(cursor.point(), cursor.take(cursor.number(_U16)))

    def _payload(self) -> bytes:
        return self.path_key + _sized(self.packet)


@typechecked
@dataclass(frozen=True, slots=True)
class CustomMessage:
    """A message of an application: an odd type from 32769 to 65535, which other nodes ignore, and any payload.

    Raises:
        LocalProtocolError: for another type.
    """

    type: int
    data: bytes

    def __post_init__(self) -> None:
        if not FIRST_CUSTOM < self.type < 1 << 16 or self.type % 2 == 0:
            raise LocalProtocolError(f"applications have the odd types from 32769 to 65535, and {self.type} is not one")

    def _payload(self) -> bytes:
        return self.data


PeerMessage: TypeAlias = Init | Ping | Pong | PeerWarning | PeerError | OnionMessage | CustomMessage
Sendable: TypeAlias = Init | Ping | Pong | PeerWarning | OnionMessage | CustomMessage

_READERS: Final[Mapping[int, Callable[[Cursor], PeerMessage]]] = {
    kind.type: kind._read for kind in (Init, Ping, Pong, PeerWarning, PeerError, OnionMessage)
}
_GOSSIP: Final = frozenset({256, 257, 258, 259, 261, 262, 263, 264, 265})
"""Announcements and queries of BOLT 7, which a peer may send at any time."""
OPENING: Final = frozenset({32, 64})
"""`open_channel` and `open_channel2`, which a peer may send to any node."""
_CHANNELS: Final = frozenset({2, *range(32, 256)})
"""Messages of BOLT 2, which are valid only between nodes that have or open a channel."""


@typechecked
def read_message(data: bytes) -> PeerMessage | None:
    """Return the message, or None if it must be ignored.

    Raises:
        ChannelMessageError: a RemoteProtocolError, if it is about a channel.
        RemoteProtocolError: if it cannot be read, or has an unknown even type.
    """
    if len(data) < _U16:
        raise RemoteProtocolError(f"a message of {len(data)} bytes has no room for its type", hint=Hint.WARN)
    type_ = int.from_bytes(data[:_U16], "big")
    read = _READERS.get(type_)
    if read is not None:
        try:
            return read(Cursor(data[_U16:]))  # bytes that are left over are an unknown extension
        except Bolt12Error as error:
            raise RemoteProtocolError(f"message {type_} cannot be read: {error.message}", hint=Hint.WARN) from None
    if type_ in _CHANNELS:
        raise ChannelMessageError(type_)
    if type_ % 2 == 0 and type_ not in _GOSSIP:
        raise RemoteProtocolError(
            f"message type {type_} is even, so it must be understood, and is unknown here", hint=Hint.WARN
        )
    return CustomMessage(type_, data[_U16:]) if type_ > FIRST_CUSTOM else None


@typechecked
def write_message(message: Sendable) -> bytes:
    """Return the message's bytes.

    Raises:
        LocalProtocolError: if a value does not fit its field.
    """
    try:
        return message.type.to_bytes(_U16, "big") + message._payload()
    except Bolt12Error as error:
        raise LocalProtocolError(f"{type(message).__name__} cannot be written: {error.message}") from None


def _sized(data: bytes) -> bytes:
    return codecs.encode_fixed(len(data), _U16) + data
