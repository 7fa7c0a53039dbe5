"""Control when SIGINT (Ctrl-C) and SIGTERM take effect."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


def interrupt_on_sigterm() -> None:
    """Make SIGTERM raise KeyboardInterrupt, as SIGINT does, so that the program cleans up."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def unblock_sigterm() -> None:
    """Unblock SIGTERM in this process, which was started while signals were blocked."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})


@contextmanager
def signals_blocked() -> Iterator[None]:
    """Block both signals until the block ends; a process started in it must unblock them itself."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
