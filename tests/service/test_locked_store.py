"""A store that another process writes to: calls that only read go on, and calls that write wait or are refused."""

from __future__ import annotations

import json
import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import pairwise

import pytest

from lnoffers.service.serving import turns
from lnoffers.service.store import files
from tests.endurance.load import Told, load
from tests.service.invoicing import NOW, creation
from tests.service.program import SECONDS, SEED_METADATA, Program, Wire, request, while_served

STORE = "lnoffers.sqlite3"
LOCKED = {"code": -1, "message": "The store failed: database is locked by another process"}


@contextmanager
def locked(program: Program) -> Iterator[sqlite3.Connection]:
    """Yield another connection to the store, as of another process, in the middle of a write."""
    with closing(sqlite3.connect(program.network_dir / STORE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


def made(wire: Wire) -> str:
    identity: str = json.loads(wire.answer())["result"]["invreq_id"]
    return identity


def test_reading_goes_on_and_writing_waits(program: Program) -> None:
    with program.served(), Wire(program.socket) as writer, Wire(program.socket) as reader:
        first = writer.ask("invoicerequest", [1000, "first"])["result"]["invreq_id"]
        with locked(program) as other:
            writer.send(request("invoicerequest", [1000, "second"]) + request("listinvoicerequests"))
            for _ in range(25):  # if each of them waited for the lock, the writer would be refused before the last one
                [one] = reader.ask("listinvoicerequests")["result"]["invoicerequests"]
                assert one["invreq_id"] == first
                assert "result" in reader.ask("getinfo")
            assert writer.is_silent(0)
            other.rollback()
            second = made(writer)
        both = json.loads(writer.answer())["result"]["invoicerequests"]
        assert {item["invreq_id"] for item in both} == {first, second}, "calls of a connection keep their order"


def test_a_call_that_writes_is_refused_after_a_while(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "BUSY_SECONDS", 0.2)

    def ask() -> None:
        with Wire(program.socket) as one, Wire(program.socket) as two:
            assert "result" in one.ask("getinfo")
            with locked(program):
                one.send(request("invoicerequest", [1000, "x"]) + request("invoicerequest", [1000, "y"]))
                two.send(request("disableinvoicerequest", ["00" * 32]))
                assert [json.loads(wire.answer())["error"] for wire in (one, one, two)] == [LOCKED] * 3
            assert "result" in one.ask("invoicerequest", [1000, "z"])

    while_served(program, ask)


def test_what_was_done_before_a_call_that_must_wait_is_answered(program: Program) -> None:
    with program.served(), Wire(program.socket) as wire, locked(program) as other:
        wire.send(request("getinfo") + request("invoicerequest", [1000, "x"]) + request("getinfo"))
        assert "result" in json.loads(wire.answer())
        assert wire.is_silent(0.2)
        other.rollback()
        assert made(wire)
        assert "result" in json.loads(wire.answer())


def test_a_call_that_has_waited_is_what_it_would_have_been(seed_program: Program) -> None:
    """It runs again, and must not draw different entropy then."""
    with seed_program.served("--dev-entropy", "".join(SEED_METADATA)), Wire(seed_program.socket) as wire:
        with locked(seed_program) as other:
            wire.send(request("invoicerequest", [1000, "x"]))
            assert wire.is_silent(0.2)
            other.rollback()
            bolt12 = json.loads(wire.answer())["result"]["bolt12"]
        assert wire.ask("decode", [bolt12])["result"]["invreq_metadata"] == SEED_METADATA[0]
        bolt12 = wire.ask("invoicerequest", [1000, "x"])["result"]["bolt12"]
        assert wire.ask("decode", [bolt12])["result"]["invreq_metadata"] == SEED_METADATA[1]


def test_a_list_whose_invoices_are_due_waits_too(seed_program: Program) -> None:
    """What has once been shown as expired must be stored as expired."""
    with seed_program.served("--dev-entropy", "", "--dev-time", str(NOW)), Wire(seed_program.socket) as wire:
        assert "result" in wire.ask("createinvoice", creation(1))
        assert "result" in wire.ask("dev-inject", {"time": NOW + 10**6})
        with locked(seed_program) as other:
            wire.send(request("listinvoices"))
            assert wire.is_silent(0.2)
            other.rollback()
            [invoice] = json.loads(wire.answer())["result"]["invoices"]
        assert invoice["status"] == "expired"


def test_a_wait_that_ends_with_a_write_goes_on_until_it_can_be_written(seed_program: Program) -> None:
    """An invoice expires while a call waits for it to be paid."""
    with (
        seed_program.served("--dev-entropy", "", "--dev-time", str(NOW)),
        Wire(seed_program.socket) as waiting,
        Wire(seed_program.socket) as control,
    ):
        assert "result" in control.ask("createinvoice", creation(1))
        waiting.send(request("getinfo") + request("waitinvoice", ["number 1"]))
        assert "result" in json.loads(waiting.answer())
        with locked(seed_program) as other:
            assert "result" in control.ask("dev-inject", {"time": NOW + 10**6})
            assert waiting.is_silent(0.3)
            other.rollback()
            assert json.loads(waiting.answer())["error"]["code"] == 903


def test_a_call_that_waits_learns_that_the_store_is_gone(program: Program) -> None:
    with program.served(), Wire(program.socket) as writer, Wire(program.socket) as reader:
        assert "result" in reader.ask("getinfo")
        with locked(program):
            writer.send(request("invoicerequest", [1000, "x"]))
            assert writer.is_silent(0.2)
            (program.network_dir / STORE).unlink()
            assert "was deleted" in json.loads(writer.answer())["error"]["message"]
            assert "result" in reader.ask("listinvoicerequests")


@pytest.mark.parametrize("way", ["stop", "signal"])
def test_a_stop_does_not_wait_long_for_a_lock(program: Program, way: str) -> None:
    with program.served() as server, Wire(program.socket) as writer, Wire(program.socket) as other:
        assert "result" in other.ask("getinfo")
        with locked(program):
            writer.send(request("invoicerequest", [1000, "x"]))
            assert writer.is_silent(0.2)
            if way == "stop":
                assert "result" in other.ask("stop")
            else:
                server.terminate()
            assert json.loads(writer.answer())["error"] == LOCKED
            assert server.wait(SECONDS) == 0


@contextmanager
def readers(program: Program) -> Iterator[None]:
    """Run overlapping readers during the block, so that one of them holds a snapshot at any time."""
    stopped = threading.Event()

    def read() -> None:
        with closing(sqlite3.connect(program.network_dir / STORE, isolation_level=None)) as connection:
            while not stopped.is_set():
                connection.execute("BEGIN")
                connection.execute("SELECT count(*) FROM invoicerequests").fetchall()
                time.sleep(random.uniform(0.1, 0.2))
                connection.execute("COMMIT")

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopped.set()
        for thread in threads:
            thread.join()


def log_bytes(program: Program) -> int:
    return (program.network_dir / f"{STORE}-wal").stat().st_size


def test_the_log_stays_short_while_readers_come_and_go(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    most = 1 << 17
    monkeypatch.setattr(files, "LOG_BYTES", most)
    sizes = [0]

    def ask() -> None:
        with readers(program), Wire(program.socket) as wire:
            while sum(later < before for before, later in pairwise(sizes)) < 3:
                assert "result" in wire.ask("invoicerequest", [1000, "x"])
                sizes.append(log_bytes(program))
                assert sizes[-1] < 2 * most

    while_served(program, ask)
    assert max(sizes) > most, "it is passed, and then emptied, again and again"


def test_a_reader_that_stays_is_not_waited_for_without_end(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "LOG_BYTES", 1 << 16)
    monkeypatch.setattr(files, "PAUSE_SECONDS", 0.2)

    def ask() -> None:
        told = Told()
        with closing(sqlite3.connect(program.network_dir / STORE, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM invoicerequests").fetchall()
            load(program.socket, told, 20)
            assert len(told.made) == 160
            assert log_bytes(program) > 1 << 17
            reader.execute("COMMIT")
        load(program.socket, told, 20)
        assert log_bytes(program) < 1 << 17

    while_served(program, ask)
