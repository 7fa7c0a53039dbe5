"""Run the coroutine of a test."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

SECONDS: Final = 30
"""How long a test's coroutine may take on a busy machine."""


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine; fail also for errors that the event loop would only log."""

    async def watched() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: logged.append(context))
        await asyncio.wait_for(coroutine, SECONDS)

    logged: list[dict[str, Any]] = []
    asyncio.run(watched())
    assert logged == []
