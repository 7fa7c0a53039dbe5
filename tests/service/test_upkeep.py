"""Copies of a store, and whether it is sound: with a server and without, whole or not at all, changing nothing."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from clnrpc import Client
from lnoffers.bolt12 import Invoice, Offer
from lnoffers.service.store.upkeep import examine
from tests.bolt12 import samples
from tests.service.program import SEED_SECRET, Outcome, Program, run

STORE = "lnoffers.sqlite3"


def backup(program: Program, target: Path, under: tuple[str, ...] = ()) -> Outcome:
    return run("backup", *program.flags, str(target), under=under)


def check(program: Program) -> Outcome:
    return run("check-store", *program.flags)


def listed(program: Program) -> Any:
    return program.call("listinvoicerequests").json["invoicerequests"]


def restored(copy: Path, directory: Path) -> Program:
    """The program on a directory to which a copy was brought back."""
    made = Program(directory)
    made.give_secret(SEED_SECRET)
    shutil.copy(copy, made.network_dir / STORE)
    return made


def test_a_copy_is_private_one_file_and_can_be_brought_back(seed_program: Program, tmp_path: Path) -> None:
    seed_program.call("invoicerequest", "1000", "x")
    copy = tmp_path / "copies" / "one"
    copy.parent.mkdir()
    assert backup(seed_program, copy) == Outcome(0, "", "")
    assert [path.name for path in copy.parent.iterdir()] == ["one"]
    assert copy.stat().st_mode & 0o777 == 0o600
    again = restored(copy, seed_program.directory / "again")
    assert listed(again) == listed(seed_program)
    assert check(again) == Outcome(0, "1 records, no faults\n", "")


def test_a_copy_can_be_made_while_a_server_writes_and_has_what_was_answered_before(
    seed_program: Program, tmp_path: Path
) -> None:
    with seed_program.served(), Client(seed_program.socket) as client:
        made = [client.invoicerequest(amount=1, description=str(number)).invreq_id for number in range(20)]
        ended = threading.Event()

        def go_on() -> None:
            with Client(seed_program.socket) as other:
                while not ended.is_set():
                    other.invoicerequest(amount=1, description="later")

        writer = threading.Thread(target=go_on)
        writer.start()
        try:
            copied = backup(seed_program, tmp_path / "copy")
            checked = check(seed_program)
        finally:
            ended.set()
            writer.join()
        assert copied == Outcome(0, "", "")
        assert (checked.code, checked.err) == (0, "")
        assert client.invoicerequest(amount=1, description="still")
    again = restored(tmp_path / "copy", seed_program.directory / "again")
    assert {request["invreq_id"] for request in listed(again)} >= set(made)


def test_a_copy_never_takes_the_place_of_a_file(seed_program: Program, tmp_path: Path) -> None:
    seed_program.call("invoicerequest", "1000", "x")
    taken = tmp_path / "taken"
    taken.write_text("mine")
    refused = backup(seed_program, taken)
    assert (refused.code, refused.err) == (2, f"lnoffers: {taken} exists: choose another name, or move it away\n")
    assert taken.read_text() == "mine"


@pytest.mark.parametrize(
    ("under", "target"),
    [(("sh", "-c", 'ulimit -f 80; exec "$@"', "sh"), "copy"), ((), "missing/copy")],
    ids=["no room", "no directory"],
)
def test_a_copy_that_cannot_be_made_leaves_nothing(
    seed_program: Program, tmp_path: Path, under: tuple[str, ...], target: str
) -> None:
    seed_program.call("invoicerequest", "1000", "x")
    failed = backup(seed_program, tmp_path / target, under)
    assert (failed.code, failed.out) == (2, "")
    assert str(tmp_path / target) in failed.err
    assert failed.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [("backup", "copy"), ("check-store",)])
def test_where_there_is_no_store_none_is_made(program: Program, tmp_path: Path, command: tuple[str, ...]) -> None:
    store = program.network_dir / STORE
    words = [str(tmp_path / word) if word == "copy" else word for word in command]
    refused = run(*words, *program.flags)
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith(f"lnoffers: {store}: there is no store here. ")
    store.write_bytes(b"something else" * 100)
    refused = run(*words, *program.flags)
    assert (refused.code, refused.err.count("\n")) == (2, 1)
    assert refused.err.startswith(f"lnoffers: {store}: ")
    assert sorted(path.name for path in program.network_dir.iterdir()) == ["hsm_secret", STORE]
    assert not list(tmp_path.iterdir())


@pytest.fixture
def store(seed_program: Program) -> Path:
    """A store with one record of each kind, in good order."""
    seed_program.call("invoicerequest", "1000", "x")
    path = seed_program.network_dir / STORE
    offer, invoice = samples.offer(), samples.invoice()
    insert(path, "offers", offer_id=offer.offer_id, bolt12=offer.encode(), label=None, status=1, force_paths=0)
    insert(path, "invoices", **of(invoice), status="unpaid", local_offer_id=offer.offer_id)
    return path


def of(invoice: Invoice) -> dict[str, Any]:
    return {
        "created_index": 1,
        "updated_index": 1,
        "label": '"one"',
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
    return [fault.partition(": ")[2] for faults in examine(None, path) for fault in faults]


def test_nothing_is_found_in_a_sound_store(store: Path) -> None:
    before = store.read_bytes()
    assert len(list(examine(None, store))) == 4
    assert found(store) == []
    assert store.read_bytes() == before


OTHER_OFFER = Offer.parse(samples.offer(offer_description="another").encode())


@pytest.mark.parametrize(
    ("statement", "values", "expected"),
    [
        ("UPDATE invoicerequests SET status = 9", (), ["there is no status 9"]),
        ("UPDATE invoicerequests SET status = 'x'", (), ["there is no status 'x'"]),
        ("UPDATE invoicerequests SET invreq_id = ?", (b"\1" * 32,), ["its string has the id "]),
        ("UPDATE invoicerequests SET bolt12 = 'lnr1'", (), ["its string cannot be read: "]),
        ("UPDATE invoicerequests SET bolt12 = x'00'", (), ["its string cannot be read: "]),
        ("UPDATE offers SET status = 64, force_paths = 3", (), ["there is no status 64", "force_paths is 3"]),
        ("UPDATE offers SET bolt12 = ?", (OTHER_OFFER.encode(),), ["its string has the id "]),
        ("UPDATE invoices SET status = 'lost'", (), ["there is no status 'lost'"]),
        ("UPDATE invoices SET status = 'paid'", (), ["it is paid, which does not go with"]),
        ("UPDATE invoices SET paid_at = 1", (), ["it is unpaid, which does not go with"]),
        ("UPDATE invoices SET payment_preimage = ?", (b"\0" * 32,), ["its preimage is not that of its payment hash"]),
        ("UPDATE invoices SET payment_preimage = 'x'", (), ["its preimage is not that of its payment hash"]),
        (
            "UPDATE invoices SET payment_preimage = ?, payment_hash = ?",
            (b"\0" * 32, sha256(b"\0" * 32).digest()),
            ["its string has another payment hash"],
        ),
        ("UPDATE invoices SET amount_msat = 1", (), ["its string is about 1000 msat, not 1"]),
        ("UPDATE invoices SET local_offer_id = ?", (b"\1" * 32,), ["the offer that it is for is not stored"]),
        ("UPDATE meta SET network = 'bitcoin'", (), ["its string cannot be read: "] * 3),
    ],
)
def test_each_fault_is_found(store: Path, statement: str, values: tuple[Any, ...], expected: list[str]) -> None:
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute(statement, values)
    told = found(store)
    assert [fault[: len(start)] for fault, start in zip(told, expected, strict=True)] == expected, told


def tampered(invoice: Invoice) -> str:
    """The string with another signature."""
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
    assert outcome.out.endswith("3 records, 1 faults\n")
    assert "never used" in outcome.out


def test_the_program_names_the_record_and_fails(seed_program: Program, store: Path) -> None:
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("UPDATE invoices SET amount_msat = 1")
    outcome = check(seed_program)
    assert outcome.code == 1
    assert outcome.out == "invoices 1: its string is about 1000 msat, not 1\n3 records, 1 faults\n"
    assert samples.PREIMAGE.hex() not in outcome.out
