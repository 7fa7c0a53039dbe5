"""The messages of BOLT 1 and `onion_message` of BOLT 4: frozen values that are read from and written to bytes.

A message is a type of two bytes and a payload. Types are divided by what a reader must do with them: a few are read
here, gossip and unknown odd types are ignored, and anything about channels is a sign that the peer takes us for
another node. Unknown even types end the connection.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Self, TypeAlias

from lnoffers.bolt12 import codecs
from lnoffers.bolt12.cursor import Cursor
from lnoffers.bolt12.errors import Bolt12Error
from lnoffers.bolt12.message import Field
from lnoffers.bolt12.message import Message as TlvStream
from lnoffers.bolt12.typecheck import typechecked
from lnoffers.net.errors import ChannelMessageError, Hint, LocalProtocolError, RemoteProtocolError

NO_CHANNEL: Final = bytes(32)
"""The channel id of a warning or error that is about the connection as a whole."""
NO_PONG: Final = 65532
"""The least `num_pong_bytes` that asks for no answer: a pong that long would not fit a message."""
_U16: Final = 2


class InitTlvs(TlvStream):
    """What follows the features in `init`."""

    __slots__ = ()

    networks = Field(1, codecs.hashes)
    remote_addr = Field(3, codecs.byte_string)

    @classmethod
    @typechecked
    def from_bytes(cls, data: bytes) -> Self:
        """Read the stream. Raises Bolt12Error."""
        return cls._read(data)

    @classmethod
    @typechecked
    def build(cls, networks: tuple[bytes, ...], remote_addr: bytes | None) -> Self:
        """Make the stream. Raises Bolt12Error if a chain's hash does not have 32 bytes."""
        return cls._build(networks=networks or None, remote_addr=remote_addr)


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
    @typechecked
    def read(cls, cursor: Cursor) -> Init:
        """Read the payload. Raises Bolt12Error."""
        first, second = cursor.take(cursor.number(_U16)), cursor.take(cursor.number(_U16))
        tlvs = InitTlvs.from_bytes(cursor.rest())
        length = max(len(first), len(second))
        merged = int.from_bytes(first, "big") | int.from_bytes(second, "big")
        return cls(merged.to_bytes(length, "big"), tlvs.networks or (), tlvs.remote_addr)

    def payload(self) -> bytes:
        """Write the payload; all features go into the second bitmap."""
        return _sized(b"") + _sized(self.features) + InitTlvs.build(self.networks, self.remote_addr).to_bytes()


@typechecked
@dataclass(frozen=True, slots=True)
class Ping:
    """Asks for a pong of `num_pong_bytes`, or for none if that is 65532 or more, and carries `byteslen` bytes."""

    num_pong_bytes: int = 0
    byteslen: int = 0
    type: ClassVar[int] = 18

    @classmethod
    @typechecked
    def read(cls, cursor: Cursor) -> Ping:
        """Read the payload. Raises Bolt12Error."""
        return cls(cursor.number(_U16), len(cursor.take(cursor.number(_U16))))

    def payload(self) -> bytes:
        """Write the payload."""
        return codecs.encode_fixed(self.num_pong_bytes, _U16) + _sized(bytes(self.byteslen))


@typechecked
@dataclass(frozen=True, slots=True)
class Pong:
    """Answers a ping with as many bytes as it asked for."""

    byteslen: int
    type: ClassVar[int] = 19

    @classmethod
    @typechecked
    def read(cls, cursor: Cursor) -> Pong:
        """Read the payload. Raises Bolt12Error."""
        return cls(len(cursor.take(cursor.number(_U16))))

    def payload(self) -> bytes:
        """Write the payload."""
        return _sized(bytes(self.byteslen))


@typechecked
@dataclass(frozen=True, slots=True)
class PeerWarning:
    """Something is wrong, in the sender's words, but no channel has to be closed for it."""

    data: bytes
    channel_id: bytes = NO_CHANNEL
    type: ClassVar[int] = 1

    @classmethod
    @typechecked
    def read(cls, cursor: Cursor) -> PeerWarning:
        """Read the payload. Raises Bolt12Error."""
        channel_id = cursor.take(len(NO_CHANNEL))
        return cls(cursor.take(cursor.number(_U16)), channel_id)

    def payload(self) -> bytes:
        """Write the payload."""
        return self.channel_id + _sized(self.data)

    @property
    def text(self) -> str:
        """The words, with escapes for all bytes that are not printable ASCII."""
        return _printable(self.data)


@typechecked
@dataclass(frozen=True, slots=True)
class PeerError:
    """The sender gives up on a channel, or, if `channel_id` is zero, on all of them.

    It can be read only. We have no channels, and a peer that takes us for a node that has some might close them.
    """

    data: bytes
    channel_id: bytes = NO_CHANNEL
    type: ClassVar[int] = 17

    @classmethod
    @typechecked
    def read(cls, cursor: Cursor) -> PeerError:
        """Read the payload. Raises Bolt12Error."""
        channel_id = cursor.take(len(NO_CHANNEL))
        return cls(cursor.take(cursor.number(_U16)), channel_id)

    @property
    def text(self) -> str:
        """The words, with escapes for all bytes that are not printable ASCII."""
        return _printable(self.data)


@typechecked
@dataclass(frozen=True, slots=True)
class OnionMessage:
    """An onion to open or pass on, and the path key that its reader needs, a compressed point. BOLT 4."""

    path_key: bytes
    packet: bytes
    type: ClassVar[int] = 513

    @classmethod
    @typechecked
    def read(cls, cursor: Cursor) -> OnionMessage:
        """Read the payload. Raises Bolt12Error."""
        return cls(cursor.point(), cursor.take(cursor.number(_U16)))

    def payload(self) -> bytes:
        """Write the payload."""
        return self.path_key + _sized(self.packet)


Message: TypeAlias = Init | Ping | Pong | PeerWarning | PeerError | OnionMessage
Sendable: TypeAlias = Init | Ping | Pong | PeerWarning | OnionMessage

_READERS: Final[Mapping[int, Callable[[Cursor], Message]]] = {
    kind.type: kind.read for kind in (Init, Ping, Pong, PeerWarning, PeerError, OnionMessage)
}
_GOSSIP: Final = frozenset({256, 257, 258, 259, 261, 262, 263, 264, 265})
"""Announcements and queries of BOLT 7, which a peer may send unasked."""
_CHANNELS: Final = frozenset({2, *range(32, 256)})
"""Messages of BOLT 2, which only make sense between nodes that have, or want, a channel."""


@typechecked
def read_message(data: bytes) -> Message | None:
    """Return the message; None for one to be ignored.

    Raises RemoteProtocolError if it cannot be read, or has an unknown even type; ChannelMessageError, one of those, if
    it is about a channel.
    """
    if len(data) < _U16:
        raise RemoteProtocolError(f"a message of {len(data)} bytes has no room for its type", hint=Hint.WARN)
    type_ = int.from_bytes(data[:_U16], "big")
    read = _READERS.get(type_)
    if read is not None:
        try:
            return read(Cursor(data[_U16:]))  # a message may be extended, and whoever does not know how may ignore it
        except Bolt12Error as error:
            raise RemoteProtocolError(f"message {type_} cannot be read: {error.message}", hint=Hint.WARN) from None
    if type_ in _CHANNELS:
        raise ChannelMessageError(type_)
    if type_ % 2 == 0 and type_ not in _GOSSIP:
        raise RemoteProtocolError(
            f"message type {type_} is even, so it must be understood, and is unknown here", hint=Hint.WARN
        )
    return None


@typechecked
def write_message(message: Sendable) -> bytes:
    """Return the message's bytes. Raises LocalProtocolError if a part does not fit its place."""
    try:
        return message.type.to_bytes(_U16, "big") + message.payload()
    except Bolt12Error as error:
        raise LocalProtocolError(f"{type(message).__name__} cannot be written: {error.message}") from None


def _sized(data: bytes) -> bytes:
    return codecs.encode_fixed(len(data), _U16) + data


def _printable(data: bytes) -> str:
    return "".join(chr(byte) if 32 <= byte <= 126 else f"\\x{byte:02x}" for byte in data)
