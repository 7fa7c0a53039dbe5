"""Programs that fork with a client in hand, for test_forks. Their status is 0 if all is well.

Each is a process of its own, as the threads of a test run must not be forked.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sys
import threading
from collections.abc import Callable
from typing import Final, cast

from rpcschema.runtime.client.aio import BaseAsyncClient
from rpcschema.runtime.client.blocking import BaseClient
from rpcschema.runtime.client.unix import UnixTransport
from tests.runtime.restserver import RUNE

CALLS: Final = 50


class Client(BaseClient):
    rpc_package = "none"


class AsyncClient(BaseAsyncClient):
    rpc_package = "none"


def call(client: Client, who: str) -> None:
    for number in range(CALLS):
        assert client.rpc_call(who, [who, number]) == [who, number]


def call_and_close(client: Client, who: str) -> None:
    with client:
        call(client, who)


async def call_async(client: AsyncClient, who: str) -> None:
    for number in range(CALLS):
        two = await asyncio.gather(*(client.rpc_call(who, [who, number, side]) for side in range(2)))
        assert two == [[who, number, 0], [who, number, 1]]


def forked(work: Callable[[], None]) -> int:
    """Fork a child process that does `work`; return its id."""
    if pid := os.fork():
        return pid
    status = 1
    try:
        work()
        status = 0
    finally:
        os._exit(status)


def ended(pid: int) -> None:
    assert os.waitpid(pid, 0)[1] == 0


def blocking(path: str) -> None:
    """Call from parent, child and grandchild at the same time."""
    with Client(path, timeout=30) as client:

        def child() -> None:
            grandchild = forked(lambda: call(client, "grandchild"))
            call(client, "child")
            ended(grandchild)

        call(client, "parent")
        pid = forked(child)
        call(client, "parent")
        ended(pid)
        call(client, "parent")


def busy(path: str) -> None:
    """Fork while another thread waits for an answer, and so holds the client's locks."""
    with Client(path, timeout=30) as client:
        answers: list[object] = []
        waits = threading.Thread(target=lambda: answers.append(client.rpc_call("wait")))
        waits.start()
        while not cast(UnixTransport, client._rpc_transport)._busy:
            pass

        def child() -> None:
            call(client, "child")
            client.rpc_call("release")

        ended(forked(child))
        waits.join()
        assert answers == ["released"]
        call(client, "parent")


def leaving(path: str) -> None:
    """Fork a child that makes no call. It keeps nothing open: the node sees the parent close its connection."""
    come, go = os.pipe()

    def child() -> None:
        assert os.read(come, 1) == b"x"

    with Client(path, timeout=30) as client:
        call(client, "parent")
        pid = forked(child)
    with Client(path, timeout=30) as another:
        another.rpc_call("closed")
    os.write(go, b"x")
    ended(pid)


def in_a_loop(path: str) -> None:
    """Fork in a coroutine while calls wait."""

    async def main() -> None:
        async with AsyncClient(path, timeout=30) as client:
            await call_async(client, "parent")
            wait = asyncio.create_task(client.rpc_call("wait"))
            await call_async(client, "parent")
            pid = forked(lambda: asyncio.run(call_async(client, "child")))
            await call_async(client, "parent")
            await asyncio.to_thread(ended, pid)
            await client.rpc_call("release")
            assert await wait == "released"

    asyncio.run(main())


def between_loops(path: str) -> None:
    """Fork while the parent's event loop is idle."""
    client = AsyncClient(path, timeout=30)
    with asyncio.Runner() as runner:
        runner.run(call_async(client, "parent"))
        pid = forked(lambda: asyncio.run(call_async(client, "child")))
        runner.run(call_async(client, "parent"))
        ended(pid)
        runner.run(call_async(client, "parent"))
        runner.run(client.rpc_close())


def in_processes(path: str) -> None:
    """Let multiprocessing fork, and use the same client in each process."""
    with Client(path, timeout=30) as client:
        call(client, "parent")
        make = multiprocessing.get_context("fork").Process
        processes = [make(target=call, args=(client, f"child {number}")) for number in range(3)]
        for process in processes:
            process.start()
        call(client, "parent")
        for process in processes:
            process.join()
            assert process.exitcode == 0


def in_spawned_processes(path: str) -> None:
    """Let multiprocessing pickle the client for a process that it starts from nothing."""
    with Client(path, timeout=30) as client:
        call(client, "parent")
        process = multiprocessing.get_context("spawn").Process(target=call_and_close, args=(client, "child"))
        process.start()
        call(client, "parent")
        process.join()
        assert process.exitcode == 0


def in_processes_of_a_loop(path: str) -> None:
    """Do the same in a coroutine."""
    forking = multiprocessing.get_context("fork")

    async def main() -> None:
        async with AsyncClient(path, timeout=30) as client:
            await call_async(client, "parent")
            process = forking.Process(target=lambda: asyncio.run(call_async(client, "child")))
            process.start()
            await call_async(client, "parent")
            await asyncio.to_thread(process.join)
            assert process.exitcode == 0

    asyncio.run(main())


def over_rest(place: str) -> None:
    """Call from parent, child and grandchild over HTTPS, with connections open that each must not share."""
    url, ca = place.split(" ")
    with Client(url, rune=RUNE, ca=ca, timeout=30) as client:

        def calls(who: str) -> None:
            for number in range(CALLS):
                assert client.rpc_call(who, {"number": number})["params"] == {"number": number}

        def child() -> None:
            grandchild = forked(lambda: calls("grandchild"))
            calls("child")
            ended(grandchild)

        calls("parent")
        pid = forked(child)
        calls("parent")
        ended(pid)
        calls("parent")


def over_rest_in_a_loop(place: str) -> None:
    """Fork in a coroutine while connections are open."""
    url, ca = place.split(" ")

    async def calls(who: str) -> None:
        for number in range(CALLS):
            pair = (client.rpc_call(who, {"number": number, "side": side}) for side in range(2))
            assert [each["params"]["side"] for each in await asyncio.gather(*pair)] == [0, 1]

    async def main() -> None:
        await calls("parent")
        pid = forked(lambda: asyncio.run(calls("child")))
        await calls("parent")
        await asyncio.to_thread(ended, pid)
        await calls("parent")
        await client.rpc_close()

    client = AsyncClient(url, rune=RUNE, ca=ca, timeout=30)
    asyncio.run(main())


PROGRAMS: Final[dict[str, Callable[[str], None]]] = {
    program.__name__: program
    for program in (
        blocking,
        busy,
        leaving,
        in_a_loop,
        between_loops,
        in_processes,
        in_spawned_processes,
        in_processes_of_a_loop,
        over_rest,
        over_rest_in_a_loop,
    )
}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]](sys.argv[2])
