"""Route blinding: a path that hides its nodes. A hop learns only the next node, and a sender only the first one.

The recipient makes the path. It replaces each hop's id with a blinded one and adds data that only that hop can decrypt.
A hop decrypts it with the *path key* that comes with the message, and derives the next hop's path key. A sender may
put hops of its own before the recipient's path: the last of these is given the first path key of that path.

Keys and bytes in, paths and bytes out. BOLT 4, "Route Blinding".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from lnoffers.bolt12.blinded_paths import BlindedHop, BlindedPath
from lnoffers.bolt12.curve import KeyPair, multiply_point
from lnoffers.bolt12.typecheck import typechecked
from lnoffers.net.crypto import ZERO_NONCE, derive, open_sealed, seal
from lnoffers.net.errors import Hint, LocalProtocolError, RemoteProtocolError
from lnoffers.net.hop_data import HopData

PATH_KEY_BYTES: Final = 32
"""The number of unpredictable bytes needed to make a path."""


@typechecked
@dataclass(frozen=True, slots=True)
class Hop:
    """A node of a path.

    Attributes:
        node_id: its id, a compressed point of 33 bytes.
        data: its data before encryption, a TLV stream (`encrypted_data_tlv`, see `hop_data`).
    """

    node_id: bytes
    data: bytes


@typechecked
def message_path(path_key: bytes, node_ids: Sequence[bytes], path_id: bytes) -> BlindedPath:
    """Return a path for onion messages over these nodes, as Core Lightning makes its own (common/onion_message.c).

    Args:
        path_key: the private path key, 32 unpredictable bytes.
        node_ids: compressed points, from the first node of the path to the recipient.
        path_id: bytes that only the recipient sees, so that it recognises the path.

    Raises:
        ValueError: as `blind` does.
    """
    data = [HopData.build(next_node_id=node_id).to_bytes() for node_id in node_ids[1:]]
    data.append(HopData.build(path_id=path_id).to_bytes())
    return blind(path_key, [Hop(*hop) for hop in zip(node_ids, data, strict=True)])


@typechecked
def prepend(path_key: bytes, node_ids: Sequence[bytes], path: BlindedPath) -> BlindedPath:
    """Return a path over these nodes that continues with `path`.

    Args:
        path_key: the private path key of the new part, 32 unpredictable bytes.
        node_ids: compressed points, in order; none of them is the first node of `path`.
        path: the recipient's path. Its first node is named by its node id.

    Raises:
        LocalProtocolError: if the first node of `path` is named by a channel.
        ValueError: as `blind` does, or if the first node id or path key of `path` is not a point.
    """
    if not isinstance(path.first_node_id, bytes):
        raise LocalProtocolError("the path begins at the end of a channel, and the node there is not known")
    data = [HopData.build(next_node_id=node_id).to_bytes() for node_id in node_ids[1:]]
    data.append(HopData.build(next_node_id=path.first_node_id, next_path_key_override=path.first_path_key).to_bytes())
    before = blind(path_key, [Hop(*hop) for hop in zip(node_ids, data, strict=True)])
    return BlindedPath(before.first_node_id, before.first_path_key, before.hops + path.hops)


@typechecked
def blind(path_key: bytes, hops: Sequence[Hop]) -> BlindedPath:
    """Return the path over these hops, from the first to the recipient. The same arguments give the same path.

    Args:
        path_key: the private path key, 32 unpredictable bytes. Anybody who knows it can decrypt the path.
        hops: at least one.

    Raises:
        ValueError: if there is no hop, a node id is not a point, or the path key is not a private key (zero, or not
            below the group order, with a probability of 1 in 2^128).
    """
    if not hops:
        raise ValueError("a path has at least one hop")
    first = key = KeyPair(path_key)
    blinded = []
    secret = b""
    for hop in hops:
        if secret:  # the last hop needs no key for another one
            key = key.multiply(sha256(key.public_key + secret).digest())
        secret = key.shared_secret(hop.node_id)
        node_id = multiply_point(hop.node_id, blinding_factor(secret))
        blinded.append(BlindedHop(node_id, seal(derive(b"rho", secret), ZERO_NONCE, hop.data)))
    return BlindedPath(hops[0].node_id, first.public_key, tuple(blinded))


@typechecked
def blinding_factor(secret: bytes) -> bytes:
    """Return the factor, 32 bytes, between a node's id and its blinded one.

    `secret` is the secret that the node shares with the path key, `node.shared_secret(path_key)`, here and in the next
    two functions.
    """
    return derive(b"blinded_node_id", secret)


@typechecked
def unblind(secret: bytes, encrypted: bytes) -> bytes:
    """Return the data in a hop's `encrypted_recipient_data`, a TLV stream.

    Raises:
        RemoteProtocolError: with the hint to drop the message, if the data is for another node or was changed.
    """
    data = open_sealed(derive(b"rho", secret), ZERO_NONCE, encrypted)
    if data is None:
        raise RemoteProtocolError("blinded path: the data was made for another node, or changed", hint=Hint.DROP)
    return data


@typechecked
def next_path_key(secret: bytes, path_key: bytes) -> bytes:
    """Return the path key for the next node, a compressed point. The data may override it."""
    return multiply_point(path_key, sha256(path_key + secret).digest())
