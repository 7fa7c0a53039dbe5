"""Fallback addresses: as they travel, and as people write them (examples of BIP 173 and BIP 350)."""

from __future__ import annotations

import pytest

from lnoffers.bolt12 import CHAINS, Bolt12Error, FallbackAddress, fallback_address
from lnoffers.bolt12.fallbacks import fallback_addresses, has_addresses

G_HASH = bytes.fromhex("751e76e8199196d454941c45d1b3a323f1433bd6")
G_X = bytes.fromhex("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")


@pytest.mark.parametrize(
    ("version", "program", "chain", "address"),
    [
        (0, G_HASH, "bitcoin", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
        (0, G_HASH, "testnet", "tb1qw508d6qejxtdg4y5r3zarvary0c5xw7kxpjzsx"),
        (1, G_X, "bitcoin", "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"),
        (16, b"\x75\x1e", "bitcoin", "bc1sw50qgdz25j"),
        (2, G_HASH[:16], "bitcoin", "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs"),
    ],
)
def test_writes_addresses_as_people_know_them(version: int, program: bytes, chain: str, address: str) -> None:
    assert fallback_address(FallbackAddress(version, program), CHAINS[chain]) == address


@pytest.mark.parametrize("chain", CHAINS)
def test_all_chains_have_addresses(chain: str) -> None:
    address = fallback_address(FallbackAddress(1, G_X), CHAINS[chain])
    assert address is not None
    assert address.partition("1")[0] == {"bitcoin": "bc", "regtest": "bcrt"}.get(chain, "tb")


def test_a_chain_that_is_unknown_has_none() -> None:
    assert fallback_address(FallbackAddress(1, G_X), bytes(32)) is None
    assert not has_addresses(bytes(32))


@pytest.mark.parametrize(("version", "length"), [(17, 32), (1, 1), (1, 41), (0, 21), (0, 2), (0, 40)])
def test_writes_no_address_for_what_is_no_witness_program(version: int, length: int) -> None:
    assert fallback_address(FallbackAddress(version, bytes(length)), CHAINS["bitcoin"]) is None


def test_any_version_and_length_travel() -> None:
    data = bytes.fromhex("00 0000 ff 0002 abcd")
    addresses = (FallbackAddress(0, b""), FallbackAddress(255, b"\xab\xcd"))
    assert fallback_addresses.decode(data) == addresses
    assert fallback_addresses.encode(addresses) == data
    assert fallback_addresses.to_json(addresses) == [{"version": 0, "hex": ""}, {"version": 255, "hex": "abcd"}]
    for fallback in (FallbackAddress(256, b""), FallbackAddress(0, bytes(2**16))):
        with pytest.raises(Bolt12Error):
            fallback_addresses.encode((fallback,))
