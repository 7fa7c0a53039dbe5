"""The clients at a real node: calls that wait, are given up or answered out of order, and children that call."""

from __future__ import annotations

import asyncio
import os
import threading
import warnings
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from clnrpc import RELEASE, AsyncClient, Client, RpcError, RpcTimeoutError, to_dict
from clnrpc.runtime.client.version import is_compatible
from tests.interop.nodes import Node

SECONDS = 60


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(coroutine, SECONDS))


def rpc_connections(node: Node) -> int:
    """Return how many clients the node has, by its file descriptors for the RPC socket."""
    accepted = {
        line.split()[6]
        for line in Path("/proc/net/unix").read_text().splitlines()
        if line.endswith("lightning-rpc") and line.split()[5] == "03"
    }
    folder = Path(f"/proc/{node.process.pid}/fd")
    return len({str(each.readlink()) for each in folder.iterdir()} & {f"socket:[{inode}]" for inode in accepted})


def test_a_cancelled_wait_leaves_the_client_usable(l1: Node) -> None:
    async def calls() -> None:
        async with AsyncClient(l1.socket) as client:
            for _ in range(3):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(client.waitanyinvoice(), 0.2)
                assert (await client.getinfo()).id == l1.id

    run(calls())


def test_a_wait_that_timed_out_leaves_the_client_usable(l1: Node) -> None:
    async def calls() -> None:
        async with AsyncClient(l1.socket, timeout=0.5) as client:
            with pytest.raises(RpcTimeoutError, match=r"^waitblockheight: "):
                await client.rpc_call("waitblockheight", [1_000_000])
            assert (await client.rpc_with(timeout=SECONDS).getinfo()).id == l1.id

    run(calls())
    with Client(l1.socket, timeout=0.5) as client:
        with pytest.raises(RpcTimeoutError, match=r"^waitblockheight: "):
            client.rpc_call("waitblockheight", [1_000_000])
        assert client.rpc_with(timeout=SECONDS).getinfo().id == l1.id


def test_one_connection_carries_several_calls_while_one_waits(l1: Node) -> None:
    async def calls() -> None:
        async with AsyncClient(l1.socket) as client:
            await client.getinfo()
            before = rpc_connections(l1)
            assert before > 0
            wait = asyncio.create_task(client.waitinvoice("while one waits"))
            answers = await asyncio.gather(*(client.getinfo() for _ in range(20)))
            assert {answer.id for answer in answers} == {l1.id}
            assert not wait.done()
            assert rpc_connections(l1) == before
            await client.delinvoice("while one waits", "unpaid")
            with pytest.raises(RpcError, match=r"^waitinvoice: ") as caught:
                await wait
            assert caught.value.method == "waitinvoice"

    l1.client.invoice(1000, "while one waits", "tea")
    run(calls())


def test_calls_given_up_leave_no_connection_at_the_node(l1: Node) -> None:
    async def calls() -> None:
        async with AsyncClient(l1.socket) as client:
            await client.getinfo()
            before = rpc_connections(l1)
            for _ in range(20):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(client.waitblockheight(1_000_000), 0.05)
                await client.getinfo()
            assert rpc_connections(l1) <= before

    run(calls())


def test_required_parameters_may_be_passed_by_position(l1: Node) -> None:
    made = l1.client.invoice(1000, "by position", "tea", expiry=600)
    assert l1.client.decode(made.bolt11).type == "bolt11 invoice"
    assert l1.client.delinvoice("by position", "unpaid").label == "by position"


def test_the_build_that_the_types_come_from_brings_no_warning(l1: Node) -> None:
    version = l1.client.rpc_call("getinfo")["version"]
    if RELEASE is None or not is_compatible(RELEASE, version):
        pytest.skip(f"this node is {version}")
    with warnings.catch_warnings(action="error"), Client(l1.socket) as client:
        client.listfunds()
        assert client.rpc_node_version == version


def test_an_answer_becomes_plain_json_without_loss(l1: Node) -> None:
    for method in ("getinfo", "listfunds", "listpeerchannels", "listconfigs", "feerates"):
        parameters = {"style": "perkw"} if method == "feerates" else {}
        with warnings.catch_warnings(action="ignore"):
            typed = getattr(l1.client, method)(**parameters)
        assert to_dict(typed) == l1.client.rpc_call(method, parameters)


def test_a_forked_child_and_its_parent_both_call(l1: Node) -> None:
    with Client(l1.socket, timeout=SECONDS) as client:
        client.getinfo()
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):  # the test run has threads
            pid = os.fork()
        if pid == 0:
            status = 1
            try:
                status = int(any(client.getinfo().id != l1.id for _ in range(20)))
            finally:
                os._exit(status)
        assert all(client.getinfo().id == l1.id for _ in range(20))
        assert os.waitpid(pid, 0)[1] == 0


def test_threads_share_a_client(l1: Node) -> None:
    with Client(l1.socket, timeout=SECONDS) as client:
        found: list[str] = []
        threads = [threading.Thread(target=lambda: found.append(client.getinfo().id)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [l1.id] * 8
