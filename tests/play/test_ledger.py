"""The ledger: its file, its counter, and what it says about a payment that comes again."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from lnoffers.service.payments.backend import BackendError
from lnstandin.play.ledger import NAME, Ledger, Received, Sent, State
from tests.service.program import SECONDS

T = TypeVar("T")

HASH, PREIMAGE = bytes(32), b"p" * 32
SENT = Sent(HASH, b"invoice", b"payee", 1_000)
RECEIVED = Received(HASH, b"payer", 1, 1_000)


def use(folder: Path, work: Callable[[Ledger], Awaitable[T]]) -> T:
    """Return what `work` returns for the open ledger in a folder."""

    async def run() -> T:
        ledger = Ledger(folder / NAME)
        await ledger.open()
        try:
            return await work(ledger)
        finally:
            await ledger.close()

    return asyncio.run(run())


def test_only_its_owner_can_read_the_file(tmp_path: Path) -> None:
    async def modes(ledger: Ledger) -> set[int]:
        await ledger.begin(SENT)
        return {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}

    assert use(tmp_path, modes) == {0o600}


def test_file_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / NAME).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(BackendError, match="is a symbolic link"):
        use(tmp_path, lambda ledger: ledger.read())


def test_file_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / NAME)) as connection:
        connection.execute("PRAGMA user_version = 4")
    with pytest.raises(BackendError, match="newer release"):
        use(tmp_path, lambda ledger: ledger.read())


def test_file_that_is_no_database_is_refused_and_kept(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"not a database" * 100)
    with pytest.raises(BackendError, match="cannot be used: file is not a database"):
        use(tmp_path, lambda ledger: ledger.read())
    assert (tmp_path / NAME).read_bytes().startswith(b"not a database")


def test_ledger_keeps_its_identity_and_a_new_one_has_another(tmp_path: Path) -> None:
    async def identity(ledger: Ledger) -> str:
        return ledger.identity

    first = use(tmp_path, identity)
    assert first == use(tmp_path, identity) != ""
    for file in tmp_path.iterdir():
        file.unlink()
    assert use(tmp_path, identity) != first


def test_counter_never_falls_and_is_there_after_a_restart(tmp_path: Path) -> None:
    async def count(ledger: Ledger) -> list[int | None]:
        found = [await ledger.read()]
        for number in (3, 7, 5):
            await ledger.write(number)
            found.append(await ledger.read())
        return found

    assert use(tmp_path, count) == [None, 3, 7, 7]
    assert use(tmp_path, lambda ledger: ledger.read()) == 7


def test_payment_leaves_with_its_count_even_if_an_earlier_transaction_has_failed(tmp_path: Path) -> None:
    async def run(ledger: Ledger) -> int | None:
        await ledger.write(3)
        with pytest.raises(BackendError, match="syntax error"):
            await ledger._turns.run(lambda connection: connection.execute("nothing"))
        await ledger.begin(SENT)
        with closing(sqlite3.connect(tmp_path / NAME)) as connection:
            [count] = connection.execute("SELECT count FROM ledger").fetchone()
        return int(count)

    assert use(tmp_path, run) == 3


@pytest.mark.parametrize("bug", [ZeroDivisionError("a bug"), StopIteration("a bug"), SystemExit("a bug")])
def test_bug_in_a_transaction_reaches_its_callers_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, bug: BaseException
) -> None:
    """Not even an exception that no future takes, or one that ends a thread, leaves them waiting."""

    def work(_: sqlite3.Connection) -> None:
        raise bug

    async def run(ledger: Ledger) -> int | None:
        with pytest.raises(RuntimeError, match="a bug"):
            await asyncio.wait_for(ledger._turns.run(work), SECONDS)
        await ledger.write(3)
        return await asyncio.wait_for(ledger.read(), SECONDS)

    assert use(tmp_path, run) == 3
    assert "ended in a bug" in caplog.text


def test_payment_is_begun_once_until_it_has_failed(tmp_path: Path) -> None:
    async def run(ledger: Ledger) -> list[Sent]:
        found = [await ledger.begin(SENT), await ledger.begin(SENT)]
        ledger.end(replace(SENT, state=State.FAILED, reason="no"))
        found.append(await ledger.begin(replace(SENT, payee=b"another")))
        ledger.end(replace(SENT, state=State.PAID, preimage=PREIMAGE))  # of the first attempt, and too late
        ledger.end(replace(SENT, attempt=2, state=State.PAID, preimage=PREIMAGE))
        found.append(await ledger.begin(SENT))
        return found

    first, same, second, paid = use(tmp_path, run)
    assert first == same == SENT
    assert second == replace(SENT, payee=b"another", attempt=2)
    assert paid == replace(second, state=State.PAID, preimage=PREIMAGE)


def test_outcome_does_not_change(tmp_path: Path) -> None:
    async def run(ledger: Ledger) -> Sent | None:
        await ledger.begin(SENT)
        ledger.end(replace(SENT, state=State.PAID, preimage=PREIMAGE))
        ledger.end(replace(SENT, state=State.FAILED, reason="no"))
        return await ledger.sent(HASH)

    assert use(tmp_path, run) == replace(SENT, state=State.PAID, preimage=PREIMAGE)


def test_same_payer_gets_what_is_known_and_another_one_is_refused(tmp_path: Path) -> None:
    other = replace(RECEIVED, payer=b"other")

    async def run(ledger: Ledger) -> None:
        assert await ledger.arrive(RECEIVED) == await ledger.arrive(RECEIVED) == RECEIVED
        assert await ledger.arrive(other) == RECEIVED  # which is still pending
        ledger.settle(RECEIVED, PREIMAGE)
        paid = replace(RECEIVED, state=State.PAID, preimage=PREIMAGE)
        assert await ledger.arrive(RECEIVED) == await ledger.arrive(replace(RECEIVED, attempt=2)) == paid
        assert await ledger.arrive(other) == replace(other, state=State.FAILED, reason="already paid")

    use(tmp_path, run)


def test_refused_attempt_is_remembered_until_the_next_one(tmp_path: Path) -> None:
    refused = replace(RECEIVED, attempt=2, state=State.FAILED, reason="no")

    async def run(ledger: Ledger) -> None:
        assert await ledger.arrive(refused) == refused
        for late in (1, 2):
            assert await ledger.arrive(replace(RECEIVED, attempt=late)) == refused
        next_one = replace(RECEIVED, attempt=3)
        assert await ledger.arrive(next_one) == next_one

    use(tmp_path, run)


def test_payment_that_was_turned_away_is_looked_at_again(tmp_path: Path) -> None:
    async def run(ledger: Ledger) -> None:
        await ledger.arrive(RECEIVED)
        assert await ledger.unanswered() == [RECEIVED]
        ledger.turn_away(RECEIVED)
        assert await ledger.unanswered() == []
        assert await ledger.arrive(replace(RECEIVED, payer=b"other")) == replace(RECEIVED, payer=b"other")

    use(tmp_path, run)


def test_disk_that_is_full_is_an_error_and_changes_nothing(tmp_path: Path) -> None:
    async def run(ledger: Ledger) -> Sent | None:
        await ledger._turns.run(lambda connection: connection.execute("PRAGMA max_page_count = 1").fetchall())
        with pytest.raises(BackendError, match=f"{NAME} cannot be used: database or disk is full"):
            await ledger.begin(replace(SENT, invoice=os.urandom(1 << 20)))
        return await ledger.sent(HASH)

    assert use(tmp_path, run) is None
