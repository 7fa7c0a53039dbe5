"""Which pauses lie between connections to a peer, and what becomes of handshakes at the end, within this process."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket

import pytest

from lnoffers.bolt12 import CHAINS
from lnoffers.fetching.peer import Peer, PeerGoneError
from lnoffers.net.address import Address
from lnoffers.net.features import OFFERED
from lnoffers.net.messages import Init
from lnoffers.service.peers import Peers, reach, stay_connected
from tests.peers.stranger import key

REGTEST = CHAINS["regtest"]
ATTEMPTS = 6


def our_peers() -> Peers:
    return Peers(key(1), REGTEST, lambda _, __: None)


class EnoughError(Exception):
    """The pauses are known."""


async def pauses(address: Address) -> list[float]:
    """Return the pauses after the first attempts to stay connected, without waiting for them."""
    found = list[float]()

    async def sleep(seconds: float) -> None:
        found.append(seconds)
        await asyncio.sleep(0)
        if len(found) == ATTEMPTS:
            raise EnoughError

    with pytest.raises(EnoughError):
        await stay_connected(our_peers(), address, sleep=sleep)
    return found


async def pauses_if_it_hangs_up() -> list[float]:
    """Return the pauses between connections to a node that ends each one after its `init`."""

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = await Peer.accept(reader, writer, key(2), Init(OFFERED, (REGTEST,)))
        await peer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        return await pauses(Address(key(2).public_key, "127.0.0.1", server.sockets[0].getsockname()[1]))


def grow(found: list[float]) -> bool:
    """Return whether each pause is twice as long as the one before, give or take the jitter."""
    return all(2**number / 2 <= pause / reach.FIRST_PAUSE <= 2**number for number, pause in enumerate(found))


def test_the_pauses_grow_while_a_peer_ends_each_connection() -> None:
    assert grow(asyncio.run(pauses_if_it_hangs_up()))


def test_the_pauses_begin_anew_after_a_connection_that_lasted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "LASTING_SECONDS", 0.0)
    assert max(asyncio.run(pauses_if_it_hangs_up())) <= reach.FIRST_PAUSE


def test_only_the_first_of_many_failures_is_logged_as_information(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as closed, caplog.at_level(logging.DEBUG, reach.logger.name):
        closed.bind(("127.0.0.1", 0))
        assert grow(asyncio.run(pauses(Address(key(2).public_key, *closed.getsockname()))))
    assert [record.levelno for record in caplog.records] == [logging.INFO] + [logging.DEBUG] * (ATTEMPTS - 1)


def test_a_handshake_that_ends_before_its_first_step_leaves_its_place_and_closes_its_socket() -> None:
    async def run() -> tuple[int, int]:
        entrance = reach._Entrance(our_peers())
        ours, theirs = socket.socketpair()
        with theirs:
            ours.setblocking(False)
            assert not entrance._admission.enter("192.0.2.1")
            entrance._shake_hands(ours, "192.0.2.1", 9)
            await entrance.close()
            return ours.fileno(), entrance._admission._open.total()

    assert asyncio.run(run()) == (-1, 0)


def test_server_that_stops_listening_at_once_leaves_no_socket_open() -> None:
    """Python warns of a socket that nobody closes, and a warning is an error here."""

    async def run() -> None:
        async with reach.listening(our_peers(), [("127.0.0.1", 0)]):
            pass

    asyncio.run(run())
    gc.collect()


def test_a_bug_in_a_handshake_is_reported() -> None:
    reported = list[str]()

    def fail(_: str) -> str:
        raise ZeroDivisionError

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context["message"]))
        peers = our_peers()
        peers._unavailable = fail  # type: ignore[method-assign, assignment]
        async with reach.listening(peers, [("127.0.0.1", 0)]):
            [(host, port)] = peers.listening
            with pytest.raises(PeerGoneError):
                await Peer.open(Address(key(1).public_key, host, port), key(2), Init(OFFERED, (REGTEST,)))

    asyncio.run(run())
    assert reported == ["A handshake ended in a bug"]
