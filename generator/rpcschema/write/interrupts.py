"""Ctrl-C, and the signal by which other programs ask for an end, where they must wait."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


def end_like_an_interrupt() -> None:
    """Makes SIGTERM raise KeyboardInterrupt as SIGINT does, so that what is at work is cleaned up."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def let_terminate() -> None:
    """Lets SIGTERM end this process, which was started while signals were held back."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


@contextmanager
def held_back() -> Iterator[None]:
    """Both signals wait until the block is done; a process that is started in it gets none until it asks for it."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
