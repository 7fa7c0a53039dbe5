"""Keep tasks that nobody awaits until they end and report their bugs, wait for a future, and pause between attempts."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from typing import Any


def start(work: Coroutine[None, None, None], tasks: set[asyncio.Task[None]]) -> asyncio.Task[None]:
    """Run a coroutine as a task that is in `tasks` until it ends; the loop alone would not keep it alive."""
    task = asyncio.get_running_loop().create_task(work)
    tasks.add(task)
    task.add_done_callback(tasks.discard)
    return task


async def done_within(future: asyncio.Future[Any], seconds: float) -> bool:
    """Wait until a future is done, at most for so long, and return whether it is. It goes on in any case.

    `asyncio.wait` does the same for many, and takes five times as long for one.
    """
    loop = future.get_loop()
    ended = loop.create_future()

    def end(_: object = None) -> None:
        if not ended.done():
            ended.set_result(None)

    timer = loop.call_later(seconds, end)
    future.add_done_callback(end)
    try:
        await ended
    finally:
        timer.cancel()
        future.remove_done_callback(end)
    return future.done()


def growing_pauses(first: float, longest: float) -> Iterator[float]:
    """Yield the pauses between attempts, in seconds: each twice as long as the one before, up to `longest`."""
    while True:
        yield first
        first = min(2 * first, longest)


def ended_in_bug(message: str, task: asyncio.Future[Any]) -> bool:
    """Report the exception with which a task has ended, under this message; return whether there was one."""
    bug = None if task.cancelled() else task.exception()
    if bug is not None:
        task.get_loop().call_exception_handler({"message": message, "exception": bug})
    return bug is not None
