"""A token bucket: how much a peer may send, or is sent, in a second."""

from __future__ import annotations

import asyncio
from typing import Final


class Pace:
    """Allows `rate` units a second, and `burst` at once after a pause. Use it within one event loop."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate: Final = rate
        self._burst: Final = burst
        self._left = burst
        self._then = 0.0

    async def spend(self, amount: int) -> None:
        """Take `amount` units; if there are too few, wait until they are earned."""
        self._earn()
        self._left -= amount
        if self._left < 0:
            await asyncio.sleep(-self._left / self._rate)

    def try_spend(self, amount: int) -> bool:
        """Take `amount` units if there are enough; return whether there were."""
        self._earn()
        if self._left < amount:
            return False
        self._left -= amount
        return True

    def _earn(self) -> None:
        now = asyncio.get_running_loop().time()
        self._left = min(self._burst, self._left + (now - self._then) * self._rate)
        self._then = now
