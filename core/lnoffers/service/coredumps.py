"""Keeping the node's key out of core dumps: a crash leaves it neither in a file nor with a collector of dumps."""

from __future__ import annotations

import resource
import sys
from typing import Final

_PR_SET_DUMPABLE: Final = 4
"""From Linux's <linux/prctl.h>."""


def forbid_core_dumps() -> None:
    """Have this process, and those that it starts, leave no core dump; for good, so do it before a secret is read.

    The limit is not enough on Linux, where a program may be set to collect dumps (/proc/sys/kernel/core_pattern) and
    gets them whatever the limit says. A process that is not dumpable has none to give, and nobody but root can read its
    memory.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 # most calls go to a server and read no secret

        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
