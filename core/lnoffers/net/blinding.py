"""Route blinding: a path whose hops learn only whom to pass a message on to, and whose sender learns not even that.

Whoever wants to be reached makes the path. Each hop gets a key in place of its own, and data that it alone can read.
It reads them with the *path key* that comes with the message, and works out the next hop's. A sender may put hops of
its own before somebody else's path: the last of these is told the path key that the path begins with.

Keys and bytes in, paths and bytes out. BOLT 4, "Route Blinding".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from lnoffers.bolt12.curve import KeyPair, multiply_point
from lnoffers.bolt12.paths import BlindedHop, BlindedPath
from lnoffers.bolt12.typecheck import typechecked
from lnoffers.net.crypto import ZERO_NONCE, derive, open_sealed, seal
from lnoffers.net.errors import Hint, LocalProtocolError, RemoteProtocolError
from lnoffers.net.hop_data import HopData

PATH_KEY_BYTES: Final = 32
"""How many unpredictable bytes a path is made from."""


@typechecked
@dataclass(frozen=True, slots=True)
class Hop:
    """A node on the way.

    Attributes:
        node_id: its id, a compressed point of 33 bytes.
        data: what it is told, a TLV stream (`encrypted_data_tlv`, see `hop_data`), not yet encrypted.
    """

    node_id: bytes
    data: bytes


@typechecked
def message_path(path_key: bytes, node_ids: Sequence[bytes], path_id: bytes) -> BlindedPath:
    """A path for onion messages over these nodes, as Core Lightning makes its own (common/onion_message.c).

    Args:
        path_key: the private path key, 32 unpredictable bytes.
        node_ids: compressed points, from the node where the path is entered to the node that it leads to.
        path_id: by which that last node, who alone gets to see it, knows the path again.

    Raises ValueError as `blind` does.
    """
    told = [HopData.build(next_node_id=node_id).to_bytes() for node_id in node_ids[1:]]
    told.append(HopData.build(path_id=path_id).to_bytes())
    return blind(path_key, [Hop(*hop) for hop in zip(node_ids, told, strict=True)])


@typechecked
def prepend(path_key: bytes, node_ids: Sequence[bytes], path: BlindedPath) -> BlindedPath:
    """Return a path that leads over these nodes to the start of `path`, and on along it.

    Args:
        path_key: the private path key of the new part, 32 unpredictable bytes.
        node_ids: compressed points, in order; none of them is the first node of `path`.
        path: somebody else's, whose first node is named by its id.

    Raises LocalProtocolError if the first node is named by a channel, or has no id; ValueError as `blind` does.
    """
    if not isinstance(path.first_node_id, bytes):
        raise LocalProtocolError("the path begins at the end of a channel, and who that is cannot be told here")
    told = [HopData.build(next_node_id=node_id).to_bytes() for node_id in node_ids[1:]]
    told.append(HopData.build(next_node_id=path.first_node_id, next_path_key_override=path.first_path_key).to_bytes())
    before = blind(path_key, [Hop(*hop) for hop in zip(node_ids, told, strict=True)])
    return BlindedPath(before.first_node_id, before.first_path_key, before.hops + path.hops)


@typechecked
def blind(path_key: bytes, hops: Sequence[Hop]) -> BlindedPath:
    """The path over these hops, from the first to the one that it leads to. The same arguments give the same path.

    Args:
        path_key: the private path key, 32 unpredictable bytes; who knows it can read the path.
        hops: at least one.

    Raises ValueError if there is no hop, a node id is no point, or the path key no private key: zero, or not below the
    group order, which one in 2^128 is.
    """
    if not hops:
        raise ValueError("a path has at least one hop")
    first = key = KeyPair(path_key)
    blinded = []
    for hop in hops:
        secret = key.shared_secret(hop.node_id)
        node_id = multiply_point(hop.node_id, blinding_factor(secret))
        blinded.append(BlindedHop(node_id, seal(derive(b"rho", secret), ZERO_NONCE, hop.data)))
        key = key.multiply(sha256(key.public_key + secret).digest())
    return BlindedPath(hops[0].node_id, first.public_key, tuple(blinded))


@typechecked
def blinding_factor(secret: bytes) -> bytes:
    """Return the factor, 32 bytes, between a node's id and its blinded one.

    `secret` is what the node shares with the path key: `node.shared_secret(path_key)`. So for the next two.
    """
    return derive(b"blinded_node_id", secret)


@typechecked
def unblind(secret: bytes, encrypted: bytes) -> bytes:
    """Return the data in a hop's `encrypted_recipient_data`, a TLV stream.

    Raises RemoteProtocolError, with the hint to drop the message, if it was made for another node or changed.
    """
    data = open_sealed(derive(b"rho", secret), ZERO_NONCE, encrypted)
    if data is None:
        raise RemoteProtocolError("blinded path: the data was made for another node, or changed", hint=Hint.DROP)
    return data


@typechecked
def next_path_key(secret: bytes, path_key: bytes) -> bytes:
    """Return the path key for the next node, a compressed point, unless the data names another."""
    return multiply_point(path_key, sha256(path_key + secret).digest())
