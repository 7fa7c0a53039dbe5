"""Warnings about failures that recur with every call: the log repeats one once a minute at most, not each time."""

from __future__ import annotations

import logging
from time import monotonic
from typing import Final

REPEAT_SECONDS: Final = 60.0


class Warner:
    """Logs warnings, the same one in a row no more often than once in `REPEAT_SECONDS`."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._last = ""
        self._again_at = 0.0

    def warn(self, message: str) -> None:
        """Log it, unless that was done just now."""
        now = monotonic()
        if message != self._last or now >= self._again_at:
            self._last, self._again_at = message, now + REPEAT_SECONDS
            self._logger.warning("%s", message)
