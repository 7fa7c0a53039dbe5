"""Backups of a store, with and without a server: complete or not made at all, and the store does not change."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from clnrpc import Client
from tests.service.program import SEED_SECRET, Outcome, Program, run
from tests.service.test_migrations import content, written
from tests.service.tracing import names_made, needs_strace, tracer_of_names

STORE = "lnoffers.sqlite3"


def backup(program: Program, target: Path, under: tuple[str, ...] = ()) -> Outcome:
    return run("backup", *program.flags, str(target), under=under)


def check(program: Program) -> Outcome:
    return run("check-store", *program.flags)


def listed(program: Program) -> Any:
    return program.call("listinvoicerequests").json["invoicerequests"]


def restored(copy: Path, directory: Path) -> Program:
    """Return the program on a directory with a restored copy."""
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
    assert check(again) == Outcome(0, "1 record, no faults\n", "")


@needs_strace
def test_a_copy_and_its_name_are_on_disk_when_the_program_ends(seed_program: Program, tmp_path: Path) -> None:
    seed_program.call("invoicerequest", "1000", "x")
    copy = seed_program.directory / "copy"
    assert backup(seed_program, copy, under=tracer_of_names(tmp_path / "trace")) == Outcome(0, "", "")
    names = names_made(tmp_path / "trace", seed_program.directory)
    assert names.durable[-1] == str(copy)
    assert names.lost == ()


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


def test_a_copy_of_a_damaged_store_is_refused_and_leaves_nothing(seed_program: Program, tmp_path: Path) -> None:
    """What cannot be restored must not pass as a copy."""
    seed_program.call("invoicerequest", "1000", "x")
    with closing(sqlite3.connect(seed_program.network_dir / STORE)) as connection, connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM sqlite_schema WHERE name = 'ix_invoices_local_offer_id'")
    refused = backup(seed_program, tmp_path / "copy")
    assert (refused.code, refused.out, refused.err.count("\n")) == (2, "", 1)
    assert refused.err.startswith(f"lnoffers: {tmp_path / 'copy'}: the copy is damaged, as the store may be (")
    assert refused.err.endswith("): see lnoffers check-store\n")
    assert list(tmp_path.iterdir()) == []
    assert check(seed_program).code == 1


def test_a_store_of_an_older_version_can_be_copied(seed_program: Program, tmp_path: Path) -> None:
    old = written(1, seed_program.network_dir / STORE)
    assert backup(seed_program, tmp_path / "copy") == Outcome(0, "", "")
    assert content(tmp_path / "copy") == content(old)


def test_a_database_with_nothing_in_it_is_no_store_to_copy(seed_program: Program, tmp_path: Path) -> None:
    store = seed_program.network_dir / STORE
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("VACUUM")
    assert store.stat().st_size
    refused = backup(seed_program, tmp_path / "copy")
    assert (refused.code, refused.err.startswith(f"lnoffers: {store}: there is no store here. ")) == (2, True)
    assert not list(tmp_path.iterdir())


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
