"""Opening a store: its owner, what is refused, and what other processes see."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from types import NoneType

import pytest

from lnoffers.service.errors import OptionsError, StoreError
from lnoffers.service.store import Identity, Store
from lnoffers.service.store import sqlite as driver
from lnoffers.service.store.migrations import STEPS
from lnoffers.service.store.schema import TABLES
from tests.service.program import SECONDS
from tests.service.storing import HELD, OWNER, add, stored
from tests.shared import ROOT


def test_its_file_is_for_its_owner_alone(store: Store, store_path: Path) -> None:
    add(store, 1)
    modes = {file.name: file.stat().st_mode & 0o777 for file in store_path.parent.iterdir()}
    assert modes == {store_path.name: 0o600, f"{store_path.name}-wal": 0o600, f"{store_path.name}-shm": 0o600}


def test_it_is_durable_by_a_synchronous_log(store: Store) -> None:
    with store.transaction() as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_its_version_changes_with_what_others_commit_and_nothing_else(store: Store, store_path: Path) -> None:
    before = store.version()
    add(store, 1)
    assert store.version() == before
    other = Store.open(None, store_path, OWNER)
    assert stored(store_path) == [1]
    assert store.version() == before
    add(other, 2)
    other.close()
    assert store.version() != before


TYPES = {"BLOB": {bytes}, "TEXT": {str}, "INTEGER": {int}, "BIGINT": {int}, "BOOLEAN": {int, bool}}


def test_all_steps_lead_to_the_tables_of_the_schema(store: Store, store_path: Path) -> None:
    store.close()
    with closing(sqlite3.connect(store_path)) as made:
        names = {name for (name,) in made.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        assert names == TABLES.keys() | {"sqlite_sequence"}
        for table in TABLES.values():
            columns = made.execute(f"PRAGMA table_info({table.name})").fetchall()
            assert [name for _, name, *_ in columns] == list(table.columns)
            for _, name, kind, is_required, _, is_key in columns:
                assert {*table.columns[name]} == TYPES[kind] | (set() if is_required else {NoneType})
                assert is_key == (name == table.key)


def statements(connection: sqlite3.Connection) -> dict[str, str]:
    """Return the statements that create each table and index, without the spaces."""
    rows = connection.execute("SELECT name, sql FROM sqlite_schema")
    return {name: "".join((sql or "").split()) for name, sql in rows}


def test_a_new_store_has_the_tables_and_indexes_that_releases_have_written(store: Store, store_path: Path) -> None:
    store.close()
    script = (ROOT / "tests" / "service" / "stores" / f"version-{len(STEPS)}.sql").read_text()
    with closing(sqlite3.connect(store_path)) as made, closing(sqlite3.connect(":memory:")) as written:
        written.executescript(script)
        assert statements(made) == statements(written)


@pytest.mark.parametrize("other", [Identity("regtest", b"\x03" * 33), Identity("signet", OWNER.node_id)])
def test_refuses_the_store_of_another_node_or_network(store: Store, store_path: Path, other: Identity) -> None:
    with pytest.raises(StoreError, match="belongs to node 0202"):
        Store.open(None, store_path, other)


def test_refuses_a_store_of_a_newer_release_and_leaves_it_as_it_is(store: Store, store_path: Path) -> None:
    store.close()
    with sqlite3.connect(store_path) as connection:
        connection.execute("UPDATE meta SET version = ?", (len(STEPS) + 1,))
    connection.close()
    before = store_path.read_bytes()
    with pytest.raises(StoreError, match="use the release that made it"):
        Store.open(None, store_path, OWNER)
    assert store_path.read_bytes() == before


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
    store_path: Path, statements: list[str], journal: str
) -> None:
    with sqlite3.connect(store_path) as connection:
        connection.execute(f"PRAGMA journal_mode = {journal}")
        for statement in statements:
            connection.execute(statement)
    connection.close()
    before = store_path.read_bytes()
    with pytest.raises(StoreError, match="in use by something else"):
        Store.open(None, store_path, OWNER)
    with pytest.raises(StoreError, match="in use by something else"):
        Store.is_new(None, store_path)
    assert store_path.read_bytes() == before


def test_the_store_of_another_node_stays_as_it_is(store: Store, store_path: Path) -> None:
    store.close()
    with sqlite3.connect(store_path) as connection:
        connection.execute("PRAGMA journal_mode = delete")
    connection.close()
    before = store_path.read_bytes()
    with pytest.raises(StoreError, match="belongs to node"):
        Store.open(None, store_path, Identity("regtest", b"\x03" * 33))
    assert store_path.read_bytes() == before


def test_tells_whether_it_is_new(store_path: Path) -> None:
    assert Store.is_new(None, store_path)
    store_path.touch()
    assert Store.is_new(None, store_path)
    Store.open(None, store_path, OWNER).close()
    assert not Store.is_new(None, store_path)


def test_refuses_a_file_that_is_no_database(store_path: Path) -> None:
    store_path.write_bytes(b"not a database " * 100)
    with pytest.raises(StoreError, match="something other than a store; choose another one"):
        Store.open(None, store_path, OWNER)


def test_refuses_a_place_that_cannot_be_opened(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=os.strerror(errno.ENOTDIR)):
        Store.open(None, tmp_path / "file" / "store.sqlite3", OWNER)


@pytest.mark.parametrize("url", ["nonsense", "sqlite://", "postgresql://me:password@host/name"])
def test_refuses_a_url_of_no_file_without_repeating_it(store_path: Path, url: str) -> None:
    with pytest.raises(OptionsError, match="--db") as caught:
        Store.open(url, store_path, OWNER)
    assert "password" not in str(caught.value)


@pytest.mark.parametrize(("end", "name"), [("elsewhere", "elsewhere"), ("100%25%20mine%3F", "100% mine?")])
def test_a_url_takes_the_place_of_the_default(store_path: Path, tmp_path: Path, end: str, name: str) -> None:
    Store.open(f"sqlite:///{tmp_path}/{end}", store_path, OWNER).close()
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.fixture
def unlogged(store: Store, store_path: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection, as of another process, that writes without the log; SQLite turns it on for nobody then."""
    store.close()
    with closing(sqlite3.connect(store_path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN IMMEDIATE")
        yield other


def test_opening_waits_until_the_log_can_be_turned_on(store_path: Path, unlogged: sqlite3.Connection) -> None:
    with ThreadPoolExecutor() as pool:
        opening = pool.submit(Store.open, None, store_path, OWNER)
        with pytest.raises(TimeoutError):
            opening.result(0.2)
        unlogged.rollback()
        opening.result(SECONDS).close()


def test_opening_waits_for_that_no_longer_than_it_is_told(
    store_path: Path, unlogged: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "BUSY_SECONDS", 0.05)
    with ThreadPoolExecutor() as pool:
        opening = pool.submit(Store.open, None, store_path, OWNER)
        try:
            with pytest.raises(StoreError, match=HELD):
                opening.result(SECONDS)
        finally:
            unlogged.rollback()  # an opening that goes on waiting ends with this
    assert stored(store_path) == []
