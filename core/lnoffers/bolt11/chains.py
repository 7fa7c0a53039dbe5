"""The chains that an invoice can be for, and the prefixes of their on-chain addresses."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from lnoffers.bolt12.typecheck import typechecked


@typechecked
@dataclass(frozen=True, slots=True)
class Chain:
    """The names of a chain.

    Attributes:
        currency: what follows `ln` in an invoice.
        segwit_prefix: the human-readable part of bech32 addresses.
        p2pkh_version, p2sh_version: the first byte of base58 addresses.
    """

    currency: str
    segwit_prefix: str
    p2pkh_version: int
    p2sh_version: int


CHAINS: Final = MappingProxyType(
    {
        chain.currency: chain
        for chain in (
            Chain("bc", "bc", 0, 5),
            Chain("bcrt", "bcrt", 111, 196),
            Chain("tbs", "tb", 111, 196),
            Chain("tb", "tb", 111, 196),
            Chain("ert", "ert", 91, 75),
            Chain("ex", "ex", 57, 39),
        )
    }
)
"""Core Lightning's chains, by currency: bitcoin, its regtest, signet and testnets, then Liquid's regtest and Liquid."""
