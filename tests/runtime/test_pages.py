"""Long lists in pages, and the changes of lists, from a node that behaves as lightningd does."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import aclosing
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clnrpc import AsyncClient, Client, ClientError, ProtocolError
from clnrpc.runtime.client.pages import Pages
from clnrpc.types import ListforwardsForward, ListforwardsResponse
from tests.runtime.loops import run


class Node:
    """Has a list of forwards; it counts the limit before it filters."""

    def __init__(self, path: Path, forwards: dict[int, str]) -> None:
        self.path = path
        self.forwards = forwards
        self.counters = {"created": max(forwards, default=0), "updated": 0, "deleted": 0}
        self.changed = asyncio.Condition()
        self.calls: list[str] = []

    def listforwards(self, start: int, limit: int, index: str, status: str | None = None) -> Any:
        assert index == "created"
        looked_at = [number for number in sorted(self.forwards) if number >= start][:limit]
        found = [number for number in looked_at if status in (None, self.forwards[number])]
        return {"forwards": [{"created_index": number, "status": self.forwards[number]} for number in found]}

    async def wait(self, subsystem: str, indexname: str, nextvalue: int) -> Any:
        async with self.changed:
            await self.changed.wait_for(lambda: self.counters[indexname] >= nextvalue)
        return {"subsystem": subsystem, indexname: self.counters[indexname]}

    async def change(self, index: str, by: int = 1) -> None:
        async with self.changed:
            self.counters[index] += by
            self.changed.notify_all()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def answer(call: Any) -> None:
            self.calls.append(call["method"])
            if call["method"] == "getinfo":
                result = {"version": "v26.09"}
            elif call["method"] == "wait":
                result = await self.wait(**call["params"])
            else:
                result = self.listforwards(**call["params"])
            writer.write(json.dumps({"jsonrpc": "2.0", "id": call["id"], "result": result}).encode() + b"\n\n")

        async with asyncio.TaskGroup() as pending:
            buffer, decoder = "", json.JSONDecoder()
            while data := await reader.read(1 << 16):
                buffer += data.decode()
                while buffer.strip():
                    call, end = decoder.raw_decode(buffer.lstrip())
                    buffer = buffer.lstrip()[end:]
                    pending.create_task(answer(call))
            for task in pending._tasks:
                task.cancel()
        writer.close()

    async def __aenter__(self) -> Node:
        self._server = await asyncio.start_unix_server(self._serve, self.path)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()


def read(node: Node, limit: int, **filters: Any) -> Iterator[list[int]]:
    """Yield the indexes of each page, without a connection."""
    pages = Pages({**filters, "limit": limit})
    while True:
        raw = node.listforwards(**pages.arguments())["forwards"]
        found = [ListforwardsForward(in_channel="1x1x1", in_msat=1, received_time=0.0, **each) for each in raw]
        is_page = pages.take(ListforwardsResponse(forwards=found))
        if is_page is None:
            return
        if is_page:
            yield [each.created_index or 0 for each in found]


@given(
    forwards=st.dictionaries(st.integers(1, 300), st.sampled_from(["settled", "failed"]), max_size=60),
    limit=st.integers(1, 12),
    status=st.sampled_from([None, "failed", "offered"]),
)
def test_each_element_that_fits_comes_once_in_order(forwards: dict[int, str], limit: int, status: str | None) -> None:
    filters = {} if status is None else {"status": status}
    found = list(read(Node(Path(), forwards), limit, **filters))
    assert list(chain(*found)) == sorted(number for number in forwards if status in (None, forwards[number]))
    assert all(0 < len(page) <= limit for page in found)


def test_pages_are_read_by_both_clients(socket_path: Path) -> None:
    async def main() -> None:
        async with Node(socket_path, dict.fromkeys(range(1, 26), "settled")) as node:
            with Client(socket_path) as client:
                blocking = await asyncio.to_thread(lambda: list(client.rpc_pages(client.listforwards, limit=10)))
            async with AsyncClient(socket_path) as client_of_loop:
                of_loop = [page async for page in client_of_loop.rpc_pages(client_of_loop.listforwards, limit=10)]
            assert node.calls.count("listforwards") == 8
        for pages in (blocking, of_loop):
            assert [len(page.forwards) for page in pages] == [10, 10, 5]
            assert pages[2].forwards[-1].created_index == 25

    run(main())


def test_elements_are_read_by_both_clients(socket_path: Path) -> None:
    async def main() -> None:
        forwards = {number: "failed" if number % 7 else "settled" for number in range(1, 2501)}
        async with Node(socket_path, forwards) as node:
            with Client(socket_path) as client:
                blocking = await asyncio.to_thread(lambda: list(client.iter.listforwards()))
                filtered = await asyncio.to_thread(lambda: list(client.iter.listforwards(status="settled")))
            async with AsyncClient(socket_path) as client_of_loop:
                of_loop = [each async for each in client_of_loop.iter.listforwards()]
            assert node.calls.count("listforwards") == 4 + 5 + 4  # with a filter, one looks for more
        assert [each.created_index for each in blocking] == [each.created_index for each in of_loop] == [*forwards]
        assert [each.created_index for each in filtered] == list(range(7, 2501, 7))

    run(main())


def test_an_iteration_that_stops_early_reads_no_further_page(socket_path: Path) -> None:
    async def main() -> None:
        async with Node(socket_path, dict.fromkeys(range(1, 5001), "settled")) as node:
            with Client(socket_path) as client:
                assert (await asyncio.to_thread(lambda: next(client.iter.listforwards()))).created_index == 1
            async with (
                AsyncClient(socket_path) as client_of_loop,
                aclosing(client_of_loop.iter.listforwards()) as found,
            ):
                assert (await anext(found)).created_index == 1
            assert node.calls.count("listforwards") == 2

    run(main())


def test_a_page_has_at_least_one_element() -> None:
    with pytest.raises(ValueError, match="limit: expected at least 1, not 0"):
        Pages({"limit": 0})


def test_a_node_that_ignores_start_is_no_endless_list() -> None:
    pages = Pages({"limit": 2})
    forwards = [
        ListforwardsForward(in_channel="1x1x1", in_msat=1, received_time=0.0, created_index=each, status="settled")
        for each in (1, 2)
    ]
    assert pages.take(ListforwardsResponse(forwards=forwards))
    with pytest.raises(ProtocolError, match="cannot be read in pages: its elements begin before index 3"):
        pages.take(ListforwardsResponse(forwards=forwards))


def test_filters_are_passed_by_keyword_alone(socket_path: Path) -> None:
    client = Client(socket_path)
    with pytest.raises(TypeError, match="positional argument"):
        next(client.rpc_pages(client.listforwards, 100))  # type: ignore[call-arg,arg-type]


@pytest.mark.parametrize("name", ["index", "start"])
def test_pages_choose_their_position_themselves(name: str) -> None:
    with pytest.raises(TypeError, match=f"^{name}: the pages of a list choose it themselves"):
        Pages({name: 1})


def test_changes_of_all_counters_arrive_from_now_on(socket_path: Path) -> None:
    async def main() -> None:
        async with Node(socket_path, {7: "settled"}) as node, AsyncClient(socket_path, timeout=30) as client:
            async with aclosing(client.rpc_changes("forwards")) as changes:
                first = asyncio.ensure_future(anext(changes))
                while node.calls.count("wait") < 6:
                    await asyncio.sleep(0.01)
                await node.change("updated")
                assert (await first).updated == 1
                await node.change("created", 3)  # several at once
                assert (await anext(changes)).created == 10
                await node.change("created")
                assert (await anext(changes)).created == 11
            assert await client.rpc_call("getinfo") == {"version": "v26.09"}

    run(main())


def test_changes_since_a_number_are_not_missed(socket_path: Path) -> None:
    async def main() -> None:
        async with (
            Node(socket_path, {7: "settled"}),
            AsyncClient(socket_path) as client,
            aclosing(client.rpc_changes("forwards", "created", since={"created": 5})) as changes,
        ):
            assert (await anext(changes)).created == 7

    run(main())


def test_changes_are_followed_by_a_blocking_client(socket_path: Path) -> None:
    async def main() -> None:
        async with Node(socket_path, {7: "settled"}) as node:
            with Client(socket_path, timeout=0.05) as client:
                changes = client.rpc_changes("forwards", "updated")
                first = asyncio.ensure_future(asyncio.to_thread(next, changes))
                while node.calls.count("wait") < 2:
                    await asyncio.sleep(0.01)
                await asyncio.sleep(0.2)  # longer than the client's timeout, which does not apply
                await node.change("updated", 2)
                assert (await first).updated == 2
                await node.change("updated")
                assert (await asyncio.to_thread(next, changes)).updated == 3
                missed = client.rpc_changes("forwards", "created", since={"created": 5})
                assert (await asyncio.to_thread(next, missed)).created == 7

    run(main())


def test_closing_the_client_ends_a_blocking_wait(socket_path: Path) -> None:
    async def main() -> None:
        async with Node(socket_path, {}) as node:
            client = Client(socket_path)
            waiting = asyncio.ensure_future(asyncio.to_thread(next, client.rpc_changes("forwards", "created")))
            while node.calls.count("wait") < 2:
                await asyncio.sleep(0.01)
            client.rpc_close()
            with pytest.raises(ClientError):
                await waiting

    run(main())
