"""Waiting for one future at most for a time, and for longer and longer between attempts."""

from __future__ import annotations

import asyncio

import pytest

from lnoffers.service.tasks import done_within, growing_pauses


def test_a_future_that_is_done_in_time_ends_the_wait() -> None:
    async def run() -> bool:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()
        loop.call_soon(future.set_result, 1)
        return await done_within(future, 3_600)

    assert asyncio.run(run())


def test_a_future_that_is_done_already_needs_no_time() -> None:
    async def run() -> bool:
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        future.set_result(1)
        return await done_within(future, 3_600)

    assert asyncio.run(run())


def test_one_that_takes_longer_goes_on() -> None:
    async def run() -> int:
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        assert not await done_within(future, 0.001)
        future.set_result(1)
        return await future

    assert asyncio.run(run()) == 1


def test_it_goes_on_also_if_the_waiting_task_is_cancelled() -> None:
    async def run() -> None:
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        waiting = asyncio.ensure_future(done_within(future, 3_600))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert not future.done()

    asyncio.run(run())


def test_pauses_double_until_the_longest() -> None:
    pauses = growing_pauses(1.0, 5.0)
    assert [next(pauses) for _ in range(5)] == [1.0, 2.0, 4.0, 5.0, 5.0]
