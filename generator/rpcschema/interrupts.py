"""Ctrl-C, and the signal by which other programs ask for an end, where they must wait."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


def end_like_an_interrupt() -> None:
    """Makes SIGTERM raise KeyboardInterrupt as SIGINT does, so that what is at work is cleaned up."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@contextmanager
def held_back(*signals: signal.Signals) -> Iterator[None]:
    """`signals` wait until the block is done; a process that is started in it never gets one."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
