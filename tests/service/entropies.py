"""Entropy sources that let a test delay a call, or make it fail."""

from __future__ import annotations

from threading import Semaphore

from lnoffers.service.entropy import Entropy
from tests.service.program import SECONDS


class HeldEntropy(Entropy):
    """Lets a call go on when the test allows it; counts the draws, and serves the count.

    `draws` cannot be undone, unlike those of real entropy.
    """

    def __init__(self, *bugs: int) -> None:
        self.asked = Semaphore(0)
        self.allowed = Semaphore(0)
        self.draws = 0
        self._bugs = bugs
        """The draws that fail in a way that nobody expects."""

    def has_begun(self) -> bool:
        """Return whether another call draws soon."""
        return self.asked.acquire(timeout=SECONDS)

    def draw(self, size: int) -> bytes:
        self.asked.release()
        assert self.allowed.acquire(timeout=SECONDS)
        self.draws += 1
        if self.draws in self._bugs:
            raise RuntimeError
        return self.draws.to_bytes(size, "big")
