"""Keeping the threads of a server together, on one processor.

Python runs one thread at a time, so a second processor gains little, and costs much: each call passes from the event
loop to another thread and back, and to wake a thread on another processor takes as long as a short call does. So all
threads are kept on the processor on which the system has put the loop. Each second they are let go for a moment: if
others use that processor, the system puts the loop on another one.

Only Linux can be told so; elsewhere nothing happens.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import sys
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from typing import Final

TOGETHER_SECONDS: Final = 1.0
"""How long the threads are kept together."""
APART_SECONDS: Final = 0.05
"""How long they are let go then."""

_ALLOWED: Final[Collection[int]] = os.sched_getaffinity(0) if sys.platform == "linux" else ()
"""The processors that this process was started with."""


async def stay_together() -> None:
    """Keep the threads of this process on one processor as long as this runs."""
    while len(_ALLOWED) > 1:
        await asyncio.sleep(APART_SECONDS)
        _keep_on([ctypes.CDLL(None).sched_getcpu()])
        await asyncio.sleep(TOGETHER_SECONDS)
        _keep_on(_ALLOWED)


@contextmanager
def anywhere() -> Iterator[None]:
    """Let a process that is started in the block run on any of the processors that this one was started with."""
    if sys.platform != "linux":
        yield
        return
    kept = os.sched_getaffinity(0)
    os.sched_setaffinity(0, _ALLOWED)
    try:
        yield
    finally:
        os.sched_setaffinity(0, kept)


def _keep_on(processors: Collection[int]) -> None:
    if sys.platform == "linux":
        for thread in threading.enumerate():
            with suppress(OSError):  # it has ended, or the processor was taken away
                os.sched_setaffinity(thread.native_id or 0, processors)
