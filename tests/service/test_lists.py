"""Lists longer than a page are complete and in order, and other clients do not wait for their reader."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from typing import Any

import pytest

from clnrpc.types import ListinvoicerequestsRequest
from lnoffers.bolt12 import Offer
from lnoffers.service import Node, OffersService, Options
from lnoffers.service.commands.pages import PAGE_CHARACTERS, PAGE_ROWS
from lnoffers.service.status import Status
from lnoffers.service.store import invoicerequests, invoices, offers
from lnoffers.service.store.invoicerequests import StoredRequest
from lnoffers.service.store.invoices import NewInvoice
from lnoffers.service.store.offers import StoredOffer
from tests.service.program import Program, Wire, request

MANY = 5_000  # rows, more than what may be unread
TEXT = "lnr1" + "q" * 400
OFFER_ID = bytes(range(32))
GENERATOR = bytes.fromhex("0279be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")


def fill(program: Program, count: int, text: str = TEXT) -> list[str]:
    """Store so many rows, every other one active; return their ids in order."""
    keys = [sha256(number.to_bytes(4)).digest() for number in range(count)]
    options = Options(lightning_dir=program.directory, network="regtest")
    with Node.open(options) as node, node.store.transaction() as connection:
        for number, key in enumerate(keys):
            invoicerequests.add(connection, StoredRequest(key, text, None, Status(number % 2)))
    return [key.hex() for key in sorted(keys)]


def ids(answer: bytes) -> list[str]:
    return [item["invreq_id"] for item in json.loads(answer)["result"]["invoicerequests"]]


@pytest.mark.parametrize("count", [0, 1, PAGE_ROWS - 1, PAGE_ROWS, PAGE_ROWS + 1, 3 * PAGE_ROWS])
def test_a_list_has_each_row_once_and_in_order_however_many_pages_it_takes(program: Program, count: int) -> None:
    keys = fill(program, count)
    with program.served(), Wire(program.socket) as wire:
        wire.send(request("listinvoicerequests"))
        assert ids(wire.answer()) == keys
        assert len(wire.ask("listinvoicerequests", {"active_only": True})["result"]["invoicerequests"]) == count // 2
        for key in keys[-1:]:
            assert len(wire.ask("listinvoicerequests", [key])["result"]["invoicerequests"]) == 1


@pytest.mark.parametrize("count", [1, 3, PAGE_ROWS, PAGE_ROWS + 1])
def test_a_page_of_long_strings_ends_early_and_the_list_is_whole(program: Program, count: int) -> None:
    each = PAGE_CHARACTERS // 2 - 1
    keys = fill(program, count, "lnr1".ljust(each, "q"))
    with Node.open(Options(lightning_dir=program.directory, network="regtest")) as node:
        found = OffersService(node).listinvoicerequests(ListinvoicerequestsRequest())
        pages = [*found] if isinstance(found, Iterator) else [found]
    assert [len(page.invoicerequests) for page in pages] == [2] * (count // 2) + [1] * (count % 2)
    assert [item.invreq_id for page in pages for item in page.invoicerequests] == keys


def test_a_long_list_is_whole_without_a_server_too(program: Program) -> None:
    keys = fill(program, 2 * PAGE_ROWS)
    listed = program.call("listinvoicerequests").json["invoicerequests"]
    assert [item["invreq_id"] for item in listed] == keys


def test_calls_behind_a_long_list_wait_for_its_end(program: Program) -> None:
    keys = fill(program, MANY)
    with program.served(), Wire(program.socket) as wire:
        wire.send(request("listinvoicerequests", [], 1) + request("getinfo", [], 2))
        wire.send(request("listinvoicerequests", [keys[0]], 3))
        assert ids(wire.answer()) == keys
        assert json.loads(wire.answer())["id"] == 2
        assert ids(wire.answer()) == keys[:1]


def test_a_client_that_ends_its_side_gets_its_list_then_the_end(program: Program) -> None:
    keys = fill(program, MANY)
    with program.served(), Wire(program.socket) as wire:
        wire.send(request("listinvoicerequests"))
        wire.socket.shutdown(1)
        assert ids(wire.answer()) == keys
        assert wire.is_closed()


def test_others_are_served_while_a_client_does_not_read_its_list(program: Program) -> None:
    keys = fill(program, MANY)
    with program.served(), Wire(program.socket) as lazy, Wire(program.socket) as other:
        lazy.send(request("listinvoicerequests"))
        made = [other.ask("invoicerequest", [1000, f"number {number}"])["result"]["invreq_id"] for number in range(50)]
        assert set(keys) <= set(ids(lazy.answer())) <= {*keys, *made}


def test_a_client_that_leaves_its_list_leaves_nothing_behind(program: Program) -> None:
    fill(program, MANY)
    with program.served() as server, Wire(program.socket) as other:
        for _ in range(3):
            with Wire(program.socket) as leaving:
                leaving.send(request("listinvoicerequests"))
                assert leaving.socket.recv(1)
        assert "result" in other.ask("getinfo")
        server.terminate()
        _, errors = server.communicate()
    assert errors.count("\n") == 0


def test_a_list_that_cannot_be_read_to_its_end_is_cut_off(program: Program) -> None:
    fill(program, MANY)
    with program.served() as server, Wire(program.socket) as wire, Wire(program.socket) as other:
        wire.send(request("listinvoicerequests"))
        assert wire.socket.recv(1) == b"{"
        time.sleep(0.2)  # by then the server waits for its client to read on
        with closing(sqlite3.connect(program.network_dir / "lnoffers.sqlite3")) as connection:
            connection.execute("DROP TABLE invoicerequests")
        assert not wire.answer().endswith(b"\n\n")
        assert "result" in other.ask("getinfo")
        server.terminate()
        _, errors = server.communicate()
    assert "An answer was cut off: The store failed: " in errors


def test_long_lists_of_offers_are_whole(program: Program) -> None:
    offer = Offer.build(offer_issuer_id=GENERATOR, offer_description="x").encode()
    keys = [sha256(number.to_bytes(4)).digest() for number in range(3 * PAGE_ROWS)]
    options = Options(lightning_dir=program.directory, network="regtest")
    with Node.open(options) as node, node.store.transaction() as connection:
        for number, key in enumerate(keys):
            offers.add(
                connection, StoredOffer(key, offer, None, Status(number % 2), force_paths=False, description="x")
            )
    with program.served(), Wire(program.socket) as wire:
        for given, expected in (({}, keys), ({"active_only": True}, keys[1::2])):
            listed = wire.ask("listoffers", given)["result"]["offers"]
            assert [item["offer_id"] for item in listed] == sorted(key.hex() for key in expected)


def fill_invoices(program: Program, count: int) -> None:
    """Store so many invoices; two in three were paid, the last first, and every other one has an offer."""
    options = Options(lightning_dir=program.directory, network="regtest")
    hashes = [sha256(number.to_bytes(4)).digest() for number in range(count)]
    with Node.open(options) as node, node.store.transaction() as connection:
        for number, payment_hash in enumerate(hashes):
            new = NewInvoice(
                label=f"{number:04}",
                bolt12="lni1",
                description=None,
                payer_note=None,
                payment_hash=payment_hash,
                payment_preimage=bytes(32),
                amount_msat=1,
                expires_at=2**40,
                local_offer_id=OFFER_ID if number % 2 else None,
            )
            invoices.add(connection, new)
        for payment_hash in reversed(hashes):
            if payment_hash[0] % 3:
                assert invoices.pay(connection, payment_hash, 1, 1)


@pytest.mark.parametrize("count", [1, PAGE_ROWS, 3 * PAGE_ROWS + 7])
@pytest.mark.parametrize("index", ["created", "updated"])
def test_a_part_of_all_invoices_is_the_same_in_pages(program: Program, index: str, count: int) -> None:
    fill_invoices(program, count)
    with program.served(), Wire(program.socket) as wire:

        def listed(**given: Any) -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = wire.ask("listinvoices", given)["result"]["invoices"]
            return found

        def place(invoice: dict[str, Any]) -> tuple[int, int]:
            return (invoice.get(f"{index}_index", 0), invoice["created_index"])

        every = sorted(listed(), key=place)
        assert len(every) == count
        for start in (0, 1, count // 2, count, count + 1):
            behind = [invoice for invoice in every if place(invoice)[0] >= start]
            for limit in (1, PAGE_ROWS, PAGE_ROWS + 1, count, count + 1):
                given = {"index": index, "start": start, "limit": limit}
                assert listed(**given) == behind[:limit]
                of_offer = [invoice for invoice in behind[:limit] if "local_offer_id" in invoice]
                assert listed(offer_id=OFFER_ID.hex(), **given) == of_offer


def test_a_list_is_whole_behind_calls_that_the_store_failed(program: Program) -> None:
    keys = fill(program, PAGE_ROWS + 1)
    with closing(sqlite3.connect(program.network_dir / "lnoffers.sqlite3")) as damaged:
        damaged.execute("DROP TABLE offers")
    calls = [("invoicerequest", [1, "x"]), ("disableoffer", ["00" * 32]), ("listinvoicerequests", []), ("getinfo", [])]
    with program.served(), Wire(program.socket) as wire:
        wire.send(b"".join(request(method, params, method) for method, params in calls))
        for refused in ("invoicerequest", "disableoffer"):
            answer = json.loads(wire.answer())
            assert answer["id"] == refused
            assert answer["error"]["message"].startswith("The store failed: ")
        assert ids(wire.answer()) == keys
        assert json.loads(wire.answer())["id"] == "getinfo"
