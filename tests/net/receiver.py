"""The other side of route blinding: what a node on the path does with its key. BOLT 4, "Route Blinding"."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from hashlib import sha256

from nacl import bindings

from lnoffers.bolt12 import BlindedPath
from lnoffers.bolt12.curve import KeyPair, multiply_point


@dataclass(frozen=True)
class Opened:
    """What a hop finds out."""

    data: bytes
    key: KeyPair
    """Belongs to the hop's blinded node id."""
    next_path_key: bytes


def open_hop(node: KeyPair, path_key: bytes, sealed: bytes) -> Opened:
    """What the node makes of its data, given the path key that came with the message."""
    secret = node.shared_secret(path_key)
    rho = hmac.digest(b"rho", secret, "sha256")
    data = bindings.crypto_aead_chacha20poly1305_ietf_decrypt(sealed, None, bytes(12), rho)
    blinding = hmac.digest(b"blinded_node_id", secret, "sha256")
    return Opened(data, node.multiply(blinding), multiply_point(path_key, sha256(path_key + secret).digest()))


def walk(path: BlindedPath, nodes: list[KeyPair]) -> list[bytes]:
    """The data that each node finds as a message goes along the path; each must own its blinded id."""
    path_key, found = path.first_path_key, []
    for hop, node in zip(path.hops, nodes, strict=True):
        opened = open_hop(node, path_key, hop.encrypted_recipient_data)
        assert opened.key.public_key == hop.blinded_node_id
        found.append(opened.data)
        path_key = opened.next_path_key
    return found
