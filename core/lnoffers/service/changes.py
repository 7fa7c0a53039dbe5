"""Waiting for the store to change: whoever waits looks again when it may have.

What this process changes is told at once. What other processes change shows in the store's version, which those who
wait compare each second; while nobody waits, nobody does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncio

LOOK_SECONDS: Final = 1.0
"""How long a change by another process, or by the time alone, may stay unnoticed."""


class Changes:
    """The changes of one store, for those who wait in one event loop."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def tell(self) -> None:
        """Something is changing: all that wait look again, when the call that does it is over and committed."""
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)

    async def wait(self, seconds: float = LOOK_SECONDS) -> bool:
        """Wait to be told, at most this long, and at most `LOOK_SECONDS`; whether that has happened."""
        import asyncio  # noqa: PLC0415 # most calls never wait, and it takes longer to load than they take

        changed = asyncio.get_running_loop().create_future()
        self._waiting.add(changed)
        try:
            await asyncio.wait([changed], timeout=min(seconds, LOOK_SECONDS))
        finally:
            self._waiting.discard(changed)
        return changed.done()
