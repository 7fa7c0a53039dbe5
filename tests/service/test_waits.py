"""Answers that come later: when an invoice is paid, has expired or is deleted, or when the server stops."""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from clnrpc import AsyncClient
from clnrpc.types import DelinvoiceRequest
from lnoffers.service import Node, OffersService, Options
from lnoffers.service.commands.invoicewaits import InvoicewaitCommands
from lnoffers.service.serving.connection import MAX_MESSAGE_BYTES
from lnoffers.service.serving.waits import MAX_WAITS
from tests.service.invoicing import NOW, creation, pay, pay_elsewhere
from tests.service.program import COMMAND, SECONDS, Program, Wire, request, until, while_served

QUIET_SECONDS = 0.3
"""How long nothing must come for an answer to count as withheld."""


@pytest.fixture
def served(seed_program: Program) -> Iterator[Program]:
    """Yield a server with the invoices 1 and 2, whose clock stands still."""
    with seed_program.served("--dev-entropy", "", "--dev-time", str(NOW)), Wire(seed_program.socket) as wire:
        for number in (1, 2):
            assert "result" in wire.ask("createinvoice", creation(number))
        yield seed_program


def paid(program: Program, number: int) -> None:
    """Pay as another process would, at the time of the server's clock."""
    with Node.open(Options(lightning_dir=program.directory, network="regtest")) as node:
        assert pay(node, number)


def result(wire: Wire) -> Any:
    return json.loads(wire.answer())["result"]


def error(wire: Wire) -> tuple[int, str]:
    told = json.loads(wire.answer())["error"]
    return told["code"], told["message"]


# ---- waitinvoice


def test_what_is_paid_already_is_answered_at_once(served: Program) -> None:
    paid(served, 1)
    with Wire(served.socket) as wire:
        told = wire.ask("waitinvoice", ["number 1"])["result"]
        assert (told["status"], told["pay_index"]) == ("paid", 1)
        assert wire.ask("listinvoices", ["number 1"])["result"]["invoices"] == [told]


def test_waits_until_another_process_is_paid(served: Program) -> None:
    with Wire(served.socket) as one, Wire(served.socket) as two:
        one.send(request("waitinvoice", ["number 1"]))
        two.send(request("waitinvoice", ["number 2"]))
        assert one.is_silent(QUIET_SECONDS)
        paid(served, 1)
        assert result(one)["label"] == "number 1"
        assert two.is_silent(QUIET_SECONDS)
        paid(served, 2)
        assert result(two)["label"] == "number 2"


def test_an_unknown_label_is_not_waited_for(served: Program) -> None:
    with Wire(served.socket) as wire:
        wire.send(request("waitinvoice", ["x"]) + request("waitinvoice", []))
        assert error(wire) == (-1, "Label not found")
        assert error(wire) == (-32602, "missing required parameter: label")


def test_an_invoice_expires_during_the_wait_and_before_it(served: Program) -> None:
    with Wire(served.socket) as wire, Wire(served.socket) as control:
        wire.send(request("waitinvoice", ["number 1"]))
        assert wire.is_silent(QUIET_SECONDS)
        control.ask("dev-inject", {"time": NOW + 7200})
        during = json.loads(wire.answer())["error"]
        assert (during["code"], during["message"]) == (903, "invoice expired during wait")
        assert during["data"] == control.ask("listinvoices", ["number 1"])["result"]["invoices"][0]
        assert during["data"]["status"] == "expired"
        control.ask("dev-inject", {"time": NOW})
        assert wire.ask("waitinvoice", ["number 1"])["error"] == during


def test_an_invoice_expires_by_the_time_alone(seed_program: Program) -> None:
    with seed_program.served(), Wire(seed_program.socket) as wire:
        given = creation(1, invoice_relative_expiry=2)
        wire.send(request("createinvoice", given) + request("waitinvoice", ["number 1"]))
        assert result(wire)["status"] == "unpaid"
        assert error(wire) == (903, "invoice expired during wait")


def test_an_invoice_is_deleted_by_another_process(served: Program) -> None:
    with Wire(served.socket) as wire:
        wire.send(request("waitinvoice", ["number 1"]))
        assert wire.is_silent(QUIET_SECONDS)
        with Node.open(Options(lightning_dir=served.directory, network="regtest", dev_time=NOW)) as node:
            OffersService(node).delinvoice(DelinvoiceRequest(label="number 1", status="unpaid"))
        assert error(wire) == (-1, "Invoice deleted during wait")


def test_an_invoice_is_deleted_during_the_wait(served: Program) -> None:
    with Wire(served.socket) as wire, Wire(served.socket) as control:
        wire.send(request("waitinvoice", ["number 1"]))
        assert wire.is_silent(QUIET_SECONDS)
        control.send(request("delinvoice", ["number 1", "unpaid"]) + request("createinvoice", creation(1)))
        assert error(wire) == (-1, "Invoice deleted during wait")
        assert result(control)["created_index"] == 1
        assert result(control)["created_index"] == 3, "the new one of this name is another"


# ---- waitanyinvoice


def test_shows_each_payment_once_in_order(served: Program) -> None:
    with Wire(served.socket) as wire:
        paid(served, 2)
        paid(served, 1)
        assert wire.ask("waitanyinvoice")["result"]["label"] == "number 2"
        assert wire.ask("waitanyinvoice", [1])["result"]["label"] == "number 1"
        assert wire.ask("waitanyinvoice", [1, 0])["result"]["pay_index"] == 2


def test_waits_for_the_next_payment(served: Program) -> None:
    with Wire(served.socket) as wire:
        wire.send(request("waitanyinvoice", []))
        assert wire.is_silent(QUIET_SECONDS)
        paid(served, 2)
        assert result(wire)["label"] == "number 2"


def test_who_names_a_payment_to_come_gets_the_next_one(served: Program) -> None:
    paid(served, 1)
    with Wire(served.socket) as wire:
        wire.send(request("waitanyinvoice", [2**64 - 1]))
        assert wire.is_silent(QUIET_SECONDS)
        paid(served, 2)
        assert result(wire)["pay_index"] == 2


@pytest.mark.parametrize("seconds", [0, 1])
def test_waits_no_longer_than_asked(served: Program, seconds: int) -> None:
    with Wire(served.socket) as wire:
        wire.send(request("waitanyinvoice", [0, seconds]))
        assert error(wire) == (904, "Timed out while waiting for invoice to be paid")


def test_any_number_of_seconds_is_a_timeout(served: Program) -> None:
    with Wire(served.socket) as wire:
        why = "timeout: should be an unsigned 64 bit integer: invalid token (see logs for details)"
        assert wire.ask("waitanyinvoice", [0, "soon"])["error"] == {"code": -32602, "message": why}
        wire.send(request("waitanyinvoice", [0, 2**64 - 1]))
        assert wire.is_silent(QUIET_SECONDS)
        paid(served, 1)
        assert result(wire)["pay_index"] == 1


# ---- connections that wait


def test_other_calls_of_a_connection_are_answered_in_their_order_while_one_waits(served: Program) -> None:
    with Wire(served.socket) as wire:
        wire.send(request("help", ["stop"], "first") + request("waitinvoice", ["number 1"], "wait"))
        wire.send(request("waitanyinvoice", [], "any") + request("help", ["stop"], "second"))
        assert [json.loads(wire.answer())["id"] for _ in range(2)] == ["first", "second"]
        for number in range(3):
            assert wire.ask("getinfo")["result"], number
        assert wire.is_silent(QUIET_SECONDS)
        paid(served, 1)
        assert {json.loads(wire.answer())["id"] for _ in range(2)} == {"wait", "any"}


def test_row_24_a_client_that_gives_up_waiting_can_go_on_using_its_connection(served: Program) -> None:
    """The server does not learn of it: each wait stays until the oldest makes room for a new one."""
    with Wire(served.socket) as wire:
        wire.send(b"".join(request("waitinvoice", ["number 1"], number) for number in range(MAX_WAITS)))
        assert wire.is_silent(QUIET_SECONDS)
        wire.send(request("waitinvoice", ["number 1"], "one more") + request("getinfo"))
        told = json.loads(wire.answer())
        assert (told["id"], told["error"]["code"]) == (0, -1)
        assert told["error"]["message"] == "Given up: too many calls wait on this connection"
        assert "result" in json.loads(wire.answer())
        paid(served, 1)
        kept = [json.loads(wire.answer()) for _ in range(MAX_WAITS)]
        assert {answer["id"] for answer in kept} == {*range(1, MAX_WAITS), "one more"}
        assert all(answer["result"]["status"] == "paid" for answer in kept)


def test_what_waits_on_a_connection_takes_no_more_memory_than_a_message(served: Program) -> None:
    with Wire(served.socket) as wire:
        long = [f"{number}{'x' * (MAX_MESSAGE_BYTES // 3)}" for number in range(3)]
        for identity in long:
            wire.send(request("waitinvoice", ["number 1"], identity))
        told = json.loads(wire.answer())
        assert (told["id"], told["error"]["code"]) == (long[0], -1)
        paid(served, 1)
        assert {json.loads(wire.answer())["id"] for _ in range(2)} == {*long[1:]}


def test_a_client_that_does_not_read_is_not_served_further_while_it_waits(served: Program) -> None:
    big = request("nope" * 50_000)
    with Wire(served.socket) as waiting, Wire(served.socket) as other:
        waiting.send(request("waitinvoice", ["number 1"], "wait"))
        sender = threading.Thread(target=waiting.send, args=(big * 100,))
        sender.start()
        deadline = time.monotonic() + 1
        while time.monotonic() < deadline:
            assert other.ask("help", ["stop"])["result"]
        assert sender.is_alive(), "the server took in 20 MB that it had to keep"
        paid(served, 1)
        answers = [json.loads(waiting.answer()) for _ in range(101)]
        assert sum("error" in answer for answer in answers) == 100
        assert [answer["id"] for answer in answers if "result" in answer] == ["wait"]
        sender.join(SECONDS)


def test_who_ends_its_side_still_gets_its_answers(served: Program) -> None:
    with Wire(served.socket) as wire:
        wire.send(request("waitinvoice", ["number 1"]) + request("help", ["stop"]))
        wire.socket.shutdown(socket.SHUT_WR)
        assert "help" in result(wire)
        assert wire.is_silent(1.5)
        paid(served, 1)
        assert result(wire)["status"] == "paid"
        assert wire.is_closed()


def test_what_can_never_become_a_call_ends_the_waits_before_it(served: Program) -> None:
    with Wire(served.socket) as wire:
        wire.send(request("waitinvoice", ["number 1"]) + b"oops")
        assert error(wire)[0] == -32600
        assert wire.is_closed()


def test_waits_that_a_client_cancels_leave_nothing_behind(seed_program: Program) -> None:
    """The client closes the connection of each call that it gives up, and so must the server."""

    async def give_up() -> None:
        async with AsyncClient(seed_program.socket) as client:
            for _ in range(50):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(client.waitanyinvoice(), 0.02)
                assert (await client.getinfo()).alias

    def ask() -> None:
        asyncio.run(give_up())
        with Wire(seed_program.socket) as wire:
            assert "result" in wire.ask("getinfo")

    while_served(seed_program, ask, max_connections=4)


@pytest.mark.parametrize("more", [b"", request("nope" * 100_000) * 2], ids=["idle", "with much unread"])
def test_who_leaves_while_waiting_leaves_nothing_behind(seed_program: Program, more: bytes) -> None:
    def ask() -> None:
        before = unfinished_tasks()
        with Wire(seed_program.socket) as leaving:
            leaving.send(request("help", ["stop"]) + request("waitanyinvoice"))
            leaving.answer()
            assert error_of_newcomer()
            until(lambda: unfinished_tasks() > before)
            leaving.socket.setblocking(False)
            if more:
                leaving.socket.send(more)
        until(lambda: not error_of_newcomer())
        until(lambda: unfinished_tasks() == before)

    def unfinished_tasks() -> int:
        return sum(isinstance(found, asyncio.Task) and not found.done() for found in gc.get_objects())

    def error_of_newcomer() -> bool:
        with Wire(seed_program.socket) as newcomer:
            return "error" in newcomer.ask("help", ["stop"])

    while_served(seed_program, ask, max_connections=1)


def test_a_bug_in_a_wait_is_told_and_the_connection_goes_on(
    seed_program: Program, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looks = [None]  # the second look is an error that nobody expects
    monkeypatch.setattr(InvoicewaitCommands, "_paid_after", lambda *_: looks.pop())

    def ask() -> None:
        with Wire(seed_program.socket) as wire:
            wire.send(request("waitanyinvoice"))
            assert error(wire) == (-1, "Internal error")
            assert "help" in wire.ask("help", ["stop"])["result"]

    while_served(seed_program, ask)
    assert "A call ended in a bug" in caplog.text


# ---- the end of the server


@pytest.mark.parametrize("way", ["stop", "signal"])
def test_who_waits_is_told_that_the_server_stops(seed_program: Program, way: str) -> None:
    with seed_program.served() as server, Wire(seed_program.socket) as one, Wire(seed_program.socket) as two:
        for number in (1, 2):
            assert "result" in one.ask("createinvoice", creation(number))
        one.send(request("waitinvoice", ["number 1"]) + request("waitanyinvoice") + request("help", ["stop"]))
        two.send(request("waitanyinvoice"))
        assert two.is_silent(QUIET_SECONDS)
        if way == "stop":
            with Wire(seed_program.socket) as stopping:
                assert "result" in stopping.ask("stop")
        else:
            server.terminate()
        assert "help" in result(one)
        for wire in (one, one, two):
            assert error(wire) == (-5, "The server stops")
        assert one.is_closed()
        assert two.is_closed()
        assert server.wait(SECONDS) == 0


# ---- without a server


@pytest.fixture
def calling(seed_program: Program) -> Iterator[subprocess.Popen[bytes]]:
    """Run `lnoffers call waitinvoice` in a process of its own, which has opened the store and waits."""
    assert seed_program.call("createinvoice", *creation(1).values()).code == 0
    arguments = [*COMMAND, "call", *seed_program.flags, "waitinvoice", "number 1"]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # it is ignored in the background of a shell
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    signal.signal(signal.SIGINT, before)
    until((seed_program.network_dir / "lnoffers.sqlite3-wal").exists)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(QUIET_SECONDS)
    yield process
    process.kill()
    process.communicate()


def test_a_call_without_a_server_waits_too(seed_program: Program, calling: subprocess.Popen[bytes]) -> None:
    pay_elsewhere(seed_program, 1)
    printed, _ = calling.communicate(timeout=SECONDS)
    assert json.loads(printed)["status"] == "paid"
    assert calling.returncode == 0


def test_a_call_without_a_server_can_be_interrupted(calling: subprocess.Popen[bytes]) -> None:
    calling.send_signal(signal.SIGINT)
    printed, complained = calling.communicate(timeout=SECONDS)
    assert (calling.returncode, printed, complained) == (130, b"", b"")
