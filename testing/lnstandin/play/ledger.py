"""What this node has sent and received, in a SQLite file of its own beside the store.

A payment is written before it leaves, and a payment that arrives before it is answered. A backup of the store does not
contain the file. So it can tell what a restored store has forgotten, and it keeps the counter that shows that the store
was restored.

A ledger without channels moves any amount. One that has them (`channels`) moves what they hold, and no more.

Methods that are awaited return when the disk has what they wrote. The others are written together with the next of
these, or half a second later. What a crash takes of them can be found out again from the other node or the store.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from lnoffers.service.payments.backend import BackendError
from lnstandin.play import channels
from lnstandin.play.channels import Channel, NoRoute
from lnstandin.play.turns import Turns

if TYPE_CHECKING:
    from pathlib import Path
    from sqlite3 import Connection

NAME: Final = "play.sqlite3"
_VERSION: Final = 3
_SCHEMA: Final = f"""
    CREATE TABLE sent (
        payment_hash BLOB NOT NULL,
        invoice BLOB NOT NULL,
        payee BLOB NOT NULL,
        amount_msat INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        state TEXT NOT NULL,
        preimage BLOB,
        reason TEXT,
        code INTEGER,
        label TEXT,
        created_at INTEGER NOT NULL,
        completed_at INTEGER,
        updated_index INTEGER,
        created_index INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        UNIQUE (payment_hash, attempt)
    );
    CREATE UNIQUE INDEX one_attempt ON sent (payment_hash) WHERE state <> 'failed';
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
    """A payment of this node, or an attempt at one that has failed."""

    payment_hash: bytes
    """32 bytes."""
    invoice: bytes
    """A TLV stream, or for BOLT 11 the string in ASCII."""
    payee: bytes
    """A node id, 33 bytes."""
    amount_msat: int
    attempt: int = 1
    state: State = State.PENDING
    preimage: bytes | None = field(default=None, repr=False)
    """32 bytes, if it is paid."""
    reason: str | None = None
    """Why it has failed."""
    code: int | None = None
    """The error code of a failure that a test has asked for."""
    label: str | None = None
    """The payer's own name for it."""
    created_at: int = 0
    """Unix seconds."""
    completed_at: int | None = None
    """Unix seconds."""
    updated_index: int | None = field(default=None, compare=False)
    """The place among all that have ended, from 1."""
    created_index: int = field(default=0, compare=False)
    """The place among all attempts, from 1."""


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

    Every method that is awaited raises BackendError if the file cannot be read or written.
    """

    def __init__(self, file: Path) -> None:
        self.identity = ""
        """What no other ledger has, so that nobody asks a new one about the payments of a lost one."""
        self.channel_peers: Sequence[bytes] = ()
        """The other sides of the channels, each a node id of 33 bytes."""
        self._turns = Turns(file)
        self._count = -1
        """The highest count that was to be written, -1 for none."""

    async def open(self) -> None:
        """Open the file; make it if there is none, with access only for its owner."""
        self.identity, self.channel_peers = await self._turns.open(_prepare)

    async def close(self) -> None:
        """Write what is still to be written, and close the file."""
        await self._turns.close()

    # ---- what this node sends

    async def begin(self, new: Sent) -> Sent | NoRoute:
        """Write that a payment is about to leave, and return it, or the earlier one with its payment hash.

        If that has failed, this is a new attempt. With channels, one must lead to the payee and hold the amount. If
        `new` has failed already, it is stored and never leaves.
        """

        def work(connection: Connection) -> Sent | NoRoute:
            self._write_count(connection)  # here, too, in case the transaction in which it was written has failed
            last = _last(connection, new.payment_hash)
            if last is not None and last.state is not State.FAILED:
                return last
            if missing := channels.missing(connection, new.payee, new.amount_msat):
                return missing
            begun = new if last is None else replace(new, attempt=last.attempt + 1)
            row = connection.execute(_BEGIN, _values(replace(begun, state=State.PENDING))[:-1]).fetchone()
            if begun.state is State.PENDING:
                return _sent(row)
            _end(begun, connection)
            return begun

        return await self._turns.run(work)

    async def sent(self, payment_hash: bytes) -> Sent | None:
        """Return the last attempt at a payment of this node; None if nothing was ever about to leave."""
        return await self._turns.run(lambda connection: _last(connection, payment_hash))

    def end(self, done: Sent) -> None:
        """Write how an attempt has ended, soon. Until then the payee can be asked again."""
        self._turns.run_later(partial(_end, done))

    async def fail(self, done: Sent) -> None:
        """Write that an attempt has failed. Report it only then: after a crash, the payment could still succeed."""
        await self._turns.run(partial(_end, done))

    async def all_sent(self, payment_hash: bytes | None = None, *, failed: bool = False) -> Sequence[Sent]:
        """Return the payments of this node that are paid or may still be, and attempts that have failed if `failed`.

        A payment hash, 32 bytes, selects those for one invoice.
        """
        query = "SELECT * FROM sent WHERE payment_hash = COALESCE(?, payment_hash) AND (state <> 'failed' OR ?)"
        values = (payment_hash, failed)
        rows = await self._turns.run(
            lambda connection: connection.execute(f"{query} ORDER BY created_index", values).fetchall()
        )
        return [_sent(row) for row in rows]

    # ---- what it receives

    async def arrive(self, new: Received) -> Received:
        """Write that a payment has arrived, and return what is known of it.

        If this payer has paid before, or its attempt was refused, that is returned. If another one pays at the moment,
        its payment is, and if another one has paid, or no channel leads to the payer, `new` as failed.
        """

        def work(connection: Connection) -> Received:
            if missing := channels.missing(connection, new.payer, 0):
                return replace(new, state=State.FAILED, reason=missing.reason)
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

        return await self._turns.run(work)

    def settle(self, payment: Received, preimage: bytes) -> None:
        """Write that a payment was taken, soon. The store has it already."""
        values = (preimage, payment.payment_hash, payment.payer)
        self._turns.run_later(lambda connection: connection.execute(_SETTLE, values))

    def turn_away(self, payment: Received) -> None:
        """Forget a payment that was not taken. If it comes again, it is looked at again, and refused again."""
        values = (payment.payment_hash, payment.payer)
        self._turns.run_later(lambda connection: connection.execute(_TURN_AWAY, values))

    async def unanswered(self) -> Sequence[Received]:
        """Return the payments that have arrived and are neither taken nor refused."""
        query = "SELECT * FROM received WHERE state = 'pending'"
        rows = await self._turns.run(lambda connection: connection.execute(query).fetchall())
        return [_received(row) for row in rows]

    async def all_taken(self) -> Sequence[Received]:
        """Return the payments that this node has taken."""
        query = "SELECT * FROM received WHERE state = 'paid' ORDER BY rowid"
        rows = await self._turns.run(lambda connection: connection.execute(query).fetchall())
        return [_received(row) for row in rows]

    # ---- the channels

    async def open_channels(self, opened: Sequence[Channel]) -> None:
        """Add channels. From now on, payments need one."""
        await self._turns.run(lambda connection: channels.add(connection, opened))
        self.channel_peers = (*self.channel_peers, *(each.peer for each in opened))

    async def channels(self) -> Sequence[Channel]:
        """Return the channels with their balances."""
        return await self._turns.run(channels.all_of)

    # ---- the counter

    async def read(self) -> int | None:
        """Return the count; None if there is none."""
        [count] = await self._turns.run(lambda connection: connection.execute("SELECT count FROM ledger").fetchone())
        return None if count is None else int(count)

    async def write(self, count: int) -> None:
        """Store the count, if it is higher. It is on the disk when `begin` returns, before the payment leaves."""
        if count > self._count:
            self._count = count
            self._turns.run_later(self._write_count)

    def _write_count(self, connection: Connection) -> None:
        connection.execute("UPDATE ledger SET count = ? WHERE COALESCE(count, -1) < ?", (self._count, self._count))


def _prepare(connection: Connection) -> tuple[str, Sequence[bytes]]:
    """Make the tables if there are none, and return the identity and the peers with channels."""
    [version] = connection.execute("PRAGMA user_version").fetchone()
    if version > _VERSION:
        raise BackendError(f"{NAME} is of a newer release: update this one")
    if 0 < version < _VERSION:
        raise BackendError(f"{NAME} is of an older release: remove it")
    if version == 0:
        for statement in (*filter(str.strip, _SCHEMA.split(";")), *channels.SCHEMA):
            connection.execute(statement)
        connection.execute("INSERT INTO ledger VALUES (?, NULL)", (secrets.token_hex(8),))
    [identity] = connection.execute("SELECT identity FROM ledger").fetchone()
    return str(identity), [each.peer for each in channels.all_of(connection)]


def _values(row: Sent | Received) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in type(row).__dataclass_fields__)


def _last(connection: Connection, payment_hash: bytes) -> Sent | None:
    row = connection.execute(_LAST, (payment_hash,)).fetchone()
    return None if row is None else _sent(row)


def _end(done: Sent, connection: Connection) -> None:
    new = (done.state, done.preimage, done.reason, done.code, done.completed_at)
    connection.execute(_END, (*new, done.payment_hash, done.attempt))


def _sent(row: Any) -> Sent:
    payment_hash, invoice, payee, amount_msat, attempt, state, *others = row
    return Sent(payment_hash, invoice, payee, amount_msat, attempt, State(state), *others)


def _received(row: Any) -> Received:
    payment_hash, payer, attempt, amount_msat, state, preimage, reason = row
    return Received(payment_hash, payer, attempt, amount_msat, State(state), preimage, reason)


_LAST: Final = "SELECT * FROM sent WHERE payment_hash = ? ORDER BY attempt DESC LIMIT 1"
_BEGIN: Final = "INSERT INTO sent VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL) RETURNING *"
_END: Final = """
    UPDATE sent SET state = ?, preimage = ?, reason = ?, code = ?, completed_at = ?,
        updated_index = (SELECT COALESCE(MAX(updated_index), 0) + 1 FROM sent)
    WHERE payment_hash = ? AND attempt = ? AND state = 'pending'
"""
_SETTLE: Final = """
    UPDATE received SET state = 'paid', preimage = ? WHERE payment_hash = ? AND payer = ? AND state = 'pending'
"""
_TURN_AWAY: Final = "DELETE FROM received WHERE payment_hash = ? AND payer = ? AND state = 'pending'"
