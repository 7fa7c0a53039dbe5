"""What this node has sent and received, in a SQLite file of its own beside the store.

A payment is written before it leaves, and a payment that arrives before it is answered. A backup of the store does not
contain the file. So it can tell what a restored store has forgotten, and it keeps the counter that shows that the store
was restored.

Methods that are awaited return when the disk has what they wrote. The others are written together with the next of
these, or half a second later. What a crash takes of them can be found out again from the other node or the store.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from lnoffers.service.payments.backend import BackendError
from lnstandin.play.turns import Turns

if TYPE_CHECKING:
    from pathlib import Path
    from sqlite3 import Connection

NAME: Final = "play.sqlite3"
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

    Every method that is awaited raises BackendError if the file cannot be read or written.
    """

    def __init__(self, file: Path) -> None:
        self.identity = ""
        """What no other ledger has, so that nobody asks a new one about the payments of a lost one."""
        self._turns = Turns(file)

    async def open(self) -> None:
        """Open the file; make it if there is none, with access only for its owner."""
        self.identity = await self._turns.open(_prepare)

    async def close(self) -> None:
        """Write what is still to be written, and close the file."""
        await self._turns.close()

    # ---- what this node sends

    async def begin(self, new: Sent) -> Sent:
        """Write that a payment is about to leave, and return it, or the earlier one with its payment hash.

        If that has failed, this is a new attempt.
        """

        def work(connection: Connection) -> Sent:
            connection.execute(_BEGIN, (*_values(new), new.invoice, new.payee, new.amount_msat))
            return _sent(connection.execute(_SENT, (new.payment_hash,)).fetchone())

        return await self._turns.run(work)

    async def sent(self, payment_hash: bytes) -> Sent | None:
        """Return a payment of this node; None if nothing was ever about to leave."""
        row = await self._turns.run(lambda connection: connection.execute(_SENT, (payment_hash,)).fetchone())
        return None if row is None else _sent(row)

    def end(self, done: Sent) -> None:
        """Write how an attempt has ended, soon. Until then the payee can be asked again."""
        values = (done.state, done.preimage, done.reason, done.payment_hash, done.attempt)
        self._turns.run_later(lambda connection: connection.execute(_END, values))

    async def all_sent(self) -> Sequence[Sent]:
        """Return the payments of this node that are paid or may still be."""
        query = "SELECT * FROM sent WHERE state <> 'failed' ORDER BY rowid"
        rows = await self._turns.run(lambda connection: connection.execute(query).fetchall())
        return [_sent(row) for row in rows]

    # ---- what it receives

    async def arrive(self, new: Received) -> Received:
        """Write that a payment has arrived, and return what is known of it.

        If this payer has paid before, or its attempt was refused, that is returned. If another one pays at the moment,
        its payment is, and if another one has paid, `new` as failed.
        """

        def work(connection: Connection) -> Received:
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

    # ---- the counter

    async def read(self) -> int | None:
        """Return the count; None if there is none."""
        [count] = await self._turns.run(lambda connection: connection.execute("SELECT count FROM ledger").fetchone())
        return None if count is None else int(count)

    async def write(self, count: int) -> None:
        """Store the count, if it is higher. It is on the disk when `begin` returns, before the payment leaves."""
        statement = "UPDATE ledger SET count = MAX(COALESCE(count, 0), ?)"
        self._turns.run_later(lambda connection: connection.execute(statement, (count,)))


def _prepare(connection: Connection) -> str:
    """Make the tables if there are none, and return the identity."""
    [version] = connection.execute("PRAGMA user_version").fetchone()
    if version > _VERSION:
        raise BackendError(f"{NAME} is of a newer release: update this one")
    if version == 0:
        for statement in filter(str.strip, _SCHEMA.split(";")):
            connection.execute(statement)
        connection.execute("INSERT INTO ledger VALUES (?, NULL)", (secrets.token_hex(8),))
    [identity] = connection.execute("SELECT identity FROM ledger").fetchone()
    return str(identity)


def _values(row: Sent | Received) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in type(row).__dataclass_fields__)


def _sent(row: Any) -> Sent:
    payment_hash, invoice, payee, amount_msat, attempt, state, preimage, reason = row
    return Sent(payment_hash, invoice, payee, amount_msat, attempt, State(state), preimage, reason)


def _received(row: Any) -> Received:
    payment_hash, payer, attempt, amount_msat, state, preimage, reason = row
    return Received(payment_hash, payer, attempt, amount_msat, State(state), preimage, reason)


_SENT: Final = "SELECT * FROM sent WHERE payment_hash = ?"
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
