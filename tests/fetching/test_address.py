"""Addresses of nodes, as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnoffers.fetching import Address, AddressError
from tests.fetching.node import key_of

ID = key_of(1).public_key
hosts = st.sampled_from(["127.0.0.1", "node.example", "::1", "2001:db8::7", "abc.onion"])


@given(hosts, st.integers(1, 65_535))
def test_what_is_written_is_read_again(host: str, port: int) -> None:
    address = Address(ID, host, port)
    assert Address.parse(str(address)) == address
    assert Address.parse(f" {str(address).upper()} ").node_id == ID


@pytest.mark.parametrize("place", ["node.example", "[2001:db8::7]"])
def test_the_port_may_be_left_out(place: str) -> None:
    address = Address.parse(f"{ID.hex()}@{place}")
    assert (address.host, address.port) == (place.strip("[]"), 9735)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "node id of 66 hex digits"),
        (ID.hex(), "node id of 66 hex digits"),
        ("02" + "ff" * 32 + "@host:1", "node id of 66 hex digits"),
        ("zz@host:1", "node id of 66 hex digits"),
        (f"{ID.hex()}@", "the host is missing"),
        (f"{ID.hex()}@:9735", "the host is missing"),
        (f"{ID.hex()}@host:", "port should be"),
        (f"{ID.hex()}@host:0", "port should be"),
        (f"{ID.hex()}@host:65536", "port should be"),
        (f"{ID.hex()}@host:{'9' * 5000}", "port should be"),
        (f"{ID.hex()}@host:-1", "port should be"),
        (f"{ID.hex()}@host:٣", "port should be"),
        (f"{ID.hex()}@::1", "the host is missing"),
    ],
)
def test_says_what_is_wrong(text: str, why: str) -> None:
    with pytest.raises(AddressError, match=why):
        Address.parse(text)
