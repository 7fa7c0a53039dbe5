"""The blinded path in invoices of this node, which begins and ends at the node itself."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from lnoffers.bolt12 import BlindedPath, BlindedPayinfo
from lnoffers.bolt12.keys import NodeKeys
from lnoffers.net.blinding import PATH_KEY_BYTES, message_path
from lnoffers.service.node import Node

FINAL_CLTV_MAINNET: Final = 18
FINAL_CLTV_TESTNETS: Final = 10
"""Blocks in which the last hop can claim a payment: the defaults of Core Lightning's `cltv-final`."""
ALL_BITCOIN: Final = 21_000_000 * 100_000_000 * 1000
"""All bitcoin there will be, in millisatoshi."""


def payment_path_id(keys: NodeKeys, payment_hash: bytes) -> bytes:
    """Return the path_id by which a node recognises a payment, 32 bytes: SHA256(secret || payment_hash).

    Source: Core Lightning's createinvoice.
    """
    return sha256(keys.named_secret("bolt12-invoice-base") + payment_hash).digest()


def path_to_self(node: Node, payment_hash: bytes) -> tuple[BlindedPath, BlindedPayinfo]:
    """Return a path of one hop, the node itself, and its fees, which are zero.

    Its path_id is that of `payment_path_id`.

    Raises:
        EntropyError: if too little is left for the path key.
        ValueError: if the bytes drawn are not a private key, with a probability of 1 in 2^128.
    """
    path_id = payment_path_id(node.keys, payment_hash)
    path = message_path(node.entropy.draw(PATH_KEY_BYTES), [node.keys.node_id], path_id)
    cltv = FINAL_CLTV_MAINNET if node.options.network == "bitcoin" else FINAL_CLTV_TESTNETS
    return path, BlindedPayinfo(
        fee_base_msat=0,
        fee_proportional_millionths=0,
        cltv_expiry_delta=cltv,
        htlc_minimum_msat=0,
        htlc_maximum_msat=ALL_BITCOIN,
        features=b"",
    )
