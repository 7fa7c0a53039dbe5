"""Onion messages of BOLT 4: an onion along a blinded path, whose last layer contains the message.

Each node gets the path key and the packet. It decrypts its layer with its own key. The layer contains its data of the
blinded path, which name the next node or say that the message is for this node. A node cannot answer the sender. So a
message that breaks a rule is dropped, and all errors here have that hint.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self, TypeAlias

from lnoffers.bolt12 import codecs
from lnoffers.bolt12.blinded_paths import BlindedPath, path_to_json
from lnoffers.bolt12.codecs import Codec
from lnoffers.bolt12.errors import Bolt12Error
from lnoffers.bolt12.message import Field, TlvStream
from lnoffers.bolt12.typecheck import typechecked
from lnoffers.net import onion
from lnoffers.net.blinding import blinding_factor, next_path_key, unblind
from lnoffers.net.crypto import NodeKey
from lnoffers.net.errors import Hint, RemoteProtocolError
from lnoffers.net.hop_data import HopData
from lnoffers.net.messages import OnionMessage

MAX_REPLY_HOPS: Final = 20
"""The most hops of a reply path that we accept. It is more than fit into a small onion or than anybody uses."""
_FIRST_PAYLOAD: Final = 64
"""The lowest type of the fields that contain the message itself."""


class Payload(TlvStream):
    """The payload of one layer, `onionmsg_tlv`. The three messages of BOLT 12 in it are TLV streams, not parsed yet."""

    __slots__ = ()

    reply_path = Field(2, Codec(BlindedPath.from_bytes, BlindedPath.to_bytes, path_to_json))
    encrypted_recipient_data = Field(4, codecs.byte_string)
    invoice_request = Field(64, codecs.byte_string)
    invoice = Field(66, codecs.byte_string)
    invoice_error = Field(68, codecs.byte_string)

    @classmethod
    @typechecked
    def build(
        cls,
        *,
        reply_path: BlindedPath | None = None,
        invoice_request: bytes | None = None,
        invoice: bytes | None = None,
        invoice_error: bytes | None = None,
    ) -> Self:
        """Return the payload for the recipient.

        Raises:
            Bolt12Error: if a value does not fit its field.
        """
        return cls._build(
            reply_path=reply_path, invoice_request=invoice_request, invoice=invoice, invoice_error=invoice_error
        )

    @typechecked
    def for_hop(self, encrypted_recipient_data: bytes) -> bytes:
        """Return the TLV stream of this payload and a hop's data of the blinded path."""
        return self._build(self.records, encrypted_recipient_data=encrypted_recipient_data).to_bytes()


@typechecked
@dataclass(frozen=True, slots=True)
class Forward:
    """A message to forward.

    Attributes:
        next_node: the next node: a node id, 33 bytes, or the short channel id of a channel to the node.
        message: the message to send.
    """

    next_node: bytes | int
    message: OnionMessage


@typechecked
@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message for this node.

    Attributes:
        payload: its contents.
        path_id: the path_id in the path of the message, if this node made that path; else None.
    """

    payload: Payload
    path_id: bytes | None


Opened: TypeAlias = Forward | ReceivedMessage


@typechecked
def wrap(session_key: bytes, path: BlindedPath, payload: Payload) -> OnionMessage:
    """Return the message for the first node of a path.

    Args:
        session_key: a private key of 32 unpredictable bytes, for this message alone.
        path: made by the recipient, the sender, or both (`blinding.prepend`).
        payload: the payload for the recipient.

    Raises:
        LocalProtocolError: if the payload does not fit, or the path has no hops.
    """
    silent = Payload.build()
    layers = [
        (hop.blinded_node_id, (silent if left else payload).for_hop(hop.encrypted_recipient_data))
        for left, hop in zip(reversed(range(len(path.hops))), path.hops, strict=True)
    ]
    size = onion.payloads_size([layer for _, layer in layers])
    return OnionMessage(path.first_path_key, onion.create(session_key, layers, size))


@typechecked
def open_message(node: NodeKey, message: OnionMessage) -> Opened:
    """Open a message that a peer has sent.

    BOLT 4, "The `onion_message` Message", the reader's requirements.

    Raises:
        RemoteProtocolError: if it must be dropped.
    """
    try:
        return _open(node, message)
    except Bolt12Error as error:
        raise _bad(error.message) from None


def _open(node: NodeKey, message: OnionMessage) -> Opened:
    secret = node.shared_secret(message.path_key)
    layer = onion.peel(node, message.packet, blinding_factor(secret))
    payload = Payload.from_bytes(layer.payload)
    if payload.encrypted_recipient_data is None:
        raise _bad("the layer has no data of a blinded path")
    data = HopData.from_bytes(unblind(secret, payload.encrypted_recipient_data))
    if any(data.allowed_features or b""):
        raise _bad("the path allows features that are unknown here")
    if layer.next_packet is None:
        return _received(payload, data)
    if len(payload.records) > 1:
        raise _bad("a node on the way gets more than its data of the blinded path")
    if data.path_id is not None:
        raise _bad("a node on the way gets a path_id")
    next_node = data.short_channel_id if data.next_node_id is None else data.next_node_id
    if next_node is None:
        raise _bad("a node on the way is not told the next one")
    path_key = data.next_path_key_override or next_path_key(secret, message.path_key)
    return Forward(next_node, OnionMessage(path_key, layer.next_packet))


def _received(payload: Payload, data: HopData) -> ReceivedMessage:
    if sum(record.type >= _FIRST_PAYLOAD for record in payload.records) > 1:
        raise _bad("the message says more than one thing")
    reply_path = payload.reply_path
    if reply_path is not None and not 0 < len(reply_path.hops) <= MAX_REPLY_HOPS:
        raise _bad(f"the reply path has {len(reply_path.hops)} hops; it must have 1 to {MAX_REPLY_HOPS}")
    return ReceivedMessage(payload, data.path_id)


def _bad(why: str) -> RemoteProtocolError:
    return RemoteProtocolError(f"onion message: {why}", hint=Hint.DROP)
