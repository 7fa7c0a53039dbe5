"""The invoices that the backend `cln` makes in the node: how many there are, and when they are deleted."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from clnrpc import RpcError
from lnoffers.bolt12 import Invoice, UnsignedInvoice
from lnoffers.service.payments.backend import Incoming
from lnoffers.service.payments.cln.backend import CoreLightning
from tests.interop.paying import EXPIRY, backend, incoming
from tests.service.answering_node import NODE_ID, Answer, answering
from tests.service.invoicing import creation
from tests.service.program import Program, Wire, request

ROOM = 2


class Books:
    """The invoices of a node, by label: what it answers, and the labels that it was to delete."""

    def __init__(self) -> None:
        self.states: dict[str, str] = {}
        self.deleted: list[str] = []

    @property
    def answers(self) -> dict[str, Answer]:
        """The node's answers."""
        return {
            "listnodes": {"nodes": [{"nodeid": NODE_ID}]},
            "invoice": self._make,
            "decode": lambda params: decoded(params["string"]),
            "delinvoice": self._delete,
        }

    def _make(self, params: Any) -> dict[str, Any]:
        self.states[params["label"]] = "unpaid"
        return {
            "payment_hash": params["label"][-64:],
            "expires_at": int(time.time()) + params["expiry"],
            "created_index": len(self.states),
            "bolt11": params["label"],
            "payment_secret": "05" * 32,
        }

    def _delete(self, params: Any) -> dict[str, Any]:
        label, status = params["label"], params["status"]
        self.deleted.append(label)
        if label not in self.states:
            raise RpcError(905, "Unknown invoice")
        if self.states[label] != status:
            raise RpcError(906, f"Invoice status is {self.states[label]} not {status}")
        del self.states[label]
        return {"label": label, "payment_hash": label[-64:], "status": status, "created_index": 1, "expires_at": 1}


def decoded(bolt11: str) -> dict[str, Any]:
    """Return what the node reads in the invoice with this label."""
    return {
        "type": "bolt11 invoice",
        "valid": True,
        "currency": "bcrt",
        "created_at": 1,
        "expiry": EXPIRY,
        "payee": NODE_ID,
        "min_final_cltv_expiry": 10,
        "payment_hash": bolt11[-64:],
        "payment_secret": "05" * 32,
        "signature": "00",
    }


def waiting(count: int) -> list[Incoming]:
    """Return payments of which each expires a minute after the one before."""
    return [incoming(1_000, EXPIRY + 60 * number) for number in range(count)]


def with_room(path: Path, books: Books, use: Callable[[CoreLightning], Awaitable[None]]) -> None:
    """Use the backend with a node that keeps `ROOM` invoices."""

    async def run() -> None:
        async with backend(path / "rpc", path / "own", max_invoices=ROOM) as (used, _):
            await use(used)

    with answering(path / "rpc", books.answers):
        asyncio.run(run())


def hashes(labels: list[str] | dict[str, str]) -> list[str]:
    return [label[-64:] for label in labels]


def test_the_oldest_invoice_makes_room_for_the_next(tmp_path: Path) -> None:
    books, payments = Books(), waiting(4)

    async def use(used: CoreLightning) -> None:
        for each in payments:
            await used.receive(each)
            assert len(books.states) <= ROOM

    with_room(tmp_path, books, use)
    first, second, third, fourth = (each.payment_hash.hex() for each in payments)
    assert hashes(books.states) == [third, fourth]
    assert hashes(books.deleted) == [first, second]


def test_an_invoice_that_the_node_has_no_more_takes_no_room(tmp_path: Path) -> None:
    """Somebody has deleted it there: the next to make room is the second oldest."""
    books, payments = Books(), waiting(4)

    async def use(used: CoreLightning) -> None:
        for each in payments[:ROOM]:
            await used.receive(each)
        del books.states[next(iter(books.states))]
        for each in payments[ROOM:]:
            await used.receive(each)

    with_room(tmp_path, books, use)
    first, second, third, fourth = (each.payment_hash.hex() for each in payments)
    assert hashes(books.deleted) == [first, second]
    assert hashes(books.states) == [third, fourth]


def test_a_paid_invoice_is_not_deleted_and_the_next_one_is_made(tmp_path: Path) -> None:
    """It was paid a moment ago, and this service has not heard of it."""
    books, payments = Books(), waiting(3)

    async def use(used: CoreLightning) -> None:
        for each in payments[:ROOM]:
            await used.receive(each)
        books.states[next(iter(books.states))] = "paid"
        await used.receive(payments[ROOM])

    with_room(tmp_path, books, use)
    assert [*books.states.values()] == ["paid", "unpaid", "unpaid"]


@pytest.mark.parametrize("at_the_node", ["unpaid", "expired", "gone"])
def test_an_invoice_that_is_forgotten_is_deleted_once(at_the_node: str, tmp_path: Path) -> None:
    books, [payment] = Books(), waiting(1)

    async def use(used: CoreLightning) -> None:
        await used.receive(payment)
        label = next(iter(books.states))
        books.states[label] = at_the_node
        if at_the_node == "gone":
            del books.states[label]
        await used.forget(payment.payment_hash)

    with_room(tmp_path, books, use)
    assert books.states == {}
    assert len(books.deleted) == (2 if at_the_node == "expired" else 1)


@contextmanager
def shop(program: Program, path: Path, answers: dict[str, Answer]) -> Iterator[tuple[Wire, list[tuple[str, Any]]]]:
    """Run a server that is paid through a node; yield a connection to it, and the calls that the node gets."""
    flags = ("--backend", f"cln:{path / 'rpc'}", "--log-file", "log")
    with answering(path / "rpc", answers) as calls, program.served(*flags), Wire(program.socket) as wire:
        yield wire, calls


def pathless(number: int) -> dict[str, Any]:
    """Return the parameters of createinvoice for one of many invoices without paths."""
    return creation(number, invoice_created_at=int(time.time()), invoice_paths=None, invoice_blindedpay=None)


def test_createinvoice_makes_an_invoice_of_the_node_for_one_without_paths(
    seed_program: Program, tmp_path: Path
) -> None:
    books = Books()
    with shop(seed_program, tmp_path, books.answers) as (wire, _):
        made = wire.ask("createinvoice", pathless(1))["result"]
    [path] = Invoice.parse(made["bolt12"]).invoice_paths or ()
    assert path.first_node_id == bytes.fromhex(NODE_ID)
    assert hashes(books.states) == [made["payment_hash"]]


def test_createinvoice_leaves_the_paths_of_the_caller_alone(seed_program: Program, tmp_path: Path) -> None:
    books, given = Books(), creation(1, invoice_created_at=int(time.time()))
    with shop(seed_program, tmp_path, books.answers) as (wire, _):
        made = wire.ask("createinvoice", given)["result"]
    assert Invoice.parse(made["bolt12"]).invoice_paths == UnsignedInvoice.parse(given["invstring"]).invoice_paths
    assert books.states == {}


def test_createinvoice_stores_nothing_if_the_node_makes_no_invoice(seed_program: Program, tmp_path: Path) -> None:
    answers = Books().answers | {"invoice": RpcError(-1, "no")}
    with shop(seed_program, tmp_path, answers) as (wire, _):
        error = wire.ask("createinvoice", pathless(1))["error"]
        assert (error["code"], error["message"].partition(": ")[0]) == (-1, "The payment backend cannot receive")
        assert wire.ask("listinvoices", {})["result"] == {"invoices": []}


def test_a_second_createinvoice_keeps_the_invoice_of_the_node(seed_program: Program, tmp_path: Path) -> None:
    """Of calls at the same time, too, only one succeeds, and none deletes what it needs."""
    books = Books()
    with shop(seed_program, tmp_path, books.answers) as (wire, _), ExitStack() as held:
        wires = [held.enter_context(Wire(seed_program.socket)) for _ in range(4)]
        for each in wires:
            each.send(request("createinvoice", pathless(1)))
        found = [json.loads(each.answer()) for each in wires]
        again = wire.ask("createinvoice", pathless(1) | {"label": "another"})
    assert sorted(each.get("error", {}).get("code", 0) for each in found) == [0, 900, 900, 900]
    assert again["error"]["code"] == 901
    assert [*books.states.values()] == ["unpaid"]


def test_delinvoice_deletes_the_invoice_of_the_node_too(seed_program: Program, tmp_path: Path) -> None:
    books = Books()
    with shop(seed_program, tmp_path, books.answers) as (wire, _):
        made = wire.ask("createinvoice", pathless(1))["result"]
        assert hashes(books.states) == [made["payment_hash"]]
        gone = wire.ask("delinvoice", {"label": made["label"], "status": "unpaid"})["result"]
        assert gone["payment_hash"] == made["payment_hash"]
    assert books.states == {}
