"""How invoices of this node are paid: along a blinded path that begins and ends here."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from lnoffers.bolt12 import BlindedPath, BlindedPayinfo
from lnoffers.net.blinding import PATH_KEY_BYTES, message_path
from lnoffers.service.node import Node

FINAL_CLTV_MAINNET: Final = 18
FINAL_CLTV_TESTNETS: Final = 10
"""Blocks that the last hop is given to claim a payment: the defaults of Core Lightning's `cltv-final`."""
ALL_BITCOIN: Final = 21_000_000 * 100_000_000 * 1000
"""In millisatoshi."""


def path_to_self(node: Node, payment_hash: bytes) -> tuple[BlindedPath, BlindedPayinfo]:
    """A path of one hop, the node itself, and what it costs: nothing.

    Its path_id, SHA256(secret || payment_hash), shows the node that a payment came along it. Source: Core Lightning's
    createinvoice.

    Raises:
        EntropyError: if there is not enough left for the path key.
        ValueError: if what is drawn is no private key; one in 2^128 is none.
    """
    path_id = sha256(node.keys.named_secret("bolt12-invoice-base") + payment_hash).digest()
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
