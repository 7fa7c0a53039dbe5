"""A pace for each IP address, so that one machine cannot use up what is meant for all.

An address here is an IPv4 address, or the first 64 bits of an IPv6 address, because whoever has one of those has all
that begin with it.
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address
from typing import Final

from lnoffers.service.peers.pace import Pace

MAX_ADDRESSES: Final = 1024
"""How many addresses are remembered, the latest."""
_NETWORK_BITS: Final = 64


class AddressPaces:
    """Allows each address `rate` units a second, and `burst` at once. Use it within one event loop."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._paces: dict[str, Pace] = {}
        """The pace of each address, the least recent first."""

    def __len__(self) -> int:
        return len(self._paces)

    def of(self, host: str) -> Pace:
        """Return the pace of the address to which an IP address belongs."""
        address = network(host)
        pace = self._paces.pop(address, None) or Pace(self._rate, self._burst)
        if len(self._paces) >= MAX_ADDRESSES:
            del self._paces[next(iter(self._paces))]
        self._paces[address] = pace
        return pace


def network(host: str) -> str:
    """Return the address to which an IP address belongs: itself, or the network of an IPv6 address."""
    address = ip_address(host.partition("%")[0])  # an IPv6 address may name a network interface
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(IPv6Address(int(address) >> _NETWORK_BITS << _NETWORK_BITS))
    return str(address)
