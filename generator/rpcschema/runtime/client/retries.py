"""When a failed call is made again: only where that is safe, and after a pause that grows."""

from __future__ import annotations

from ..command import Command

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 5.0


def pause_before_retry(
    command: Command | None, attempts: int, retries: int, seconds_left: float | None
) -> float | None:
    """Return the seconds to wait before the next attempt; None if there must be none.

    Only commands that read are repeated: after a lost connection, nobody knows whether another one was carried out.
    `attempts` were made, `retries` more than the first are allowed, and `seconds_left` (None: no limit) remain.
    """
    if command is None or not command.read_only or attempts > retries:
        return None
    import random

    # Random, so that the clients of a node that was restarted do not all come back at once.
    pause = random.uniform(0.5, 1.0) * min(FIRST_PAUSE * 2.0 ** (attempts - 1), LONGEST_PAUSE)
    return None if seconds_left is not None and pause >= seconds_left else pause
