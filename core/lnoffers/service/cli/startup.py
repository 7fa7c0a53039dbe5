"""Signals that come while a server starts: it ends when nothing is half made, as it would end later."""

from __future__ import annotations

import signal
from types import FrameType
from typing import Final

ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
"""The signals that end a server."""

_held: Final[list[int]] = []


def hold_signals() -> None:
    """Only note the signals that end a server, until it has handlers of its own; there is no log to open again yet."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for number in ENDING:
        signal.signal(number, _hold)


def is_to_end() -> bool:
    """Whether a signal has come that ends the server before it serves."""
    return bool(_held)


def _hold(number: int, _: FrameType | None) -> None:
    _held.append(number)
