"""Settings of the process itself: core dumps, and signals that arrive before a server can handle them."""

from __future__ import annotations

import ctypes
import resource
import signal
import sys
from types import FrameType
from typing import Final

ENDING_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
"""The signals that end a server."""
_PR_SET_DUMPABLE: Final = 4
"""From Linux's <linux/prctl.h>."""

_held_signals: Final[list[int]] = []


def forbid_core_dumps() -> None:
    """Make sure that this process and its children write no core dump, so that a crash cannot leak the node's key.

    This cannot be undone. Call it before a secret is read.

    The size limit is not enough on Linux: a program that collects dumps (/proc/sys/kernel/core_pattern) gets them
    whatever the limit is. The kernel dumps no process that is not dumpable, and lets only root read its memory.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def hold_signals() -> None:
    """Only note the signals that end a server, until the server installs its own handlers, and ignore SIGHUP.

    So a server that is still starting ends at a point where nothing is half done.
    """
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # no log is open yet that could be reopened
    for number in ENDING_SIGNALS:
        signal.signal(number, _hold)


def must_end() -> bool:
    """Return whether a held signal ends the server before it serves."""
    return bool(_held_signals)


def _hold(number: int, _: FrameType | None) -> None:
    _held_signals.append(number)
