"""Route blinding: a path whose hops learn only whom to pass a message on to, and whose sender learns not even that.

Whoever wants to be reached makes the path. Each hop gets a key in place of its own and data that it alone can read.
Keys and bytes in, a path out. BOLT 4, "Route Blinding".

ChaCha20-Poly1305 is libsodium's, through PyNaCl, which the recovery data (`lnoffers.emergency`) needs anyway.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from lnoffers.bolt12.curve import KeyPair, multiply_point
from lnoffers.bolt12.paths import BlindedHop, BlindedPath
from lnoffers.bolt12.tlv import Record

PATH_KEY_BYTES: Final = 32
"""How many unpredictable bytes a path is made from."""
NEXT_NODE_ID: Final = 4
PATH_ID: Final = 6
"""Records of a hop's data (BOLT 4, `encrypted_data_tlv`)."""

_NONCE: Final = bytes(12)
"""Each key seals one text only."""


@dataclass(frozen=True, slots=True)
class Hop:
    """A node on the way.

    Attributes:
        node_id: its id, a compressed point of 33 bytes.
        data: what it is told, a TLV stream (`encrypted_data_tlv`), not yet encrypted.
    """

    node_id: bytes
    data: bytes


def message_path(path_key: bytes, node_ids: Sequence[bytes], path_id: bytes) -> BlindedPath:
    """A path for onion messages over these nodes, as Core Lightning makes its own (common/onion_message.c).

    Args:
        path_key: the private path key, 32 unpredictable bytes.
        node_ids: compressed points, from the node where the path is entered to the node that it leads to.
        path_id: by which that last node, who alone gets to see it, knows the path again.

    Raises ValueError as `blind` does.
    """
    told = [Record.build(NEXT_NODE_ID, node_id).raw for node_id in node_ids[1:]]
    told.append(Record.build(PATH_ID, path_id).raw)
    return blind(path_key, [Hop(*hop) for hop in zip(node_ids, told, strict=True)])


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
        node_id = multiply_point(hop.node_id, _derived(b"blinded_node_id", secret))
        blinded.append(BlindedHop(node_id, _seal(_derived(b"rho", secret), hop.data)))
        key = key.multiply(sha256(key.public_key + secret).digest())
    return BlindedPath(hops[0].node_id, first.public_key, tuple(blinded))


def _derived(purpose: bytes, secret: bytes) -> bytes:
    return hmac.digest(purpose, secret, "sha256")


def _seal(key: bytes, data: bytes) -> bytes:
    from nacl import bindings  # noqa: PLC0415 # loads libsodium, which few calls need

    return bindings.crypto_aead_chacha20poly1305_ietf_encrypt(data, None, _NONCE, key)
