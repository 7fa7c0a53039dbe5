"""The other side of route blinding: the nodes along a path, each with its key."""

from __future__ import annotations

from lnoffers.bolt12 import BlindedPath
from lnoffers.bolt12.curve import KeyPair
from lnoffers.net.blinding import blinding_factor, next_path_key, unblind


def walk(path: BlindedPath, nodes: list[KeyPair]) -> list[bytes]:
    """Return the data that each node finds as a message goes along the path; each must own its blinded id."""
    path_key, found = path.first_path_key, []
    for hop, node in zip(path.hops, nodes, strict=True):
        secret = node.shared_secret(path_key)
        assert node.multiply(blinding_factor(secret)).public_key == hop.blinded_node_id
        found.append(unblind(secret, hop.encrypted_recipient_data))
        path_key = next_path_key(secret, path_key)
    return found
