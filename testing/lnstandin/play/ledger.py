"""What this node has sent and received, in a SQLite file of its own beside the store.

A payment is written before it leaves, and a payment that arrives before it is answered. A backup of the store does not
contain the file. So it can tell what a restored store has forgotten, and it keeps the counter that shows that the store
was restored.

A thread runs the transactions, because the disk may be slow. Those without which money could move twice wait until they
are on the disk. The others are on it together with the next of these, and what a power failure takes of them can be
found out again from the other node.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import quote

from lnoffers.service.files import open_regular, refuse_link, sync_directory
from lnoffers.service.payments.backend import BackendError

T = TypeVar("T")

NAME: Final = "play.sqlite3"
BUSY_SECONDS: Final = 10.0
"""How long a transaction waits for another process that writes."""
_VERSION: Final = 1
_SCHEMA: Final = f"""
    CREATE TABLE sent (
        payment_hash BLOB NOT NULL PRIMARY KEY,
        invoice BLOB NOT NULL,
        payee BLOB NOT NULL,
        amount_msat INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        state TEXT NOT NULL,
        preimage BLOB,
        reason TEXT
    );
    CREATE TABLE received (
        payment_hash BLOB NOT NULL,
        payer BLOB NOT NULL,
        attempt INTEGER NOT NULL,
        amount_msat INTEGER NOT NULL,
        state TEXT NOT NULL,
        preimage BLOB,
        reason TEXT,
        PRIMARY KEY (payment_hash, payer)
    );
    CREATE UNIQUE INDEX one_payer ON received (payment_hash) WHERE state <> 'failed';
    CREATE TABLE ledger (identity TEXT NOT NULL, count INTEGER);
    PRAGMA user_version = {_VERSION};
"""


class State(StrEnum):
    """The state of a payment in the ledger of one of its sides."""

    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Sent:
    """A payment of this node."""

    payment_hash: bytes
    """32 bytes."""
    invoice: bytes
    """A TLV stream."""
    payee: bytes
    """A node id, 33 bytes."""
    amount_msat: int
    attempt: int = 1
    state: State = State.PENDING
    preimage: bytes | None = field(default=None, repr=False)
    """32 bytes, if it is paid."""
    reason: str | None = None
    """Why it has failed."""


@dataclass(frozen=True, slots=True)
class Received:
    """A payment to this node."""

    payment_hash: bytes
    """32 bytes."""
    payer: bytes
    """A node id, 33 bytes."""
    attempt: int
    amount_msat: int
    state: State = State.PENDING
    preimage: bytes | None = field(default=None, repr=False)
    """32 bytes, if it is paid."""
    reason: str | None = None
    """Why it was refused."""


class Ledger:
    """The open file. Use it within one event loop; other processes may use it, too.

    Every method raises BackendError if the file cannot be read or written.
    """

    def __init__(self, file: Path) -> None:
        self.identity = ""
        """What no other ledger has, so that nobody asks a new one about the payments of a lost one."""
        self._file = file
        self._thread = ThreadPoolExecutor(1, "play-ledger")
        self._connection: sqlite3.Connection | None = None
        self._syncs = True

    async def open(self) -> None:
        """Open the file; make it if there is none, with access only for its owner."""
        await self._run(self._open)

    async def close(self) -> None:
        """Close the file."""
        await self._run(self._close)
        self._thread.shutdown()

    # ---- what this node sends

    async def begin(self, new: Sent) -> Sent:
        """Write durably that a payment is about to leave, and return it, or the earlier one with its payment hash.

        If that has failed, this is a new attempt.
        """

        def write(connection: sqlite3.Connection) -> Sent:
            connection.execute(_BEGIN, (*_values(new), new.invoice, new.payee, new.amount_msat))
            return _sent(_one(connection, "sent", new.payment_hash))

        return await self._write(write, synced=True)

    async def sent(self, payment_hash: bytes) -> Sent | None:
        """Return a payment of this node; None if nothing was ever about to leave."""

        def read(connection: sqlite3.Connection) -> Sent | None:
            row = _one(connection, "sent", payment_hash)
            return None if row is None else _sent(row)

        return await self._write(read, synced=False)

    async def end(self, done: Sent) -> None:
        """Write how an attempt has ended. It need not be durable, because the payee can be asked again."""
        values = (done.state, done.preimage, done.reason, done.payment_hash, done.attempt)
        await self._write(lambda connection: connection.execute(_END, values), synced=False)

    async def all_sent(self) -> Sequence[Sent]:
        """Return the payments of this node that are paid or may still be."""
        query = "SELECT * FROM sent WHERE state <> 'failed' ORDER BY rowid"
        rows = await self._write(lambda connection: connection.execute(query).fetchall(), synced=False)
        return [_sent(row) for row in rows]

    # ---- what it receives

    async def arrive(self, new: Received) -> Received:
        """Write durably that a payment has arrived, and return what is known of it.

        If this payer has paid before, or its attempt was refused, that is returned. If another one pays at the moment,
        its payment is, and if another one has paid, `new` as failed.
        """

        def write(connection: sqlite3.Connection) -> Received:
            known = connection.execute("SELECT * FROM received WHERE payment_hash = ?", (new.payment_hash,)).fetchall()
            for earlier in map(_received, known):
                if earlier.payer == new.payer and (earlier.state != State.FAILED or new.attempt <= earlier.attempt):
                    return earlier
                if earlier.payer != new.payer and earlier.state == State.PENDING:
                    return earlier
                if earlier.payer != new.payer and earlier.state == State.PAID:
                    return replace(new, state=State.FAILED, reason="already paid")
            connection.execute("REPLACE INTO received VALUES (?, ?, ?, ?, ?, ?, ?)", _values(new))
            return new

        return await self._write(write, synced=True)

    async def settle(self, payment: Received, preimage: bytes) -> None:
        """Write that a payment was taken. It need not be durable, because the store has it already."""
        values = (preimage, payment.payment_hash, payment.payer)
        await self._write(lambda connection: connection.execute(_SETTLE, values), synced=False)

    async def turn_away(self, payment: Received) -> None:
        """Forget a payment that was not taken. If it comes again, it is looked at again, and refused again."""
        values = (payment.payment_hash, payment.payer)
        await self._write(lambda connection: connection.execute(_TURN_AWAY, values), synced=False)

    async def unanswered(self) -> Sequence[Received]:
        """Return the payments that have arrived and are neither taken nor refused."""
        query = "SELECT * FROM received WHERE state = 'pending'"
        rows = await self._write(lambda connection: connection.execute(query).fetchall(), synced=False)
        return [_received(row) for row in rows]

    # ---- the counter

    async def read(self) -> int | None:
        """Return the count; None if there is none."""
        query = "SELECT count FROM ledger"
        [count] = await self._write(lambda connection: connection.execute(query).fetchone(), synced=False)
        return None if count is None else int(count)

    async def write(self, count: int) -> None:
        """Store the count, if it is higher. It is on the disk before the next payment leaves, because `begin` waits."""
        statement = "UPDATE ledger SET count = MAX(COALESCE(count, 0), ?)"
        await self._write(lambda connection: connection.execute(statement, (count,)), synced=False)

    # ---- in the thread

    def _run(self, work: Callable[[], T]) -> Awaitable[T]:
        return asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def _write(self, work: Callable[[sqlite3.Connection], T], *, synced: bool) -> T:
        return await self._run(lambda: self._transaction(work, synced=synced))

    def _transaction(self, work: Callable[[sqlite3.Connection], T], *, synced: bool) -> T:
        connection = self._connection
        if connection is None:
            raise BackendError(f"{self._file} is closed")
        try:
            if synced != self._syncs:
                connection.execute(f"PRAGMA synchronous = {'FULL' if synced else 'NORMAL'}")
                self._syncs = synced
            connection.execute("BEGIN IMMEDIATE")
            try:
                found = work(connection)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise BackendError(f"{self._file} cannot be used: {error}") from error
        return found

    def _open(self) -> None:
        try:
            refuse_link(self._file)
            os.close(open_regular(self._file, os.O_RDWR | os.O_CREAT))
            sync_directory(self._file.parent)
            uri = f"file:{quote(os.fsencode(self._file))}?mode=rw"
            self._connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
        except OSError as error:
            raise BackendError(f"{self._file} cannot be opened: {error.strerror}") from error
        except sqlite3.Error as error:
            raise BackendError(f"{self._file} cannot be opened: {error}") from error
        self.identity = self._transaction(self._prepare, synced=True)

    def _prepare(self, connection: sqlite3.Connection) -> str:
        """Make the tables if there are none, and return the identity."""
        [version] = connection.execute("PRAGMA user_version").fetchone()
        if version > _VERSION:
            raise BackendError(f"{self._file} is of a newer release: update this one")
        if version == 0:
            for statement in filter(str.strip, _SCHEMA.split(";")):
                connection.execute(statement)
            connection.execute("INSERT INTO ledger VALUES (?, NULL)", (secrets.token_hex(8),))
        [identity] = connection.execute("SELECT identity FROM ledger").fetchone()
        return str(identity)

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _values(row: Sent | Received) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in type(row).__dataclass_fields__)


def _one(connection: sqlite3.Connection, table: str, payment_hash: bytes) -> Any:
    return connection.execute(f"SELECT * FROM {table} WHERE payment_hash = ?", (payment_hash,)).fetchone()


def _sent(row: Any) -> Sent:
    payment_hash, invoice, payee, amount_msat, attempt, state, preimage, reason = row
    return Sent(payment_hash, invoice, payee, amount_msat, attempt, State(state), preimage, reason)


def _received(row: Any) -> Received:
    payment_hash, payer, attempt, amount_msat, state, preimage, reason = row
    return Received(payment_hash, payer, attempt, amount_msat, State(state), preimage, reason)


_BEGIN: Final = """
    INSERT INTO sent VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (payment_hash) DO UPDATE SET
        invoice = ?, payee = ?, amount_msat = ?, attempt = attempt + 1, state = 'pending', reason = NULL
    WHERE state = 'failed'
"""
_END: Final = """
    UPDATE sent SET state = ?, preimage = ?, reason = ? WHERE payment_hash = ? AND attempt = ? AND state = 'pending'
"""
_SETTLE: Final = """
    UPDATE received SET state = 'paid', preimage = ? WHERE payment_hash = ? AND payer = ? AND state = 'pending'
"""
_TURN_AWAY: Final = "DELETE FROM received WHERE payment_hash = ? AND payer = ? AND state = 'pending'"
