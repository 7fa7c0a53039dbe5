"""Log warnings about failures that recur with every call, each at most once a minute."""

from __future__ import annotations

import logging
from time import monotonic
from typing import Final

REPEAT_SECONDS: Final = 60.0


class Warner:
    """Logs warnings. If one follows itself, it is logged at most once in `REPEAT_SECONDS`."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._last = ""
        self._again_at = 0.0

    def warn(self, message: str) -> None:
        """Log the message, unless it was the last one and was logged just now."""
        now = monotonic()
        if message != self._last or now >= self._again_at:
            self._last, self._again_at = message, now + REPEAT_SECONDS
            self._logger.warning("%s", message)
