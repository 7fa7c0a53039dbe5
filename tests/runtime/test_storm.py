"""A thousand calls at once, on each transport, while connections break and callers give up.

Each call ends, with its own response or with an error that says why: none hangs, and no response reaches another call.
`STORM=100` runs a hundred storms instead of two.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpcschema.runtime.client.aio import BaseAsyncClient
from rpcschema.runtime.client.blocking import BaseClient
from rpcschema.runtime.errors import ConnectionLostError, RpcTimeoutError, TransportError
from tests.runtime.breaking import BreakingProxy
from tests.runtime.node import ManyNode
from tests.runtime.restserver import RUNE, RestServer, response

CALLS = 1000
STORMS = int(os.environ.get("STORM", "2"))
SECONDS = 60
each_transport = pytest.mark.parametrize("over", ["socket", "rest"])


class Client(BaseClient):
    rpc_package = "none"


class AsyncClient(BaseAsyncClient):
    rpc_package = "none"


@contextmanager
def storm(over: str, seed: int) -> Iterator[tuple[BreakingProxy, str | Path, dict[str, Any]]]:
    """Yield a proxy in front of a server that answers with its parameters, and the arguments of a client."""
    with TemporaryDirectory(prefix="storm-") as name:
        folder = Path(name)
        if over == "socket":
            with ManyNode(folder / "node") as _, BreakingProxy(folder / "node", folder / "rpc", seed) as proxy:
                yield proxy, folder / "rpc", {}
        else:
            with (
                RestServer(folder, lambda request: response(request.params)) as server,
                BreakingProxy(server.port, None, seed, cuts=0.02) as proxy,
            ):
                yield proxy, f"https://127.0.0.1:{proxy.port}", {"rune": RUNE, "ca": server.ca}


def sized(random: Random, number: int) -> dict[str, Any]:
    """Return parameters that no other call has, mostly short."""
    return {"number": number, "filling": "x" * random.choice((0, 10, 10, 20_000))}


@each_transport
@settings(max_examples=STORMS, deadline=None)
@given(seed=st.integers(0, 1 << 32))
def test_a_thousand_calls_of_asyncio_end_each_with_its_own_response(over: str, seed: int) -> None:
    random, ended = Random(seed), Counter[str]()

    async def call(client: AsyncClient, number: int) -> None:
        sent = sized(random, number)
        try:
            async with asyncio.timeout(random.choice((None, None, None, random.uniform(0, 0.5)))):
                received = await client.rpc_with(timeout=random.choice((None, 0.3))).rpc_call("echo", sent)
        except (TransportError, RpcTimeoutError, TimeoutError) as error:
            ended[type(error).__name__] += 1
        else:
            assert received == sent
            ended["response"] += 1

    async def main() -> None:
        async with AsyncClient(node, **options) as client:
            await asyncio.gather(*(call(client, number) for number in range(CALLS)))
            for attempt in range(200):  # the client still works, when the storm is over
                proxy._cuts = 0
                try:
                    assert await client.rpc_call("echo", {"last": attempt}) == {"last": attempt}
                except ConnectionLostError:
                    continue
                break
            else:
                raise AssertionError

    with storm(over, seed) as (proxy, node, options):
        asyncio.run(asyncio.wait_for(main(), SECONDS))
        assert proxy.broken
    assert sum(ended.values()) == CALLS
    assert ended["response"]


@each_transport
@settings(max_examples=STORMS, deadline=None)
@given(seed=st.integers(0, 1 << 32))
def test_a_thousand_calls_of_threads_end_each_with_its_own_response(over: str, seed: int) -> None:
    random, ended = Random(seed), Counter[str]()

    def call(number: int) -> str:
        sent = sized(random, number)
        try:
            received = client.rpc_with(timeout=random.choice((None, 0.3))).rpc_call("echo", sent)
        except (TransportError, RpcTimeoutError) as error:
            return type(error).__name__
        assert received == sent
        if not random.randrange(100):
            client.rpc_close()
        return "response"

    with (
        storm(over, seed) as (proxy, node, options),
        Client(node, **options) as client,
        ThreadPoolExecutor(64) as pool,
    ):
        for done in as_completed([pool.submit(call, number) for number in range(CALLS)], SECONDS):
            ended[done.result()] += 1
        assert proxy.broken
    assert sum(ended.values()) == CALLS
    assert ended["response"]
