"""How much a peer may send, or is sent, in a second."""

from __future__ import annotations

import asyncio

from lnoffers.service.peers.pace import Pace


def test_a_burst_passes_at_once_and_no_more() -> None:
    async def run() -> list[bool]:
        pace = Pace(rate=0.001, burst=3)
        return [pace.try_spend(1) for _ in range(5)]

    assert asyncio.run(run()) == [True, True, True, False, False]


def test_what_is_spent_beyond_the_burst_is_waited_for() -> None:
    async def run() -> float:
        pace = Pace(rate=100, burst=1)
        clock = asyncio.get_running_loop().time
        begun = clock()
        for _ in range(11):
            await pace.spend(1)
        return clock() - begun

    assert asyncio.run(run()) >= 0.09, "ten more than the burst are earned in a tenth of a second"
