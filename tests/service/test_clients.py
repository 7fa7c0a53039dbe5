"""Our clients with our server: after a wait is cancelled, other calls still work."""

from __future__ import annotations

import asyncio

import pytest

from clnrpc import AsyncClient, Client, RpcTimeoutError
from tests.service.program import SECONDS, Program


def test_a_cancelled_wait_leaves_the_asyncio_client_usable(program: Program) -> None:
    async def calls() -> None:
        async with AsyncClient(program.socket) as client:
            for _ in range(3):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(client.waitanyinvoice(), 0.1)
                assert (await client.getinfo()).network == "regtest"

    with program.served():
        asyncio.run(asyncio.wait_for(calls(), SECONDS))


def test_a_wait_that_timed_out_leaves_the_blocking_client_usable(program: Program) -> None:
    with program.served(), Client(program.socket, timeout=0.5) as client:
        with pytest.raises(RpcTimeoutError, match=r"^waitanyinvoice: no response within 0.5 seconds"):
            client.rpc_call("waitanyinvoice")
        assert client.rpc_with(timeout=SECONDS).getinfo().network == "regtest"
