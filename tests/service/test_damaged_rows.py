"""A damaged row is skipped in lists and refused by its id; the log names it, and all other rows are answered."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from lnoffers.service import Node, Options
from lnoffers.service.commands.pages import PAGE_ROWS
from tests.bolt12.samples import NOW
from tests.service.invoicing import creation, pay
from tests.service.program import SECONDS, Program, Wire, request

COUNT = 5
LISTS = {
    "offers": ("listoffers", "offer_id"),
    "invoicerequests": ("listinvoicerequests", "invreq_id"),
    "invoices": ("listinvoices", "created_index"),
}
NOT_UTF8 = "CAST(x'ff' AS TEXT)"


@pytest.fixture
def filled(seed_program: Program) -> Program:
    """Return a node with five offers, requests and invoices."""
    with seed_program.served("--dev-time", str(NOW)), Wire(seed_program.socket) as wire:
        for number in range(COUNT):
            wire.ask("offer", {"amount": "any", "description": f"number {number}"})
            wire.ask("invoicerequest", [1000, f"number {number}"])
            assert "result" in wire.ask("createinvoice", creation(number))
    return seed_program


def damage(program: Program, statement: str, values: Sequence[Any] = ()) -> None:
    with closing(sqlite3.connect(program.network_dir / "lnoffers.sqlite3")) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute(statement, values)


def keys(answer: Any, table: str) -> list[Any]:
    return [item[LISTS[table][1]] for item in answer["result"][table]]


def the_third(table: str) -> str:
    key = LISTS[table][1]
    return f"{key} = (SELECT {key} FROM {table} ORDER BY {key} LIMIT 1 OFFSET 2)"


@pytest.mark.parametrize(
    ("table", "change", "why"),
    [
        ("offers", "label = x'00'", "its label is not text"),
        ("offers", f"label = {NOT_UTF8}", "its label is not text"),
        ("offers", "status = 'x'", "its status is not a number"),
        ("offers", "status = 1.5", "its status is not a number"),
        ("offers", "force_paths = x''", "its force_paths is not a number"),
        ("offers", "bolt12 = 'lno1'", ""),
        ("offers", "bolt12 = x'00'", "its bolt12 is not text"),
        ("offers", "offer_id = 'text'", "its offer_id is not bytes"),
        ("invoicerequests", "label = x'00'", "its label is not text"),
        ("invoicerequests", f"bolt12 = {NOT_UTF8}", "its bolt12 is not text"),
        ("invoicerequests", "status = 'x'", "its status is not a number"),
        ("invoicerequests", "invreq_id = 5", "its invreq_id is not bytes"),
        ("invoices", "label = x'00'", "its label is not text"),
        ("invoices", "label = '\"'", ""),
        ("invoices", f"description = {NOT_UTF8}", "its description is not text"),
        ("invoices", "payment_hash = 'x'", "its payment_hash is not bytes"),
        ("invoices", "payment_preimage = 5", "its payment_preimage is not bytes"),
        ("invoices", "amount_msat = 'x'", "its amount_msat is not a number"),
        ("invoices", "status = 'lost'", "'lost' is not a valid InvoiceStatus"),
        ("invoices", "local_offer_id = 'x'", "its local_offer_id is not bytes"),
        ("invoices", "pay_index = 'x'", "its pay_index is not a number"),
    ],
)
def test_one_damaged_row_is_passed_over_and_named_in_the_log(
    filled: Program, table: str, change: str, why: str
) -> None:
    method, _ = LISTS[table]
    with filled.served() as server, Wire(filled.socket) as wire:
        before = keys(wire.ask(method), table)
        damage(filled, f"UPDATE {table} SET {change} WHERE {the_third(table)}")
        for _ in range(2):
            assert keys(wire.ask(method), table) == before[:2] + before[3:]
        server.terminate()
        _, errors = server.communicate(timeout=SECONDS)
    [told] = re.findall(f"WARNING Skipped: {table} (.*) cannot be read: (.*). lnoffers check-store lists", errors)
    assert told[1].startswith(why)


@pytest.mark.parametrize("table", LISTS)
@pytest.mark.parametrize("order", ["ASC", "DESC"])
def test_a_list_is_whole_though_more_rows_than_a_page_are_damaged(
    seed_program: Program, table: str, order: str
) -> None:
    """At its beginning and at its end, where a page with none to show must not pass for the last."""
    bad, count = 2 * PAGE_ROWS + 1, 3 * PAGE_ROWS
    method, key = LISTS[table]
    copies(seed_program, table, count)
    with seed_program.served(), Wire(seed_program.socket) as wire:
        before = keys(wire.ask(method), table)
        assert len(before) == count
        rows = f"SELECT {key} FROM {table} ORDER BY {key} {order} LIMIT {bad}"
        damage(seed_program, f"UPDATE {table} SET bolt12 = x'00' WHERE {key} IN ({rows})")
        left = before[bad:] if order == "ASC" else before[:-bad]
        assert keys(wire.ask(method), table) == left
        damage(seed_program, f"UPDATE {table} SET bolt12 = x'00'")
        assert keys(wire.ask(method), table) == []


def copies(program: Program, table: str, count: int) -> None:
    """Store rows that differ in their keys alone."""
    with program.served("--dev-time", str(NOW)), Wire(program.socket) as wire:
        match table:
            case "offers":
                wire.ask("offer", {"amount": "any"})
            case "invoicerequests":
                wire.ask("invoicerequest", [1000, "x"])
            case "invoices":
                wire.ask("createinvoice", creation(0))
    with closing(sqlite3.connect(program.network_dir / "lnoffers.sqlite3")) as connection, connection:
        connection.row_factory = sqlite3.Row
        row = dict(connection.execute(f"SELECT * FROM {table}").fetchone())
        for number in range(1, count):
            unique = sha256(number.to_bytes(4)).digest()
            changed = {"created_index": number + 1, "label": f"l{number}", "payment_hash": unique}
            changed = changed if table == "invoices" else {LISTS[table][1]: unique}
            values = row | changed
            marks = ", ".join("?" * len(values))
            connection.execute(f"INSERT INTO {table} VALUES ({marks})", tuple(values.values()))


def test_whoever_waits_for_a_payment_gets_the_next_that_can_be_read(filled: Program) -> None:
    with Node.open(Options(lightning_dir=filled.directory, network="regtest")) as node:
        for number in (0, 1, 2):
            assert pay(node, number)
    damage(filled, "UPDATE invoices SET amount_received_msat = 'x' WHERE pay_index = 1")
    with filled.served("--dev-time", str(NOW)), Wire(filled.socket) as wire:
        assert wire.ask("waitanyinvoice")["result"]["pay_index"] == 2


def test_a_row_that_is_asked_for_by_itself_is_refused_with_its_name(filled: Program) -> None:
    offer_id = filled.call("listoffers").json["offers"][2]["offer_id"]
    damage(filled, f"UPDATE offers SET label = x'00' WHERE offer_id = x'{offer_id}'")
    damage(filled, "UPDATE invoices SET description = x'00' WHERE label = 'number 1'")
    with filled.served(), Wire(filled.socket) as wire:
        for method, params in {
            "listoffers": [offer_id],
            "disableoffer": [offer_id],
            "listinvoices": ["number 1"],
            "waitinvoice": ["number 1"],
            "delinvoice": ["number 1", "unpaid"],
            "createinvoice": creation(1),
        }.items():
            error = wire.ask(method, params)["error"]
            assert error["code"] == -1
            assert re.fullmatch(
                rf"(offers {offer_id}|invoices 2) cannot be read: its \w+ is not text. lnoffers check-store lists .*",
                error["message"],
            )
        wire.send(request("disableoffer", [offer_id]) + request("invoicerequest", [1000, "beside it"]))
        assert b'"error"' in wire.answer()
        assert "result" in json.loads(wire.answer())
    [status] = read(
        filled.network_dir / "lnoffers.sqlite3", f"SELECT status FROM offers WHERE offer_id = x'{offer_id}'"
    )
    assert status == (1,), "what was answered with an error was not done"


def read(path: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()
