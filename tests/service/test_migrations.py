"""Stores written by earlier releases are copied, and then open with all their content."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from lnoffers.service.errors import StoreError
from lnoffers.service.store import Identity, Store, migrations
from lnoffers.service.store.examination import examine
from lnoffers.service.store.migrations import STEPS
from tests.bolt12.samples import NOW
from tests.service.invoicing import KEYS
from tests.service.program import SECONDS, Program, run
from tests.shared import ROOT

OWNER = Identity("regtest", KEYS.node_id)
STORE = "lnoffers.sqlite3"


def written(version: int, path: Path) -> Path:
    """Return a store as a release wrote it."""
    script = (ROOT / "tests" / "service" / "stores" / f"version-{version}.sql").read_text()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
        connection.execute("PRAGMA journal_mode = WAL")
    return path


def content(path: Path) -> list[str]:
    """Return the content of a store, as SQL."""
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def faults(path: Path) -> list[str]:
    return [fault for finding in examine(None, path, "regtest") for fault in finding.faults]


@pytest.fixture
def old(seed_program: Program) -> Program:
    """Return the program on a directory with a store of version 1."""
    written(1, seed_program.network_dir / STORE)
    return seed_program


def test_a_store_of_each_version_is_kept_as_test_data() -> None:
    kept = sorted(path.name for path in (ROOT / "tests" / "service" / "stores").iterdir())
    assert kept == [f"version-{version}.sql" for version in range(1, len(STEPS) + 1)]


def test_a_store_of_today_s_version_opens_as_it_is(seed_program: Program) -> None:
    path = written(len(STEPS), seed_program.network_dir / STORE)
    before = content(path)
    assert faults(path) == []
    shown = {
        method: seed_program.call("--dev-time", str(NOW), method).json[table]
        for method, table in (
            ("listoffers", "offers"),
            ("listinvoicerequests", "invoicerequests"),
            ("listinvoices", "invoices"),
        )
    }
    assert content(path) == before
    assert [each["description"] for each in shown["listoffers"]] == ["gift", "one coffee"]
    assert [each["active"] for each in shown["listinvoicerequests"]] == [False, True]
    assert [each["status"] for each in shown["listinvoices"]] == ["unpaid", "paid", "unpaid"]
    assert sorted(path.name for path in seed_program.network_dir.iterdir()) == ["hsm_secret", STORE]


def test_an_older_store_is_copied_before_it_is_upgraded_and_the_log_says_so(old: Program) -> None:
    path = old.network_dir / STORE
    before, kept = content(path), old.network_dir / f"{STORE}.version-1"
    listed = old.call("listinvoicerequests")
    assert [each["label"] for each in listed.json["invoicerequests"] if "label" in each] == ['a "label"']
    assert listed.err == f"lnoffers: The store is brought from version 1 to {len(STEPS)}. What it was is in {kept}\n"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert content(kept) == before
    assert faults(path) == []
    assert old.call("listinvoicerequests").err == ""


def test_invoices_of_an_older_store_were_created_and_stay(seed_program: Program) -> None:
    path = written(2, seed_program.network_dir / STORE)
    listed = seed_program.call("--dev-time", str(NOW), "listinvoices")
    assert [each["status"] for each in listed.json["invoices"]] == ["unpaid", "paid"]
    assert faults(path) == []
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT answers_request FROM invoices").fetchall() == [(0,), (0,)]


def test_a_server_upgrades_a_store_and_goes_on_with_it(old: Program) -> None:
    with old.served() as server:
        made = old.call("offer", "any", "x").json["offer_id"]
        server.terminate()
        assert "The store is brought from version 1 to" in server.communicate(timeout=SECONDS)[1]
    assert [each["offer_id"] for each in old.call("listoffers").json["offers"]] == [made]


def test_a_copy_that_is_brought_back_opens_again_and_earlier_copies_stay(old: Program) -> None:
    path, kept = old.network_dir / STORE, old.network_dir / f"{STORE}.version-1"
    for _ in range(3):
        assert old.call("listinvoicerequests").code == 0
        shutil.copy(kept, path)
    copies = sorted(each.name for each in old.network_dir.glob("*.version-1*"))
    assert copies == [f"{STORE}.version-1", f"{STORE}.version-1.2", f"{STORE}.version-1.3"]


def test_several_processes_that_upgrade_at_once_make_one_copy(old: Program) -> None:
    command = [sys.executable, "-m", "lnoffers", "call", *old.flags, "listinvoicerequests"]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for _ in range(4)]
    told = [json.loads(process.communicate(timeout=SECONDS)[0]) for process in running]
    assert all(len(each["invoicerequests"]) == 2 for each in told)
    assert len(list(old.network_dir.glob("*.version-1*"))) == 1


def test_without_room_for_the_copy_nothing_is_upgraded(old: Program) -> None:
    with closing(sqlite3.connect(old.network_dir / STORE)) as connection, connection:
        for number in range(400):
            connection.execute(
                "INSERT INTO invoicerequests VALUES (?, ?, NULL, 1)",
                (bytes([1, number % 256, number // 256]), "x" * 500),
            )
    before = content(old.network_dir / STORE)
    limited = ("sh", "-c", 'ulimit -f 80; exec "$@"', "sh")  # more than SQLite's own files need, less than the copy
    outcome = run("call", *old.flags, "listinvoicerequests", under=limited)
    assert (outcome.code, outcome.out) == (2, "")
    assert f"{STORE}.version-1, as every upgrade does first: " in outcome.err
    assert content(old.network_dir / STORE) == before
    assert not list(old.network_dir.glob("*.version-1*"))


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add a step to this release that fails half-way."""
    step = ("CREATE TABLE half_done (a TEXT)", "DELETE FROM invoicerequests", "nonsense")
    monkeypatch.setattr(migrations, "STEPS", (*STEPS, step))
    monkeypatch.setattr("lnoffers.service.store.store.STEPS", (*STEPS, step))


@pytest.mark.usefixtures("failing")
@pytest.mark.parametrize("version", range(1, len(STEPS) + 1))
def test_an_upgrade_that_fails_changes_nothing_and_leaves_the_copy(tmp_path: Path, version: int) -> None:
    path = written(version, tmp_path / STORE)
    before = content(path)
    with pytest.raises(StoreError, match="syntax error"):
        Store.open(None, path, OWNER)
    assert content(path) == before
    assert content(tmp_path / f"{STORE}.version-{version}") == before


def test_a_new_store_needs_no_copy(program: Program) -> None:
    program.call("invoicerequest", "1sat", "x")
    assert sorted(path.name for path in program.network_dir.iterdir()) == ["hsm_secret", STORE]
