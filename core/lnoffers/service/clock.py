"""The clock, passed in so that a test can set it."""

from __future__ import annotations

import time
from typing import Final, Protocol

TIME_BITS: Final = 62
"""The size of an injected time: the store can still hold it after an invoice's 32-bit expiry is added."""


class Clock(Protocol):
    """A source of the current time."""

    def now(self) -> int:
        """Return the Unix time in whole seconds."""


class SystemClock:
    """The operating system's clock."""

    def now(self) -> int:
        """Return the Unix time in whole seconds."""
        return int(time.time())


class FixedClock:
    """A clock that does not advance."""

    def __init__(self, time: int) -> None:
        self._time = time

    def now(self) -> int:
        """Return the time that it was set to."""
        return self._time
