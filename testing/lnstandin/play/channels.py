"""The channels of a node, whose balances limit what it can send and receive.

Each of two nodes has a row for their channel in its own ledger, with its own side of the balance. Triggers keep that
equal to what the ledger's payments say: the payer's side falls when a payment leaves, and rises again if it fails; the
payee's side rises when a payment is taken. Between these, the amount is in flight, and the payer's ledger shows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Final

from lnoffers.service.payments.backend import FailureCode

SCHEMA: Final = (
    """
    CREATE TABLE channels (
        peer BLOB NOT NULL PRIMARY KEY,
        short_channel_id TEXT NOT NULL,
        funding_txid TEXT NOT NULL,
        capacity_msat INTEGER NOT NULL,
        our_msat INTEGER NOT NULL CHECK (our_msat BETWEEN 0 AND capacity_msat),
        is_opener INTEGER NOT NULL
    )
    """,
    """
    CREATE TRIGGER leaves AFTER INSERT ON sent WHEN new.state = 'pending' BEGIN
        UPDATE channels SET our_msat = our_msat - new.amount_msat WHERE peer = new.payee;
    END
    """,
    """
    CREATE TRIGGER comes_back AFTER UPDATE OF state ON sent WHEN old.state = 'pending' AND new.state = 'failed' BEGIN
        UPDATE channels SET our_msat = our_msat + new.amount_msat WHERE peer = new.payee;
    END
    """,
    """
    CREATE TRIGGER is_taken AFTER UPDATE OF state ON received WHEN old.state = 'pending' AND new.state = 'paid' BEGIN
        UPDATE channels SET our_msat = our_msat + new.amount_msat WHERE peer = new.payer;
    END
    """,
)
"""The table and its triggers; the rows of `sent` begin as pending, and those of `received` become paid by an update."""


@dataclass(frozen=True, slots=True)
class Channel:
    """This node's side of a channel."""

    peer: bytes
    """The node id of the other side, 33 bytes."""
    short_channel_id: str
    funding_txid: str
    """32 bytes in hex. No chain has it."""
    capacity_msat: int
    our_msat: int
    """Without what is in flight from this node."""
    is_opener: bool
    in_flight_msat: int = 0
    """What has left from this node and is not decided."""

    @property
    def owned_msat(self) -> int:
        """This node's share, with what is in flight from it."""
        return self.our_msat + self.in_flight_msat

    @property
    def receivable_msat(self) -> int:
        """What this node can receive."""
        return self.capacity_msat - self.owned_msat


@dataclass(frozen=True, slots=True)
class NoRoute:
    """Why a payment cannot leave. Nothing is stored of it."""

    reason: str
    code: FailureCode = FailureCode.NO_ROUTE


def add(connection: Connection, opened: Sequence[Channel]) -> None:
    """Store new channels; there is one at most for each peer."""
    values = [
        (each.peer, each.short_channel_id, each.funding_txid, each.capacity_msat, each.our_msat, each.is_opener)
        for each in opened
    ]
    connection.executemany("INSERT INTO channels VALUES (?, ?, ?, ?, ?, ?)", values)


def all_of(connection: Connection) -> list[Channel]:
    """Return all channels, in the order in which they were opened."""
    pending = "SELECT COALESCE(SUM(amount_msat), 0) FROM sent WHERE payee = peer AND state = 'pending'"
    rows = connection.execute(f"SELECT *, ({pending}) FROM channels ORDER BY rowid").fetchall()
    return [
        Channel(peer, short_channel_id, txid, capacity, ours, bool(is_opener), in_flight)
        for peer, short_channel_id, txid, capacity, ours, is_opener, in_flight in rows
    ]


def missing(connection: Connection, peer: bytes, amount_msat: int) -> NoRoute | None:
    """Return why this amount cannot be sent to a peer; None if it can be, or this ledger has no channels at all."""
    row = connection.execute("SELECT our_msat FROM channels WHERE peer = ?", (peer,)).fetchone()
    if row is not None:
        why = f"the channel has {row[0]}msat, and {amount_msat}msat are to be paid"
        return None if row[0] >= amount_msat else NoRoute(why, FailureCode.TOO_LITTLE)
    is_limited = connection.execute("SELECT 1 FROM channels LIMIT 1").fetchone()
    return NoRoute(f"there is no channel with {peer.hex()}") if is_limited else None
