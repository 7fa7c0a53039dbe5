"""Which incoming connections may begin a handshake.

A handshake takes a millisecond of this node's time, and opening a connection takes none of the other side's. So their
number is limited: in total, and for each address, so that one machine cannot keep all others out. `peers` limits the
connections that are complete in the same way.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from lnoffers.service.peers.address_paces import AddressPaces, network
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


class Admission:
    """Counts the handshakes that are under way. Use it within one event loop."""

    def __init__(self) -> None:
        self._pace = Pace(HANDSHAKES_A_SECOND, HANDSHAKE_BURST)
        self._open: Counter[str] = Counter()
        self._paces = AddressPaces(OF_ADDRESS_A_SECOND, ADDRESS_BURST)

    def enter(self, host: str) -> str:
        """Count a handshake with an IP address; return why it may not begin, "" if it may. Then `leave` must follow."""
        address = network(host)
        if self._open.total() >= MAX_HANDSHAKES:
            return f"{MAX_HANDSHAKES} handshakes are under way"
        if self._open[address] >= MAX_OF_ADDRESS:
            return f"{MAX_OF_ADDRESS} handshakes with its address are under way"
        if not self._paces.of(host).try_spend(1):
            return f"its address begins more than {OF_ADDRESS_A_SECOND} handshakes per second"
        if not self._pace.try_spend(1):
            return f"more than {HANDSHAKES_A_SECOND} handshakes per second begin"
        self._open[address] += 1
        return ""

    def leave(self, host: str) -> None:
        """Count a handshake as complete."""
        address = network(host)
        self._open[address] -= 1
        if not self._open[address]:
            del self._open[address]
