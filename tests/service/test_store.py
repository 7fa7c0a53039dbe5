"""The store: whose it is, what a transaction keeps, and what several calls or processes do to each other."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import StatementError

from lnoffers.service.errors import OptionsError, StoreError
from lnoffers.service.status import Event, Status
from lnoffers.service.store import Identity, LockedError, Store, invoicerequests
from lnoffers.service.store import engine as sqlite
from lnoffers.service.store.invoicerequests import DuplicateError, StoredRequest
from lnoffers.service.store.migrations import STEPS
from lnoffers.service.store.schema import METADATA
from tests.service.program import SECONDS

OWNER = Identity("regtest", b"\x02" * 33)
HELD = "another process holds the database; try again"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite3"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    opened = Store.open(None, path, OWNER)
    yield opened
    opened.close()


def row(number: int, status: Status = Status.ACTIVE) -> StoredRequest:
    return StoredRequest(bytes([number] * 32), f"lnr1{number}", None, status)


def add(store: Store, *numbers: int) -> None:
    for number in numbers:
        with store.transaction() as connection:
            invoicerequests.add(connection, row(number))


def stored(path: Path) -> list[int]:
    """What anybody else sees."""
    other = Store.open(None, path, OWNER)
    with other.transaction() as connection:
        found = [request.invreq_id[0] for request in invoicerequests.find(connection)]
    other.close()
    return found


def test_its_file_is_for_its_owner_alone(store: Store, path: Path) -> None:
    add(store, 1)
    modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    assert modes == {path.name: 0o600, f"{path.name}-wal": 0o600, f"{path.name}-shm": 0o600}


def test_it_is_durable_by_a_synchronous_log(store: Store) -> None:
    with store.transaction() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2


def test_its_version_changes_with_what_others_commit_and_nothing_else(store: Store, path: Path) -> None:
    before = store.version()
    add(store, 1)
    assert store.version() == before
    other = Store.open(None, path, OWNER)
    assert stored(path) == [1]
    assert store.version() == before
    add(other, 2)
    other.close()
    assert store.version() != before


def test_all_steps_lead_to_the_tables_of_the_schema(store: Store, path: Path, tmp_path: Path) -> None:
    fresh = create_engine(f"sqlite:///{tmp_path / 'fresh.sqlite3'}")
    METADATA.create_all(fresh)
    store.close()
    migrated = create_engine(f"sqlite:///{path}")
    for table in METADATA.tables:
        assert str(inspect(migrated).get_columns(table)) == str(inspect(fresh).get_columns(table))
        assert inspect(migrated).get_pk_constraint(table) == inspect(fresh).get_pk_constraint(table)
    assert inspect(migrated).get_table_names() == inspect(fresh).get_table_names()
    migrated.dispose()
    fresh.dispose()


@pytest.mark.parametrize("other", [Identity("regtest", b"\x03" * 33), Identity("signet", OWNER.node_id)])
def test_refuses_the_store_of_another_node_or_network(store: Store, path: Path, other: Identity) -> None:
    with pytest.raises(StoreError, match="belongs to node 0202"):
        Store.open(None, path, other)


def test_refuses_a_store_of_a_newer_release_and_leaves_it_as_it_is(store: Store, path: Path) -> None:
    store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE meta SET version = ?", (len(STEPS) + 1,))
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="use the release that made it"):
        Store.open(None, path, OWNER)
    assert path.read_bytes() == before


META = "CREATE TABLE meta (node_id, network, version)"


@pytest.mark.parametrize(
    "statements",
    [
        ["CREATE TABLE songs (title)"],
        ["CREATE VIEW songs AS SELECT 1"],
        ["CREATE TABLE meta (key, value)"],
        [META],
        [META, "INSERT INTO meta VALUES (NULL, 'regtest', 1)"],
        [META, "INSERT INTO meta VALUES ('text', 'regtest', 1)"],
        [META, "INSERT INTO meta VALUES (x'02', NULL, 1)"],
        [META, "INSERT INTO meta VALUES (x'02', 'regtest', '1')"],
        [META, "INSERT INTO meta VALUES (x'02', 'regtest', 0)"],
        [META, "INSERT INTO meta VALUES (x'02', 'regtest', 1)", "INSERT INTO meta VALUES (x'02', 'regtest', 1)"],
    ],
)
@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_refuses_a_database_of_something_else_and_leaves_it_as_it_is(
    path: Path, statements: list[str], journal: str
) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA journal_mode = {journal}")
        for statement in statements:
            connection.execute(statement)
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="in use by something else"):
        Store.open(None, path, OWNER)
    with pytest.raises(StoreError, match="in use by something else"):
        Store.is_new(None, path)
    assert path.read_bytes() == before


def test_the_store_of_another_node_stays_as_it_is(store: Store, path: Path) -> None:
    store.close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = delete")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="belongs to node"):
        Store.open(None, path, Identity("regtest", b"\x03" * 33))
    assert path.read_bytes() == before


def test_tells_whether_it_is_new(path: Path) -> None:
    assert Store.is_new(None, path)
    path.touch()
    assert Store.is_new(None, path)
    Store.open(None, path, OWNER).close()
    assert not Store.is_new(None, path)


def test_refuses_a_file_that_is_no_database(path: Path) -> None:
    path.write_bytes(b"not a database " * 100)
    with pytest.raises(StoreError, match="something other than a store; choose another one"):
        Store.open(None, path, OWNER)


def test_refuses_a_place_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=os.strerror(errno.ENOTDIR)):
        Store.open(None, tmp_path / "file" / "store.sqlite3", OWNER)


@pytest.mark.parametrize("url", ["nonsense", "sqlite://", "postgresql://me:password@host/name"])
def test_refuses_a_url_of_no_file_without_repeating_it(path: Path, url: str) -> None:
    with pytest.raises(OptionsError, match="--db") as caught:
        Store.open(url, path, OWNER)
    assert "password" not in str(caught.value)


@pytest.mark.parametrize(("end", "name"), [("elsewhere", "elsewhere"), ("100%25%20mine%3F", "100% mine?")])
def test_a_url_takes_the_place_of_the_default(path: Path, tmp_path: Path, end: str, name: str) -> None:
    Store.open(f"sqlite:///{tmp_path}/{end}", path, OWNER).close()
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.fixture
def writer(store: Store, path: Path) -> Iterator[sqlite3.Connection]:
    """Another process, as it were, in the middle of a write."""
    store.wait_for_others(0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


def read(store: Store) -> list[int]:
    with store.transaction(writes=False) as connection:
        return [request.invreq_id[0] for request in invoicerequests.find(connection)]


def test_opening_waits_no_longer_than_it_is_told_for_a_reader_who_keeps_it_from_turning_the_log_on(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.close()
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as reader, ThreadPoolExecutor() as pool:
        reader.execute("PRAGMA journal_mode = DELETE")
        reader.execute("BEGIN")
        assert reader.execute("SELECT version FROM meta").fetchall()
        opening = pool.submit(Store.open, None, path, OWNER)
        try:
            with pytest.raises(StoreError, match=HELD):
                opening.result(SECONDS)
        finally:
            reader.rollback()  # an opening that goes on waiting ends with this
    assert stored(path) == []


def test_reading_does_not_wait_for_a_writer(store: Store, writer: sqlite3.Connection) -> None:
    assert read(store) == []
    with store.group() as group:
        assert read(store) == []
        assert group.joined == 0


def test_writing_waits_for_a_writer_no_longer_than_it_is_told(store: Store, writer: sqlite3.Connection) -> None:
    begun = time.monotonic()
    with pytest.raises(StoreError, match=HELD):
        add(store, 1)
    assert time.monotonic() - begun < sqlite.BUSY_SECONDS / 2
    writer.rollback()
    add(store, 1)
    assert read(store) == [1]


def test_a_transaction_that_writes_keeps_other_writers_out_from_its_beginning(store: Store, path: Path) -> None:
    """So what it reads first still holds when it writes."""
    other = Store.open(None, path, OWNER)
    other.wait_for_others(0)
    with store.transaction() as connection:
        assert not invoicerequests.find(connection)
        with pytest.raises(StoreError, match=HELD):
            add(other, 1)
        invoicerequests.add(connection, row(2))
    other.close()
    assert stored(path) == [2]


def test_in_a_group_writing_is_put_off_while_another_writes_and_reading_goes_on(
    store: Store, writer: sqlite3.Connection
) -> None:
    with store.group() as group:
        assert read(store) == []
        for _ in range(2):
            with pytest.raises(LockedError):
                add(store, 1)
        assert not store.begins_to_write()
        assert read(store) == []
        assert group.joined == 0
        writer.rollback()
        add(store, 1)
    assert read(store) == [1]


def test_a_group_that_has_read_can_write_though_another_wrote_in_between(store: Store, path: Path) -> None:
    other = Store.open(None, path, OWNER)
    with store.group() as group:
        assert read(store) == []
        add(other, 1)
        add(store, 2)
        assert read(store) == [1, 2]
        assert group.joined == 2, "what was read last depends on the commit"
    other.close()
    assert stored(path) == [1, 2]


def test_a_group_that_only_reads_leaves_nothing_open(store: Store, path: Path) -> None:
    with store.group():
        read(store)
    add(store, 1)
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0


def add_and_fail(store: Store, number: int) -> None:
    with store.transaction() as connection:
        invoicerequests.add(connection, row(number))
        raise ZeroDivisionError


def test_a_transaction_that_raises_keeps_nothing(store: Store, path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        add_and_fail(store, 1)
    assert stored(path) == []


def test_a_group_is_seen_by_others_only_when_it_is_left(store: Store, path: Path) -> None:
    seen = create_engine(f"sqlite:///{path}")
    with store.group() as group, seen.connect() as other:
        add(store, 1, 2)
        assert group.joined == 2
        assert other.execute(text("SELECT count(*) FROM invoicerequests")).scalar() == 0
    seen.dispose()
    assert stored(path) == [1, 2]


def test_a_call_that_fails_undoes_its_own_part_of_a_group_only(store: Store, path: Path) -> None:
    with store.group():
        add(store, 1)
        with pytest.raises(ZeroDivisionError):
            add_and_fail(store, 2)
        with pytest.raises(DuplicateError):
            add(store, 1)
        add(store, 3)
    assert stored(path) == [1, 3]


def test_a_group_left_by_a_bug_keeps_the_calls_before_it(store: Store, path: Path) -> None:
    def run() -> None:
        with store.group():
            add(store, 1)
            add_and_fail(store, 2)

    with pytest.raises(ZeroDivisionError):
        run()
    assert stored(path) == [1]


def test_a_database_error_fails_the_whole_group_and_the_store_goes_on(store: Store, path: Path) -> None:
    def ask_for_nothing() -> None:
        with store.transaction() as connection:
            connection.execute(text("SELECT * FROM missing_table"))

    def run() -> None:
        with store.group():
            add(store, 1)
            with pytest.raises(StoreError):
                ask_for_nothing()
            with pytest.raises(StoreError):
                add(store, 2)

    with pytest.raises(StoreError, match="The store failed: "):
        run()
    add(store, 3)
    assert stored(path) == [3]


def test_an_error_that_is_caught_undoes_nothing(store: Store, path: Path) -> None:
    """SQLAlchemy would roll back by itself, also what other calls have done, and nobody would know."""
    with store.group():
        add(store, 1)
        with store.transaction() as connection:
            invoicerequests.add(connection, row(2))
            with pytest.raises(StatementError):
                connection.execute(text("SELECT :value"))
    assert stored(path) == [1, 2]


def test_a_statement_that_cannot_be_carried_out_is_what_the_error_names(store: Store, path: Path) -> None:

    def fail() -> None:
        with store.transaction() as connection:
            invoicerequests.add(connection, row(2))
            connection.execute(text("SELECT :left_out"))

    with store.group():
        add(store, 1)
    with pytest.raises(StoreError, match="left_out"), store.group():
        fail()
    with pytest.raises(StoreError, match="left_out"):
        fail()
    assert stored(path) == [1]


def test_a_group_whose_transaction_is_gone_has_failed(store: Store, path: Path) -> None:
    def run() -> None:
        with store.group():
            add(store, 1)
            store.close()

    with pytest.raises(StoreError, match="transaction is gone"):
        run()
    assert stored(path) == []


@pytest.mark.parametrize(("before", "after"), [(1, 0), (5, 4), (3, 2)])
def test_an_event_changes_the_state_as_the_table_says(store: Store, before: int, after: int) -> None:
    with store.transaction() as connection:
        invoicerequests.add(connection, row(1, Status(before)))
        changed = invoicerequests.apply(connection, row(1).invreq_id, Event.DISABLED)
    assert changed == row(1, Status(after))


@pytest.mark.parametrize("state", [0, 2, 4, 6])
def test_an_event_that_the_state_does_not_allow_changes_nothing(store: Store, state: int) -> None:
    with store.transaction() as connection:
        invoicerequests.add(connection, row(1, Status(state)))
        assert invoicerequests.apply(connection, row(1).invreq_id, Event.DISABLED) is None
        assert invoicerequests.find(connection) == [row(1, Status(state))]


CONTENDER = """
import sys
from pathlib import Path
from lnoffers.service.store import Identity, Store, invoicerequests
from lnoffers.service.status import Event
from tests.service.test_store import OWNER, row

sys.stdin.readline()
store = Store.open(None, Path(sys.argv[1]), OWNER)
won = 0
for number in range(50):
    try:
        with store.transaction() as connection:
            invoicerequests.add(connection, row(number))
    except invoicerequests.DuplicateError:
        pass
    with store.transaction() as connection:
        won += invoicerequests.apply(connection, row(number).invreq_id, Event.DISABLED) is not None
print(won)
"""


def test_of_several_processes_exactly_one_makes_and_one_changes_each(path: Path) -> None:
    """They also make and migrate the same new file at the same moment."""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", CONTENDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    for process in running:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=SECONDS)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0]
    assert sum(int(output) for output in outputs) == 50
    assert stored(path) == list(range(50))
