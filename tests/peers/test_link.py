"""One connection, over real sockets within this process."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Literal

from lnoffers.bolt12 import CHAINS
from lnoffers.fetching.peer import MESSAGE_COST, Peer, PeerGoneError
from lnoffers.net.address import Address
from lnoffers.net.connection import Event
from lnoffers.net.features import OFFERED
from lnoffers.net.messages import CustomMessage, Init, OnionMessage, Ping, write_message
from lnoffers.service.peers.link import FORWARDS_WAIT, MAX_QUEUED_BYTES, Link
from tests.peers.stranger import key

INIT: Final = Init(OFFERED, (CHAINS["regtest"],))
SOON: Final = 0.02
LATE: Final = 3_600.0
PONG_BYTES: Final = 65_531


@dataclass(frozen=True)
class Ends:
    """Both ends of a connection: the one under test, and the other node's, of which nothing is read unasked."""

    ours: Peer
    theirs: Peer


@asynccontextmanager
async def ends(limit: Callable[[int], Awaitable[None]] | None = None) -> AsyncIterator[Ends]:
    """Connect two nodes; `limit` is that of the end under test."""
    accepted: asyncio.Queue[Peer] = asyncio.Queue()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.put_nowait(await Peer.accept(reader, writer, key(1), INIT, *filter(None, [limit])))

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        theirs = await Peer.open(Address(key(1).public_key, "127.0.0.1", port), key(2), INIT)
        ours = await accepted.get()
        try:
            yield Ends(ours, theirs)
        finally:
            ours.abort()
            theirs.abort()


def started(link: Link) -> asyncio.Future[str]:
    """Start a link; the result is the reason why it has ended."""
    reason: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    link.start(lambda _link, _event: None, lambda _link, error: reason.set_result(str(error)))
    return reason


async def next_of(peer: Peer, kind: type[Event]) -> Event:
    """Return the next event of this kind."""
    while not isinstance(event := await peer.next_event(), kind):
        pass
    return event


def test_a_silent_peer_gets_a_ping_and_stays_connected_if_it_answers() -> None:
    async def run() -> bool:
        async with ends() as both:
            ended = started(Link(both.ours, None, silent_seconds=SOON, pong_seconds=LATE))
            for _ in range(3):
                await next_of(both.theirs, Ping)  # and the pong is sent
            return ended.done()

    assert not asyncio.run(run())


def test_a_silent_peer_that_sends_no_pong_is_given_up() -> None:
    async def run() -> str:
        async with ends() as both:
            return await started(Link(both.ours, None, silent_seconds=SOON, pong_seconds=SOON))

    assert asyncio.run(run()) == f"no pong came within {SOON:g} seconds"


def test_a_ping_that_a_caller_sent_fails_with_the_connection() -> None:
    async def run() -> str:
        async with ends() as both:
            link = Link(both.ours, None, silent_seconds=LATE, pong_seconds=LATE)
            started(link)
            asking = asyncio.create_task(link.ping(Ping()))
            await next_of(both.theirs, Ping)
            both.theirs.abort()
            try:
                await asking
            except PeerGoneError as error:
                return str(error)
        return ""

    assert asyncio.run(run())


def test_a_peer_that_reads_nothing_is_not_read_until_it_reads_again() -> None:
    asked, small, large = 40, 4_096, 1 << 20

    async def run() -> tuple[int, int]:
        async with ends() as both:
            transport, heard = both.ours._writer.transport, list[Event]()
            sending, receiving = (peer._writer.get_extra_info("socket") for peer in (both.ours, both.theirs))
            sending.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, small)
            receiving.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, small)
            link = Link(both.ours, None, silent_seconds=LATE)
            link.start(lambda _, event: heard.append(event), lambda _, __: None)
            established = both.theirs._connection._established
            assert established is not None
            for _ in range(asked):
                both.theirs._writer.write(established.writer.frame(write_message(Ping(PONG_BYTES))))
            while transport.get_write_buffer_size() <= transport.get_write_buffer_limits()[1]:
                await asyncio.sleep(0)  # until the system accepts no more of what is sent
            held = 0
            for _ in range(1_000):
                await asyncio.sleep(0)
                held = max(held, transport.get_write_buffer_size())
            heard_while_blocked = len(heard)
            sending.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, large)
            receiving.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, large)
            while len(heard) < asked:
                await both.theirs._reader.read(1 << 16)
            return held, heard_while_blocked

    held, heard_while_blocked = asyncio.run(run())
    assert held < 3 * PONG_BYTES
    assert heard_while_blocked < asked // 2


def test_messages_of_connections_that_share_a_turn_are_handled_one_at_a_time() -> None:
    count, ticks = 50, list[int]()

    async def run() -> None:
        tick = 0

        async def count_turns() -> None:
            nonlocal tick
            while True:
                tick += 1
                await asyncio.sleep(0)

        async with ends() as one, ends() as two:
            turn = asyncio.Lock()
            for both in (one, two):
                established = both.theirs._connection._established
                assert established is not None
                for _ in range(count):
                    both.theirs._writer.write(established.writer.frame(write_message(Ping(0))))
            for both in (one, two):
                link = Link(both.ours, None, turn=turn, silent_seconds=LATE)
                link.start(lambda _, __: ticks.append(tick), lambda _, __: None)
            counting = asyncio.create_task(count_turns())
            while len(ticks) < 2 * count:
                await asyncio.sleep(0)
            counting.cancel()

    asyncio.run(run())
    assert len(set(ticks)) == len(ticks)


class CountedTurn(asyncio.Lock):
    """A turn that counts how often it is taken."""

    taken = 0

    async def acquire(self) -> Literal[True]:
        self.taken += 1
        return await super().acquire()


def test_messages_of_applications_that_nobody_handles_take_no_turn() -> None:
    known, unknown = CustomMessage(40_001, b"known"), CustomMessage(40_003, b"unknown")

    async def run() -> tuple[list[Event], int]:
        heard, turn = list[Event](), CountedTurn()
        async with ends() as both:
            link = Link(both.ours, None, custom={known.type}, turn=turn, silent_seconds=LATE)
            link.start(lambda _, event: heard.append(event), lambda _, __: None)
            for message in (unknown, unknown, known):
                await both.theirs.send(message)
            while not heard:
                await asyncio.sleep(0)
        return heard, turn.taken

    assert asyncio.run(run()) == ([known], 1)


def test_messages_count_however_small_they_are_and_even_if_they_are_ignored() -> None:
    count, unknown = 50, b"\xff\xff"

    async def run() -> int:
        counted = 0

        async def limit(amount: int) -> None:
            nonlocal counted
            counted += amount

        async with ends(limit) as both:
            established = both.theirs._connection._established
            assert established is not None
            for message in (*[unknown] * count, write_message(Ping(0)), unknown, write_message(Ping(0))):
                both.theirs._writer.write(established.writer.frame(message))
            before = counted
            await next_of(both.ours, Ping)
            await next_of(both.ours, Ping)
            both.theirs._writer.write(established.writer.frame(write_message(Ping(0))))
            await next_of(both.ours, Ping)
        return counted - before

    assert asyncio.run(run()) >= count * MESSAGE_COST


def onion(text: bytes) -> OnionMessage:
    """Return an onion message that nobody opens."""
    return OnionMessage(key(3).public_key, text)


def test_own_messages_are_sent_before_those_that_are_forwarded() -> None:
    async def run() -> Event:
        async with ends() as both:
            link = Link(both.ours, None)
            assert link.forward(onion(b"of another node"))
            assert link.send(onion(b"of this node"))
            started(link)
            return await next_of(both.theirs, OnionMessage)

    assert asyncio.run(run()) == onion(b"of this node")


def test_a_message_is_not_forwarded_while_many_wait_but_own_ones_are_queued() -> None:
    async def run() -> list[bool]:
        async with ends() as both:
            link = Link(both.ours, None)
            assert link.send(onion(b"of this node"))
            forwarded = [link.forward(onion(b"of another node")) for _ in range(FORWARDS_WAIT)]
            assert link.send(onion(b"of this node"))
            assert not link.send(onion(bytes(MAX_QUEUED_BYTES)))
            return forwarded

    assert asyncio.run(run()) == [True] * (FORWARDS_WAIT - 1) + [False]


def test_a_withdrawn_message_is_not_sent_and_takes_no_room() -> None:
    half = bytes(MAX_QUEUED_BYTES // 2)

    async def run() -> tuple[int, int, Event]:
        async with ends() as both:
            link = Link(both.ours, None)
            first, second = link.send(onion(b"first")), link.send(onion(half))
            assert first is not None
            assert second is not None
            assert link.send(onion(half)) is None
            places = link.withdraw(second), link.withdraw(first)
            started(link)
            for _ in range(10):
                await asyncio.sleep(0)  # it finds nothing to send
            assert link.send(onion(b"last"))
            assert link.send(onion(half))
            return *places, await next_of(both.theirs, OnionMessage)

    assert asyncio.run(run()) == (1, 0, onion(b"last"))
