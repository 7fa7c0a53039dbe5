"""`check-store` finds each fault, reports it in one line, and still examines the rest of the store."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from lnoffers.bolt12 import Invoice, Offer
from lnoffers.service.errors import StoreError
from lnoffers.service.store.examination import examine
from lnoffers.service.store.migrations import STEPS
from tests.bolt12 import samples
from tests.service.invoicing import creation
from tests.service.program import Outcome, Program, Wire, run

STORE = "lnoffers.sqlite3"


def check(program: Program) -> Outcome:
    return run("check-store", *program.flags)


@pytest.fixture
def store(seed_program: Program) -> Path:
    """Return a store with one record of each kind, in good order."""
    seed_program.call("invoicerequest", "1000", "x")
    path = seed_program.network_dir / STORE
    offer, invoice = samples.offer(), samples.invoice()
    insert(path, "offers", offer_id=offer.offer_id, bolt12=offer.encode(), label=None, status=1, force_paths=0)
    insert(path, "invoices", **of(invoice), status="unpaid", local_offer_id=offer.offer_id)
    insert(path, "payments", **paid(invoice))
    insert(path, "runes", unique_id=0, restrictions="=0&method=getinfo")
    insert(path, "rune_uses", unique_id=0, last_used_ns=samples.NOW * 10**9)
    insert(path, "rune_blacklist", first_id=1, last_id=2)
    return path


def paid(invoice: Invoice) -> dict[str, Any]:
    return {
        "payment_hash": sha256(samples.PREIMAGE).digest(),
        "invreq_id": invoice.invreq_id,
        "offer_id": invoice.offer_id,
        "bolt12": invoice.encode(),
        "amount_msat": invoice.invoice_amount,
        "limit_msat": invoice.invoice_amount,
        "expires_at": invoice.expires_at,
        "single_use": 0,
        "state": "paid",
        "backend": "none",
        "owner": "one",
        "fence": 1,
        "created_index": 1,
        "created_at": samples.NOW,
        "completed_at": samples.NOW,
        "preimage": samples.PREIMAGE,
        "sent_msat": invoice.invoice_amount,
    }


def of(invoice: Invoice) -> dict[str, Any]:
    return {
        "created_index": 1,
        "updated_index": 1,
        "label": "one",
        "bolt12": invoice.encode(),
        "payment_hash": sha256(samples.PREIMAGE).digest(),
        "payment_preimage": samples.PREIMAGE,
        "amount_msat": invoice.invoice_amount,
        "expires_at": 2**33,
    }


def insert(path: Path, table: str, **values: Any) -> None:
    names, marks = ", ".join(values), ", ".join("?" * len(values))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))


def found(path: Path) -> list[str]:
    return [fault.partition(": ")[2] for finding in examine(None, path, "regtest") for fault in finding.faults]


def test_nothing_is_found_in_a_sound_store(store: Path) -> None:
    before = store.read_bytes()
    assert sum(finding.is_record for finding in examine(None, store, "regtest")) == 7
    assert found(store) == []
    assert store.read_bytes() == before


OTHER_OFFER = Offer.parse(samples.offer(offer_description="another").encode())


@pytest.mark.parametrize(
    ("statement", "values", "expected"),
    [
        ("UPDATE invoicerequests SET status = 9", (), ["there is no status 9"]),
        ("UPDATE invoicerequests SET status = 'x'", (), ["its status is not a number"]),
        ("UPDATE invoicerequests SET status = 11", (), ["it is claimed, and no payment is open"]),
        (
            "UPDATE payments SET state = 'paying', single_use = 1, completed_at = NULL, preimage = NULL,"
            " sent_msat = NULL, invreq_id = (SELECT invreq_id FROM invoicerequests)",
            (),
            ["its string answers the request ", "it is not claimed, and a payment is open"],
        ),
        ("UPDATE invoicerequests SET invreq_id = ?", (b"\1" * 32,), ["its string has the id "]),
        ("UPDATE invoicerequests SET bolt12 = 'lnr1'", (), ["its string cannot be read: "]),
        ("UPDATE invoicerequests SET bolt12 = x'00'", (), ["its bolt12 is not text"]),
        ("UPDATE offers SET status = 64, force_paths = 3", (), ["there is no status 64", "force_paths is 3"]),
        ("UPDATE offers SET bolt12 = ?", (OTHER_OFFER.encode(),), ["its string has the id "]),
        ("UPDATE invoices SET status = 'lost'", (), ["there is no status 'lost'"]),
        ("UPDATE invoices SET status = 'paid'", (), ["it is paid, which does not go with"]),
        ("UPDATE invoices SET paid_at = 1", (), ["it is unpaid, which does not go with"]),
        ("UPDATE invoices SET payment_preimage = ?", (b"\0" * 32,), ["its preimage is not that of its payment hash"]),
        ("UPDATE invoices SET payment_preimage = 'x'", (), ["its payment_preimage is not bytes"]),
        (
            "UPDATE invoices SET payment_preimage = ?, payment_hash = ?",
            (b"\0" * 32, sha256(b"\0" * 32).digest()),
            ["its string has another payment hash"],
        ),
        ("UPDATE invoices SET amount_msat = 1", (), ["its string is about 1000 msat, not 1"]),
        ("UPDATE invoices SET local_offer_id = ?", (b"\1" * 32,), ["the offer that it is for is not stored"]),
        ("UPDATE invoices SET answers_request = 2", (), ["answers_request is 2"]),
        (
            "UPDATE payments SET state = 'lost', single_use = 2",
            (),
            ["there is no state 'lost'", "single_use is 2", "it is lo"],
        ),
        ("UPDATE payments SET state = 'paying'", (), ["it is paying, which does not go with its time", "it is paying"]),
        ("UPDATE payments SET completed_at = NULL", (), ["it is paid, which does not go with its time of completion"]),
        ("UPDATE payments SET preimage = NULL", (), ["it is paid, which does not go with what is stored"]),
        ("UPDATE payments SET preimage = ?", (b"\0" * 32,), ["its preimage is not that of its payment hash"]),
        ("UPDATE payments SET invreq_id = ?", (b"\0" * 32,), ["its string answers the request "]),
        ("UPDATE runes SET restrictions = '=1'", (), ["its restrictions have another id"]),
        ("UPDATE runes SET restrictions = '=0-1'", (), ["its restrictions have another id"]),
        ("UPDATE runes SET restrictions = '=0&method'", (), ["its restrictions cannot be read: "]),
        ("UPDATE runes SET restrictions = x'00'", (), ["its restrictions is not text"]),
        ("UPDATE rune_uses SET unique_id = -1", (), ["no rune has such an id"]),
        ("UPDATE rune_uses SET last_used_ns = -1", (), ["last_used_ns is -1"]),
        ("UPDATE rune_uses SET last_used_ns = 'x'", (), ["its last_used_ns is not a number"]),
        ("UPDATE rune_blacklist SET first_id = 3", (), ["its ids, 3 to 2, are no range"]),
        ("UPDATE rune_blacklist SET first_id = -1", (), ["its ids, -1 to 2, are no range"]),
        ("UPDATE invoices SET label = x'00'", (), ["its label is not text"]),
        ("UPDATE invoices SET label = CAST(x'ff' AS TEXT)", (), ["its label is not text"]),
        ("UPDATE invoices SET label = '\"'", (), ["its label is not the text of a JSON string"]),
        (
            "UPDATE offers SET label = x'00', force_paths = 'x'",
            (),
            ["its label is not text", "its force_paths is not a number"],
        ),
        ("UPDATE meta SET network = 'bitcoin'", (), ["the store is of the network bitcoin, not regtest"]),
        ("UPDATE meta SET network = x'00'", (), ["its network is not text"]),
        ("UPDATE meta SET version = 1", (), [f"the store is of version 1; this release uses version {len(STEPS)}"]),
        ("UPDATE meta SET version = 99", (), [f"the store is of version 99; this release uses version {len(STEPS)}"]),
        ("UPDATE meta SET version = 'x'", (), ["its version is not a number"]),
        ("DELETE FROM meta", (), ["there are 0 rows where there should be one"]),
        ("DROP TABLE counters", (), ["the table counters is missing, or some of its columns are"]),
        ("ALTER TABLE offers DROP COLUMN label", (), ["the table offers is missing, or some of its columns are"]),
    ],
)
def test_each_fault_is_found(store: Path, statement: str, values: tuple[Any, ...], expected: list[str]) -> None:
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute(statement, values)
    told = found(store)
    assert [fault[: len(start)] for fault, start in zip(told, expected, strict=True)] == expected, told


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE meta SET network = 'bitcoin'",
        "DROP INDEX ix_invoices_local_offer_id",
        "UPDATE invoices SET local_offer_id = x'01'",
    ],
)
def test_what_is_examined_beside_the_records_is_not_counted_as_one(store: Path, statement: str) -> None:
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute(statement)
    assert sum(finding.is_record for finding in examine(None, store, "regtest")) == 7


def tampered(invoice: Invoice) -> str:
    """Return the string with another signature."""
    records = [*invoice.records]
    records[-1] = type(records[-1]).build(records[-1].type, bytes(64))
    return samples.as_text(b"".join(record.raw for record in records), "lni")


def test_a_false_signature_is_found(store: Path) -> None:
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("UPDATE invoices SET bolt12 = ?", (tampered(samples.invoice()),))
    assert found(store) == ["its signature is not valid"]


def test_damage_of_the_database_is_found_and_told(seed_program: Program, store: Path) -> None:
    assert check(seed_program).code == 0
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM sqlite_schema WHERE name = 'ix_invoices_local_offer_id'")
    outcome = check(seed_program)
    assert outcome.code == 1
    assert outcome.out.endswith("7 records, 1 fault\n")
    assert outcome.out.startswith("the database: ")


def test_the_program_names_the_record_and_fails(seed_program: Program, store: Path) -> None:
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("UPDATE invoices SET amount_msat = 1")
    outcome = check(seed_program)
    assert outcome.code == 1
    assert outcome.out == "invoices 1: its string is about 1000 msat, not 1\n7 records, 1 fault\n"
    assert samples.PREIMAGE.hex() not in outcome.out


def test_a_store_of_another_network_is_a_fault_and_so_are_its_strings(seed_program: Program, store: Path) -> None:
    """A copy is examined as the store of another network."""
    outcome = run("check-store", "--db", f"sqlite:///{store}", "--network", "bitcoin")
    assert outcome.code == 1
    meta, *strings, total = outcome.out.splitlines()
    assert meta == "meta: the store is of the network regtest, not bitcoin"
    assert all(": its string cannot be read: " in line for line in strings)
    assert total == "7 records, 5 faults"


def test_a_store_of_another_version_is_a_fault(seed_program: Program, store: Path) -> None:
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("UPDATE meta SET version = 99")
    outcome = check(seed_program)
    assert outcome.code == 1
    why = f"meta: the store is of version 99; this release uses version {len(STEPS)}"
    assert outcome.out == f"{why}\n7 records, 1 fault\n"


@pytest.fixture
def big(seed_program: Program) -> Path:
    """Return a sound store whose tables and indexes have several pages each."""
    with seed_program.served("--dev-time", str(samples.NOW)), Wire(seed_program.socket) as wire:
        for number in range(80):
            assert "result" in wire.ask("offer", {"amount": "any", "description": f"number {number}"})
            assert "result" in wire.ask("invoicerequest", [1000, f"number {number}"])
            assert "result" in wire.ask("createinvoice", creation(number))
    path = seed_program.network_dir / STORE
    assert found(path) == []
    return path


def pages(path: Path) -> tuple[int, int]:
    """Return how many pages the store has, and the size of each."""
    with closing(sqlite3.connect(path)) as connection:
        [count], [size] = (connection.execute(f"PRAGMA {what}").fetchone() for what in ("page_count", "page_size"))
    return count, size


@pytest.mark.parametrize("filling", ["zeros", "ones", "noise"])
def test_a_damaged_page_is_a_list_of_faults_wherever_it_is(big: Path, filling: str) -> None:
    count, size = pages(big)
    assert count > 30
    content = {"zeros": bytes(size), "ones": b"\xff" * size, "noise": random.Random(1).randbytes(size)}[filling]
    whole = big.read_bytes()
    for page in range(1, count):
        big.write_bytes(whole[: page * size] + content + whole[(page + 1) * size :])
        told = [fault for finding in examine(None, big, "regtest") for fault in finding.faults]
        assert told, f"page {page + 1}"
        assert all("\n" not in fault for fault in told)


def test_a_damaged_schema_is_a_fault_and_a_lost_header_is_no_database(big: Path) -> None:
    _, size = pages(big)
    whole = big.read_bytes()
    big.write_bytes(whole[:100] + b"\xff" * (size - 100) + whole[size:])
    faults = [fault for finding in examine(None, big, "regtest") for fault in finding.faults]
    assert any(fault.endswith(": the database is damaged; keep a copy of it, and restore a backup") for fault in faults)
    big.write_bytes(bytes(size) + whole[size:])
    with pytest.raises(StoreError, match="something other than a store; choose another one"):
        list(examine(None, big, "regtest"))


def test_the_program_lists_what_is_wrong_with_a_damaged_page_and_fails(seed_program: Program, big: Path) -> None:
    count, size = pages(big)
    whole = big.read_bytes()
    for page in (1, count // 2, count - 1):
        big.write_bytes(whole[: page * size] + b"\xff" * size + whole[(page + 1) * size :])
        outcome = check(seed_program)
        assert (outcome.code, outcome.err) == (1, "")
        *faults, total = outcome.out.splitlines()
        assert faults
        assert total.endswith(f" records, {len(faults)} faults")


def test_a_store_cut_short_is_a_list_of_faults(seed_program: Program, big: Path) -> None:
    whole = big.read_bytes()
    big.write_bytes(whole[: len(whole) // 2])
    assert check(seed_program).code == 1
