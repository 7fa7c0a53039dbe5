"""The time, passed in so that a test can hold it still."""

from __future__ import annotations

import time
from typing import Final, Protocol

TIME_BITS: Final = 62
"""Of the latest time that can be injected: with an invoice's 32 bits of seconds added, the store still takes it."""


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> int:
        """Whole seconds since 1970 UTC."""


class SystemClock:
    """The operating system's time."""

    def now(self) -> int:
        """Whole seconds since 1970 UTC."""
        return int(time.time())


class FixedClock:
    """A clock that stands still."""

    def __init__(self, time: int) -> None:
        self._time = time

    def now(self) -> int:
        """The time that it was set to."""
        return self._time
