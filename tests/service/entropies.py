"""Randomness that lets a test decide how long a call takes, or that it fails."""

from __future__ import annotations

import time
from threading import Semaphore

from tests.service.program import SECONDS


class SlowEntropy:
    """Takes its time, and counts."""

    def __init__(self) -> None:
        self.draws = 0

    def draw(self, size: int) -> bytes:
        time.sleep(0.02)
        self.draws += 1
        return self.draws.to_bytes(size, "big")


class HeldEntropy:
    """Says that a call draws, and lets it go on when the test allows it."""

    def __init__(self, *bugs: int) -> None:
        self.asked = Semaphore(0)
        self.allowed = Semaphore(0)
        self.draws = 0
        self.bugs = bugs
        """The draws that fail in a way that nobody expects."""

    def has_begun(self) -> bool:
        """Whether a call draws, before long."""
        return self.asked.acquire(timeout=SECONDS)

    def draw(self, size: int) -> bytes:
        self.asked.release()
        assert self.allowed.acquire(timeout=SECONDS)
        self.draws += 1
        if self.draws in self.bugs:
            raise RuntimeError
        return self.draws.to_bytes(size, "big")
