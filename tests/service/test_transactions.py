"""Transactions of a store: what is stored, and how calls and processes affect each other."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest

from lnoffers.service.errors import StoreError
from lnoffers.service.status import Status, StatusChange
from lnoffers.service.store import BUSY_SECONDS, LockedError, Store, invoicerequests
from lnoffers.service.store.invoicerequests import DuplicateError
from tests.service.program import SECONDS
from tests.service.storing import HELD, OWNER, add, read, row, stored


@pytest.fixture
def writer(store: Store, store_path: Path) -> Iterator[sqlite3.Connection]:
    """Yield another connection to the store, as of another process, in the middle of a write."""
    store.wait_for_others(0.05)
    with closing(sqlite3.connect(store_path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


def test_reading_does_not_wait_for_a_writer(store: Store, writer: sqlite3.Connection) -> None:
    assert read(store) == []
    with store.group() as group:
        assert read(store) == []
        assert group.joined == 0


def test_writing_waits_for_a_writer_no_longer_than_it_is_told(store: Store, writer: sqlite3.Connection) -> None:
    begun = time.monotonic()
    with pytest.raises(StoreError, match=HELD):
        add(store, 1)
    assert time.monotonic() - begun < BUSY_SECONDS / 2
    writer.rollback()
    add(store, 1)
    assert read(store) == [1]


def test_how_long_writing_waits_can_change_at_any_time(store: Store, store_path: Path) -> None:
    store.wait_for_others(2 * SECONDS)
    add(store, 1)
    store.wait_for_others(0)
    with closing(sqlite3.connect(store_path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor() as pool:
            writing = pool.submit(add, store, 2)
            try:
                with pytest.raises(StoreError, match=HELD):
                    writing.result(SECONDS)
            finally:
                other.rollback()


def test_a_transaction_that_writes_keeps_other_writers_out_from_its_beginning(store: Store, store_path: Path) -> None:
    """So what it reads first still holds when it writes."""
    other = Store.open(None, store_path, OWNER)
    other.wait_for_others(0)
    with store.transaction() as connection:
        assert not invoicerequests.find(connection)
        with pytest.raises(StoreError, match=HELD):
            add(other, 1)
        invoicerequests.add(connection, row(2))
    other.close()
    assert stored(store_path) == [2]


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


def test_a_group_that_has_read_can_write_though_another_wrote_in_between(store: Store, store_path: Path) -> None:
    other = Store.open(None, store_path, OWNER)
    with store.group() as group:
        assert read(store) == []
        add(other, 1)
        add(store, 2)
        assert read(store) == [1, 2]
        assert group.joined == 2, "what was read last depends on the commit"
    other.close()
    assert stored(store_path) == [1, 2]


def test_a_group_that_only_reads_leaves_nothing_open(store: Store, store_path: Path) -> None:
    with store.group():
        read(store)
    add(store, 1)
    with closing(sqlite3.connect(store_path)) as other:
        assert other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0


def test_what_was_deleted_meanwhile_can_still_be_read_but_not_written(store: Store, store_path: Path) -> None:
    add(store, 1)
    store_path.unlink()
    assert read(store) == [1]
    with store.group():
        assert read(store) == [1]
    with pytest.raises(StoreError, match="was deleted"):
        add(store, 2)
    assert read(store) == [1]


def test_a_group_that_was_refused_leaves_nothing_open(store: Store, store_path: Path) -> None:
    """Otherwise its old snapshot would be read for ever."""
    add(store, 1)
    elsewhere = store_path.with_name("elsewhere")

    def refused() -> None:
        with store.group():
            assert read(store) == [1]
            store_path.rename(elsewhere)
            add(store, 2)

    with pytest.raises(StoreError, match="was deleted"):
        refused()
    elsewhere.rename(store_path)
    other = Store.open(None, store_path, OWNER)
    add(other, 3)
    other.close()
    assert read(store) == [1, 3]


def add_and_fail(store: Store, number: int) -> None:
    with store.transaction() as connection:
        invoicerequests.add(connection, row(number))
        raise ZeroDivisionError


def test_a_transaction_that_raises_keeps_nothing(store: Store, store_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        add_and_fail(store, 1)
    assert stored(store_path) == []


def test_a_group_is_seen_by_others_only_when_it_is_left(store: Store, store_path: Path) -> None:
    with store.group() as group, closing(sqlite3.connect(store_path)) as other:
        add(store, 1, 2)
        assert group.joined == 2
        assert other.execute("SELECT count(*) FROM invoicerequests").fetchone() == (0,)
    assert stored(store_path) == [1, 2]


def test_a_call_that_fails_undoes_its_own_part_of_a_group_only(store: Store, store_path: Path) -> None:
    with store.group():
        add(store, 1)
        with pytest.raises(ZeroDivisionError):
            add_and_fail(store, 2)
        with pytest.raises(DuplicateError):
            add(store, 1)
        add(store, 3)
    assert stored(store_path) == [1, 3]


def test_a_first_call_of_a_group_that_fails_leaves_nothing_and_the_next_ones_are_kept(
    store: Store, store_path: Path
) -> None:
    other = Store.open(None, store_path, OWNER)
    with store.group():
        with pytest.raises(ZeroDivisionError):
            add_and_fail(store, 1)
        assert read(store) == []
        add(other, 4)
        add(store, 2, 3)
    other.close()
    assert stored(store_path) == [2, 3, 4]


def test_a_group_left_by_a_bug_keeps_the_calls_before_it(store: Store, store_path: Path) -> None:
    def run() -> None:
        with store.group():
            add(store, 1)
            add_and_fail(store, 2)

    with pytest.raises(ZeroDivisionError):
        run()
    assert stored(store_path) == [1]


def test_a_database_error_fails_the_whole_group_and_the_store_goes_on(store: Store, store_path: Path) -> None:
    def ask_for_nothing() -> None:
        with store.transaction() as connection:
            connection.execute("SELECT * FROM missing_table")

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
    assert stored(store_path) == [3]


def test_an_error_that_is_caught_undoes_nothing(store: Store, store_path: Path) -> None:
    """A driver that rolls back by itself would also undo what other calls have done, and nobody would know."""
    with store.group():
        add(store, 1)
        with store.transaction() as connection:
            invoicerequests.add(connection, row(2))
            with pytest.raises(sqlite3.Error):
                connection.execute("SELECT ?")
    assert stored(store_path) == [1, 2]


def test_a_statement_that_cannot_be_carried_out_is_what_the_error_names(store: Store, store_path: Path) -> None:

    def fail() -> None:
        with store.transaction() as connection:
            invoicerequests.add(connection, row(2))
            connection.execute("SELECT left_out")

    with store.group():
        add(store, 1)
    with pytest.raises(StoreError, match="left_out"), store.group():
        fail()
    with pytest.raises(StoreError, match="left_out"):
        fail()
    assert stored(store_path) == [1]


@pytest.mark.parametrize("look", [Store.close, Store.version])
def test_a_call_after_the_transaction_is_gone_stores_nothing(
    store: Store, store_path: Path, look: Callable[[Store], object]
) -> None:
    def run() -> None:
        with store.group():
            add(store, 1)
            store._connection.close()  # as a failing disk makes the driver fail
            with suppress(StoreError):
                look(store)
            with pytest.raises(StoreError):
                add(store, 2)

    with pytest.raises(StoreError):
        run()
    assert stored(store_path) == []


def test_a_group_whose_transaction_is_gone_has_failed(store: Store, store_path: Path) -> None:
    def run() -> None:
        with store.group():
            add(store, 1)
            store.close()

    with pytest.raises(StoreError, match="transaction is gone"):
        run()
    assert stored(store_path) == []


@pytest.mark.parametrize(("before", "after"), [(1, 0), (5, 4), (3, 2)])
def test_an_event_changes_the_state_as_the_table_says(store: Store, before: int, after: int) -> None:
    with store.transaction() as connection:
        invoicerequests.add(connection, row(1, Status(before)))
        changed = invoicerequests.apply(connection, row(1).invreq_id, StatusChange.DISABLED)
    assert changed == row(1, Status(after))


@pytest.mark.parametrize("state", [0, 2, 4, 6])
def test_an_event_that_the_state_does_not_allow_changes_nothing(store: Store, state: int) -> None:
    with store.transaction() as connection:
        invoicerequests.add(connection, row(1, Status(state)))
        assert invoicerequests.apply(connection, row(1).invreq_id, StatusChange.DISABLED) is None
        assert invoicerequests.find(connection) == [row(1, Status(state))]


CONTENDER = """
import sys
from pathlib import Path
from lnoffers.service.store import Identity, Store, invoicerequests
from lnoffers.service.status import StatusChange
from tests.service.storing import OWNER, row

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
        won += invoicerequests.apply(connection, row(number).invreq_id, StatusChange.DISABLED) is not None
print(won)
"""


def test_of_several_processes_exactly_one_makes_and_one_changes_each(store_path: Path) -> None:
    """They also make and migrate the same new file at the same moment."""
    running = [
        subprocess.Popen(
            [sys.executable, "-c", CONTENDER, str(store_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
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
    assert stored(store_path) == list(range(50))
