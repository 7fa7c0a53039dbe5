"""The chains that BOLT 12 messages can be for."""

from __future__ import annotations

from types import MappingProxyType

CHAINS = MappingProxyType(
    {
        "bitcoin": bytes.fromhex("6fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000"),
        "testnet": bytes.fromhex("43497fd7f826957108f4a30fd9cec3aeba79972084e90ead01ea330900000000"),
        "testnet4": bytes.fromhex("43f08bdab050e35b567c864b91f47f50ae725ae2de53bcfbbaf284da00000000"),
        "signet": bytes.fromhex("f61eee3b63a380a477a063af32b2bbc97c9ff9f01f2c4225e973988108000000"),
        "regtest": bytes.fromhex("06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f"),
    }
)
"""Core Lightning's network name to the hash of the chain's first block: 32 bytes, in wire order."""

BITCOIN = CHAINS["bitcoin"]
"""The chain of a message that names none."""
