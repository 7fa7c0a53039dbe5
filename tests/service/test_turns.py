"""Calls run in turns: those of a turn share a commit, and no client keeps the others waiting."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress

import pytest

from clnrpc.runtime.errors import RpcError
from clnrpc.runtime.server.dispatch import Answer
from lnoffers.service import Node
from lnoffers.service.serving import server as server_module
from lnoffers.service.serving import turns
from lnoffers.service.serving.connection import CALLS_AT_ONCE, MAX_UNREAD_BYTES
from lnoffers.service.serving.turns import Turns
from lnoffers.service.store import Store, invoicerequests
from tests.service.entropies import HeldEntropy
from tests.service.program import SECONDS, Program, Wire, request, while_served
from tests.service.storing import row


def many(count: int) -> bytes:
    """Return calls that each draw entropy, so that a test decides how long they take."""
    return b"".join(request("invoicerequest", [1000, "x"], number) for number in range(count))


@contextmanager
def connected(program: Program, count: int) -> Iterator[list[Wire]]:
    """Yield so many clients that the server has accepted."""
    with ExitStack() as stack:
        wires = [stack.enter_context(Wire(program.socket)) for _ in range(count)]
        for wire in wires:
            assert wire.ask("help", ["stop"])["result"]
        yield wires


def arrived(program: Program) -> None:
    """Wait until the server's loop has read what was sent before: it refuses what is no JSON by itself, in order."""
    for _ in range(2):
        with Wire(program.socket) as wire:
            wire.send(b"x")
            assert b"-32600" in wire.answer()


def share_a_commit(program: Program, entropy: HeldEntropy, one: Wire, two: Wire) -> None:
    """See that a call that comes while another runs is committed with it, and both are answered."""
    one.send(many(1))
    assert entropy.has_begun()
    two.send(many(1))
    arrived(program)
    entropy.allowed.release()
    assert entropy.has_begun(), "the second call"
    assert one.is_silent(0.2), "and the first is not on disk yet"
    entropy.allowed.release()
    assert all("result" in json.loads(wire.answer()) for wire in (one, two)), "nobody waits for others"


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a turn last until there is nothing left to do, however slow the machine is."""
    monkeypatch.setattr(turns, "TURN_SECONDS", SECONDS)


def test_a_turn_ends_after_a_while_and_its_answers_are_sent(program: Program) -> None:
    entropy = HeldEntropy()

    def ask() -> None:
        with connected(program, 1) as [busy]:
            busy.send(many(CALLS_AT_ONCE))
            assert entropy.has_begun()
            time.sleep(2 * turns.TURN_SECONDS)
            entropy.allowed.release()
            assert json.loads(busy.answer())["id"] == 0, "the others have not run yet"
            entropy.allowed.release(CALLS_AT_ONCE - 1)
            assert [json.loads(busy.answer())["id"] for _ in range(1, CALLS_AT_ONCE)] == [*range(1, CALLS_AT_ONCE)]

    while_served(program, ask, entropy=entropy)


@pytest.mark.usefixtures("patient")
def test_a_call_waits_for_one_call_of_each_other_client(program: Program) -> None:
    entropy = HeldEntropy(2)  # the second call to draw ends in a bug, which marks it

    def ask() -> None:
        with connected(program, 2) as (busy, other):
            busy.send(many(CALLS_AT_ONCE))
            assert entropy.has_begun()
            other.send(many(1))
            arrived(program)
            entropy.allowed.release(CALLS_AT_ONCE + 1)
            assert json.loads(other.answer())["error"]["message"] == "Internal error"
            assert all("result" in json.loads(busy.answer()) for _ in range(CALLS_AT_ONCE))

    while_served(program, ask, entropy=entropy)


@pytest.mark.usefixtures("patient")
def test_calls_that_come_while_others_write_are_committed_with_them(program: Program) -> None:
    entropy = HeldEntropy()

    def ask() -> None:
        with connected(program, 3) as (one, two, _):
            share_a_commit(program, entropy, one, two)

    while_served(program, ask, entropy=entropy)


@pytest.mark.usefixtures("patient")
def test_bytes_that_complete_no_call_are_not_waited_for(program: Program) -> None:
    entropy = HeldEntropy()

    def ask() -> None:
        with connected(program, 3) as (one, dripping, _):
            one.send(many(1))
            assert entropy.has_begun()
            dripping.send(b"{")
            arrived(program)
            entropy.allowed.release()
            assert "result" in json.loads(one.answer())

    while_served(program, ask, entropy=entropy)


@pytest.mark.usefixtures("patient")
def test_one_connection_has_no_more_calls_in_a_turn_that_goes_on(program: Program) -> None:
    entropy = HeldEntropy()

    def ask() -> None:
        with connected(program, 2) as (busy, _):
            busy.send(many(CALLS_AT_ONCE + 1))
            entropy.allowed.release(CALLS_AT_ONCE)
            assert all("result" in json.loads(busy.answer()) for _ in range(CALLS_AT_ONCE))
            entropy.allowed.release()
            assert "result" in json.loads(busy.answer())

    while_served(program, ask, entropy=entropy)


@pytest.mark.usefixtures("patient")
def test_a_bug_later_in_a_turn_leaves_the_other_calls_done(program: Program, caplog: pytest.LogCaptureFixture) -> None:
    entropy = HeldEntropy(2)

    def ask() -> None:
        with connected(program, 3) as (one, two, three):
            one.send(many(1))
            assert entropy.has_begun()
            two.send(many(1))
            arrived(program)
            three.send(many(1))
            arrived(program)
            entropy.allowed.release(3)
            made = {json.loads(wire.answer())["result"]["invreq_id"] for wire in (one, three)}
            assert json.loads(two.answer())["error"]["message"] == "Internal error"
            listed = three.ask("listinvoicerequests")["result"]["invoicerequests"]
            assert {item["invreq_id"] for item in listed} == made

    while_served(program, ask, entropy=entropy)
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == ["A call ended in a bug"]


@pytest.mark.usefixtures("patient")
def test_who_begins_to_wait_and_leaves_within_a_turn_is_forgotten(
    program: Program, caplog: pytest.LogCaptureFixture
) -> None:
    entropy = HeldEntropy()

    def ask() -> None:
        with connected(program, 1) as [one]:
            with Wire(program.socket) as leaving:
                leaving.send(request("help", ["stop"]))
                assert not leaving.is_silent(SECONDS)
                one.send(many(1))
                assert entropy.has_begun()
                leaving.send(request("waitanyinvoice"))
                arrived(program)
            # Its end is closed with an answer unread: the server learns of it while the turn still goes on.
            arrived(program)
            entropy.allowed.release()
            assert "result" in json.loads(one.answer())

    while_served(program, ask, entropy=entropy)
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.usefixtures("patient")
def test_clients_share_commits_while_another_waits(program: Program) -> None:
    entropy = HeldEntropy()

    def ask() -> None:
        with connected(program, 3) as (one, two, waiting):
            waiting.send(request("waitanyinvoice"))
            assert waiting.is_silent(0.2)
            share_a_commit(program, entropy, one, two)

    while_served(program, ask, entropy=entropy)


def refuse(_: bytes, error: RpcError) -> Answer:
    raise error


def test_a_job_ends_when_its_answers_are_long_enough_for_the_client_to_read_first(node: Node) -> None:
    async def run() -> int:
        done: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        thread = Turns(node.store, lambda _: Answer(bytes(MAX_UNREAD_BYTES // 2)), refuse, done.cancel)
        thread.start()
        try:
            thread.calls([b"{}"] * CALLS_AT_ONCE, lambda outcomes: done.set_result(len(outcomes)))
            return await done
        finally:
            thread.close()

    assert asyncio.run(run()) == 3


def test_a_function_that_is_to_write_runs_again_when_nobody_else_writes(node: Node) -> None:
    """Nothing else may take its place: of a list it is the next page, and no page is the end."""

    def write() -> str:
        with node.store.transaction() as connection:
            invoicerequests.add(connection, row(1))
        return "written"

    async def run(other: sqlite3.Connection) -> str:
        thread = Turns(node.store, lambda _: Answer(b"{}"), refuse, lambda: None)
        thread.start()
        try:
            writing = thread.run(write)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.shield(writing), 0.2)
            other.rollback()
            return await writing
        finally:
            thread.close()

    with closing(sqlite3.connect(node.options.store_file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert asyncio.run(run(other)) == "written"


def test_a_bug_of_the_thread_ends_the_server_and_is_raised(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "GRACE_SECONDS", 0.2)

    def fail(_: Store) -> None:
        raise RuntimeError("a bug")

    def ask() -> None:
        with Wire(program.socket) as wire:
            assert "result" in wire.ask("listoffers")
            monkeypatch.setattr(Store, "group", fail)
            wire.socket.settimeout(SECONDS)  # so that a client that is left to wait fails the test
            with suppress(ConnectionResetError, BrokenPipeError):  # it closed with a call unread
                answer = b'"result"'
                while b'"result"' in answer:  # as long as the turn lasts that the server's own work has begun
                    wire.send(request("listoffers"))
                    answer = wire.socket.recv(1 << 16)

    with pytest.raises(RuntimeError, match="a bug"):
        while_served(program, ask)
