"""Messages of applications, in odd types from 32769 on: who gets them, and what a flood of them costs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import pytest

from lnoffers.bolt12 import CHAINS, KeyPair
from lnoffers.fetching.peer import MESSAGE_COST, PeerGoneError
from lnoffers.net.address import Address
from lnoffers.net.errors import LocalProtocolError
from lnoffers.net.frames import MAX_MESSAGE
from lnoffers.net.messages import CustomMessage
from lnoffers.service.peers import Link, Peers, listening
from lnoffers.service.peers.link import READ_BURST, READ_BYTES
from tests.peers.stranger import key

TYPE: Final = 40_001
OTHER: Final = 40_003
NOTHING: Final = bytes(0)
LARGEST: Final = bytes(MAX_MESSAGE - 2)


class Node:
    """A node that keeps the messages of the type."""

    def __init__(self, own: KeyPair) -> None:
        self.peers = Peers(own, CHAINS["regtest"], lambda *_: None)
        self.received: asyncio.Queue[tuple[bytes, bytes]] = asyncio.Queue()
        self.peers.handle_custom(TYPE, lambda link, data: self.received.put_nowait((link.node_id, data)))


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[Node, Node, Link]]:
    """Connect a node to another one; the link is that of the first."""
    one, two = Node(key(1)), Node(key(2))
    async with listening(two.peers, [("127.0.0.1", 0)]):
        [(host, port)] = two.peers.listening
        try:
            yield one, two, await one.peers.connect(Address(two.peers.node_id, host, port))
        finally:
            await one.peers.close()
            await two.peers.close()


@pytest.mark.parametrize("data", [NOTHING, b"hello", LARGEST], ids=["empty", "short", "largest"])
def test_message_goes_to_the_handler_of_its_type_with_its_sender(data: bytes) -> None:
    async def run() -> tuple[bytes, bytes]:
        async with connected() as (_, two, link):
            await link.send_custom(CustomMessage(TYPE, data))
            return await two.received.get()

    assert asyncio.run(run()) == (key(1).public_key, data)


def test_both_sides_can_send_over_one_connection() -> None:
    async def run() -> bytes:
        async with connected() as (one, two, link):
            await link.send_custom(CustomMessage(TYPE, b"there"))
            sender, data = await two.received.get()
            back = two.peers.link(sender)
            assert back is not None
            await back.send_custom(CustomMessage(TYPE, data + b" and back"))
            return (await one.received.get())[1]

    assert asyncio.run(run()) == b"there and back"


def test_message_of_a_type_without_a_handler_is_ignored() -> None:
    async def run() -> tuple[bytes, bool]:
        async with connected() as (_, two, link):
            await link.send_custom(CustomMessage(OTHER, b"unknown"))
            await link.send_custom(CustomMessage(TYPE, b"known"))
            return (await two.received.get())[1], two.received.empty()

    assert asyncio.run(run()) == (b"known", True)


@pytest.mark.parametrize("type_", [18, TYPE + 1, 32_767, 1 << 16])
def test_no_other_type_can_have_a_handler(type_: int) -> None:
    async def run() -> None:
        Node(key(1)).peers.handle_custom(type_, lambda _, __: None)

    with pytest.raises(LocalProtocolError, match="applications have the odd types"):
        asyncio.run(run())


def test_message_longer_than_a_frame_is_refused_and_the_connection_stays() -> None:
    async def run() -> bytes:
        async with connected() as (_, two, link):
            with pytest.raises(LocalProtocolError, match="does not fit a frame"):
                await link.send_custom(CustomMessage(TYPE, LARGEST + b"!"))
            await link.send_custom(CustomMessage(TYPE, b"still here"))
            return (await two.received.get())[1]

    assert asyncio.run(run()) == b"still here"


def test_message_on_a_connection_that_has_ended_is_refused() -> None:
    async def run() -> None:
        async with connected() as (one, two, link):
            await one.peers.disconnect(two.peers.node_id)
            with pytest.raises(PeerGoneError):
                await link.send_custom(CustomMessage(TYPE, b"late"))

    asyncio.run(run())


def test_flood_is_read_no_faster_than_other_messages() -> None:
    """What goes beyond the burst stays in the buffers of the sender and the system."""

    async def run() -> tuple[int, float]:
        clock = asyncio.get_running_loop().time
        begun = clock()
        async with connected() as (_, two, link):
            flood = asyncio.create_task(send_all(link, 2 * READ_BURST // MESSAGE_COST))
            await two.received.get()
            while two.received.qsize() < READ_BURST // MESSAGE_COST // 2:
                await asyncio.sleep(0)
            for _ in range(1_000):
                await asyncio.sleep(0)
            flood.cancel()
            return two.received.qsize(), clock() - begun

    received, seconds = asyncio.run(run())
    assert received * MESSAGE_COST <= READ_BURST + seconds * READ_BYTES


async def send_all(link: Link, count: int) -> None:
    for _ in range(count):
        await link.send_custom(CustomMessage(TYPE, NOTHING))
