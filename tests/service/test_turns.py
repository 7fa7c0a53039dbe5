"""No client keeps the others waiting: a turn is short, and who was not served in one is the first in the next.

Calls that write and come while others of their turn are carried out are committed with them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from lnoffers.service.serving import server, waits
from tests.service.entropies import HeldEntropy, SlowEntropy
from tests.service.program import SECONDS, Program, Wire, request, while_served


def many(count: int) -> bytes:
    """Calls of which each takes its time."""
    return b"".join(request("invoicerequest", [1000, "x"], number) for number in range(count))


@contextmanager
def connected(program: Program, count: int) -> Iterator[list[Wire]]:
    """So many clients that the server knows of."""
    with ExitStack() as stack:
        wires = [stack.enter_context(Wire(program.socket)) for _ in range(count)]
        for wire in wires:
            assert wire.ask("help", ["stop"])["result"]
        yield wires


def share_a_commit(entropy: HeldEntropy, one: Wire, two: Wire) -> None:
    """See that a call that comes while another is carried out is committed with it, and both are answered."""
    one.send(many(1))
    assert entropy.has_begun()
    two.send(many(1))
    entropy.allowed.release()
    assert entropy.has_begun(), "the second call"
    assert one.is_silent(0.2), "and the first is not on disk yet"
    entropy.allowed.release()
    assert all("result" in json.loads(wire.answer()) for wire in (one, two)), "nobody waits for others"


def test_a_turn_ends_after_a_while_and_its_answers_are_sent(program: Program) -> None:
    entropy = SlowEntropy()

    def ask() -> None:
        with Wire(program.socket) as busy, Wire(program.socket) as other:
            busy.send(many(32))
            while not entropy.draws:
                time.sleep(0.001)
            assert other.ask("help", ["stop"])["result"]
            assert entropy.draws < 16
            assert [json.loads(busy.answer())["id"] for _ in range(32)] == list(range(32))

    while_served(program, ask, entropy=entropy)


def test_clients_that_keep_the_server_busy_take_turns(program: Program) -> None:
    def ask() -> None:
        with connected(program, 3) as clients:
            one, two, three = clients
            for client in clients:
                client.send(many(32))
            for _ in range(12):
                one.answer()
            assert not two.is_silent(0)
            assert not three.is_silent(0)
            for client, count in zip(clients, (20, 32, 32), strict=True):
                assert all("result" in json.loads(client.answer()) for _ in range(count))

    while_served(program, ask, entropy=SlowEntropy())


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A turn goes on for as long as it may, however slow the machine is."""
    for name in ("GATHER_SECONDS", "TURN_SECONDS"):
        monkeypatch.setattr(server, name, SECONDS)


@pytest.mark.usefixtures("patient")
def test_calls_that_come_while_others_write_are_committed_with_them(program: Program) -> None:
    entropy = HeldEntropy()

    def ask() -> None:
        with connected(program, 3) as (one, two, _):
            share_a_commit(entropy, one, two)

    while_served(program, ask, entropy=entropy)


@pytest.mark.usefixtures("patient")
def test_bytes_that_complete_no_call_are_not_waited_for(program: Program) -> None:
    entropy = HeldEntropy()

    def ask() -> None:
        with connected(program, 3) as (one, dripping, _):
            one.send(many(1))
            assert entropy.has_begun()
            dripping.send(b"{")
            entropy.allowed.release()
            assert "result" in json.loads(one.answer())

    while_served(program, ask, entropy=entropy)


@pytest.mark.usefixtures("patient")
def test_one_connection_has_no_more_calls_in_a_turn_that_goes_on(program: Program) -> None:
    entropy = HeldEntropy()

    def ask() -> None:
        with connected(program, 2) as (busy, _):
            busy.send(many(server.CALLS_PER_TURN))
            assert entropy.has_begun()
            busy.send(many(1))
            entropy.allowed.release(server.CALLS_PER_TURN)
            assert all("result" in json.loads(busy.answer()) for _ in range(server.CALLS_PER_TURN))
            entropy.allowed.release()
            assert "result" in json.loads(busy.answer())

    while_served(program, ask, entropy=entropy)


@pytest.mark.usefixtures("patient")
def test_a_bug_later_in_a_turn_leaves_the_calls_before_it_done(
    program: Program, caplog: pytest.LogCaptureFixture
) -> None:
    entropy = HeldEntropy(2)

    def ask() -> None:
        with connected(program, 3) as (one, two, other):
            one.send(many(1))
            assert entropy.has_begun()
            two.send(many(1))
            entropy.allowed.release(2)
            made = json.loads(one.answer())["result"]["invreq_id"]
            assert json.loads(two.answer())["error"]["message"] == "Internal error"
            [listed] = other.ask("listinvoicerequests")["result"]["invoicerequests"]
            assert listed["invreq_id"] == made

    while_served(program, ask, entropy=entropy)
    assert [record.name for record in caplog.records if record.levelname == "ERROR"] == ["asyncio"], "the bug"


@pytest.mark.usefixtures("patient")
def test_who_begins_to_wait_and_leaves_within_a_turn_is_forgotten(
    program: Program, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waits, "LOOK_SECONDS", 0.05)
    entropy = HeldEntropy()

    def ask() -> None:
        with connected(program, 2) as (one, two):
            with Wire(program.socket) as leaving:
                leaving.send(request("help", ["stop"]))
                assert not leaving.is_silent(SECONDS)
                one.send(many(1))
                assert entropy.has_begun()
                leaving.send(request("waitanyinvoice"))
            # Its end is closed with an answer unread: the server learns of it while the turn still goes on.
            entropy.allowed.release()
            assert "result" in json.loads(one.answer())
            time.sleep(0.2)  # until those who wait have been looked at
            share_a_commit(entropy, one, two)  # which they do not while anybody waits

    while_served(program, ask, entropy=entropy)
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.usefixtures("patient")
def test_while_somebody_waits_each_turn_is_committed_as_it_is(program: Program) -> None:
    """Who waits looks into the store between the steps of a turn, and must not see what may yet be lost."""
    entropy = HeldEntropy()

    def ask() -> None:
        with connected(program, 3) as (one, two, waiting):
            waiting.send(request("waitanyinvoice"))
            assert waiting.is_silent(0.2)
            one.send(many(1))
            assert entropy.has_begun()
            two.send(many(1))
            entropy.allowed.release()
            assert "result" in json.loads(one.answer()), "before the second call is allowed to end"
            assert entropy.has_begun()
            entropy.allowed.release()
            assert "result" in json.loads(two.answer())

    while_served(program, ask, entropy=entropy)
