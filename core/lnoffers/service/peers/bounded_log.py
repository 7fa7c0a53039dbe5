"""The log of what strangers cause. They must not fill the disk, whatever its level."""

from __future__ import annotations

import logging
from typing import Final

from lnoffers.service.peers.pace import Pace

LINES_A_SECOND: Final = 5
LINE_BURST: Final = 200
"""Lines that are logged at once after a pause."""


class BoundedLog:
    """Logs lines at the level *debug*, and counts those beyond its pace. Use it within one event loop."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._pace = Pace(LINES_A_SECOND, LINE_BURST)
        self._left_out = 0

    def debug(self, text: str, *values: object) -> None:
        """Log a line, as `logging` formats it, or count it."""
        if not self._logger.isEnabledFor(logging.DEBUG):
            return
        if not self._pace.try_spend(1):
            self._left_out += 1
            return
        if self._left_out:
            self._logger.debug("Lines about peers that were left out: %d", self._left_out)
            self._left_out = 0
        self._logger.debug(text, *values)
