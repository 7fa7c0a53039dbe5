"""Which incoming connections may begin a handshake.

A handshake takes a millisecond of this node's time, and opening a connection takes none of the other side's. So their
number is limited: in total, and for each IP address, so that one machine cannot keep all others out. An address here is
an IPv4 address, or the first 64 bits of an IPv6 address, because whoever has one of those has all that begin with it.
"""

from __future__ import annotations

from collections import Counter
from ipaddress import IPv6Address, ip_address
from typing import Final

from lnoffers.service.peers.pace import Pace

MAX_HANDSHAKES: Final = 64
"""Handshakes at once."""
MAX_OF_ADDRESS: Final = 16
"""Handshakes at once with one address."""
HANDSHAKES_A_SECOND: Final = 50
HANDSHAKE_BURST: Final = 100
"""Handshakes that begin at once after a pause."""
OF_ADDRESS_A_SECOND: Final = 10
ADDRESS_BURST: Final = 40
"""Handshakes with one address that begin at once after a pause."""
MAX_ADDRESSES: Final = 1024
"""How many addresses are remembered, the latest."""
_NETWORK_BITS: Final = 64


class Admission:
    """Counts the handshakes that are under way. Use it within one event loop."""

    def __init__(self) -> None:
        self._pace = Pace(HANDSHAKES_A_SECOND, HANDSHAKE_BURST)
        self._open: Counter[str] = Counter()
        self._paces: dict[str, Pace] = {}
        """The pace of each address, the least recent first."""

    def enter(self, host: str) -> str:
        """Count a handshake with an IP address; return why it may not begin, "" if it may. Then `leave` must follow."""
        address = _network(host)
        if self._open.total() >= MAX_HANDSHAKES:
            return f"{MAX_HANDSHAKES} handshakes are under way"
        if self._open[address] >= MAX_OF_ADDRESS:
            return f"{MAX_OF_ADDRESS} handshakes with its address are under way"
        if not self._pace_of(address).try_spend(1):
            return f"its address begins more than {OF_ADDRESS_A_SECOND} handshakes per second"
        if not self._pace.try_spend(1):
            return f"more than {HANDSHAKES_A_SECOND} handshakes per second begin"
        self._open[address] += 1
        return ""

    def leave(self, host: str) -> None:
        """Count a handshake as complete."""
        address = _network(host)
        self._open[address] -= 1
        if not self._open[address]:
            del self._open[address]

    def _pace_of(self, address: str) -> Pace:
        pace = self._paces.pop(address, None) or Pace(OF_ADDRESS_A_SECOND, ADDRESS_BURST)
        if len(self._paces) >= MAX_ADDRESSES:
            del self._paces[next(iter(self._paces))]
        self._paces[address] = pace
        return pace


def _network(host: str) -> str:
    address = ip_address(host.partition("%")[0])  # an IPv6 address may name a network interface
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(IPv6Address(int(address) >> _NETWORK_BITS << _NETWORK_BITS))
    return str(address)
