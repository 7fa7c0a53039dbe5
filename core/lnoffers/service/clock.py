"""The clock, passed in so that a test can set it."""

from __future__ import annotations

import time
from typing import Final

TIME_BITS: Final = 62
"""The size of an injected time: the store can still hold it after an invoice's 32-bit expiry is added."""


class Clock:
    """The operating system's clock."""

    def now(self) -> int:
        """Return the Unix time in whole seconds."""
        return int(time.time())

    def now_ns(self) -> int:
        """Return the Unix time in nanoseconds."""
        return time.time_ns()


class FixedClock(Clock):
    """A clock that does not advance."""

    def __init__(self, time: int) -> None:
        self._time = time

    def now(self) -> int:
        return self._time

    def now_ns(self) -> int:
        """Return the Unix time in nanoseconds."""
        return self._time * 10**9
