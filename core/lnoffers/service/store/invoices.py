"""The stored invoices: functions over a connection in a transaction of the caller's.

An invoice begins unpaid and ends paid or expired, for good: nothing leads back, whatever the clock does later. Each
change of state is one statement that tests the state it starts from, so of several processes exactly one succeeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Final, TypeAlias

from clnrpc.runtime.values.written import Written
from lnoffers.service.status import Status, StatusChange
from lnoffers.service.store import offers
from lnoffers.service.store.database import Connection
from lnoffers.service.store.rows import Rows
from lnoffers.service.store.schema import INVOICES as TABLE

MAX_NUMBER: Final = 2**63 - 1
"""The largest number that a column takes."""


class InvoiceStatus(StrEnum):
    """Whether an invoice can still be paid, has been, or never will be."""

    UNPAID = "unpaid"
    PAID = "paid"
    EXPIRED = "expired"


class InvoiceIndex(StrEnum):
    """What a list of invoices is ordered by and counted in."""

    CREATED = "created"
    UPDATED = "updated"


Place: TypeAlias = tuple[int, int]
"""Where an invoice stands in a list: its number by the index that orders the list, and, as that may be 0 for several,
its created_index."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of the list of all invoices."""

    order: InvoiceIndex = InvoiceIndex.CREATED
    start: int = 0
    """By the index that orders it."""
    end: Place | None = None
    """The last place that belongs to it."""
    offer_id: bytes | None = None
    """32 bytes: only what belongs to this offer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInvoice:
    """What an invoice is from the beginning; all but the description is for good."""

    label: str
    """As it is written in JSON, escapes and all."""
    bolt12: str
    description: str | None
    payer_note: str | None
    payment_hash: bytes
    """32 bytes."""
    payment_preimage: bytes = field(repr=False)
    """32 bytes."""
    amount_msat: int
    """At most `MAX_NUMBER`."""
    expires_at: int
    """Unix seconds: from then on it is not paid."""
    local_offer_id: bytes | None
    """32 bytes."""
    answers_request: bool = False
    """Whether it answers another node's request. If nobody pays it, it is removed some time after it expires."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredInvoice(NewInvoice):
    """A row."""

    created_index: int
    updated_index: int
    """0 if nothing has changed."""
    status: InvoiceStatus
    pay_index: int | None
    amount_received_msat: int | None
    paid_at: int | None
    """Unix seconds."""


def add(connection: Connection, invoice: NewInvoice) -> StoredInvoice:
    """Store a new one, whose label and payment hash no other has."""
    values = [getattr(invoice, name) for name in _GIVEN]
    [row] = connection.execute(_ADD, (*values, InvoiceStatus.UNPAID.value, 0)).fetchall()
    return _ROWS.read(row)


def by_label(connection: Connection, label: str) -> StoredInvoice | None:
    """Return the one with this label, as it is written in JSON."""
    return _one(connection, "label", label)


def by_payment_hash(connection: Connection, payment_hash: bytes) -> StoredInvoice | None:
    """Return the one with this payment hash."""
    return _one(connection, "payment_hash", payment_hash)


def by_created_index(connection: Connection, created_index: int) -> StoredInvoice | None:
    """Return the one with this index, which unlike a label is never used again."""
    return _one(connection, "created_index", created_index)


def find(
    connection: Connection, part: Part, *, after: StoredInvoice | None = None, limit: int | None = None
) -> Sequence[StoredInvoice]:
    """Return those of a part of the list behind `after`, no more than `limit`; what cannot be read is passed over."""
    number, place = _order(part.order)
    query, values = f"{TABLE.select} WHERE {number} >= ?", list[Any]([min(part.start, MAX_NUMBER)])
    if after is not None:
        last = after.updated_index if part.order is InvoiceIndex.UPDATED else after.created_index
        query += f" AND ({place}) > (?, ?)"
        values += [last, after.created_index]
    if part.end is not None:
        query += f" AND ({place}) <= (?, ?)"
        values += part.end
    if part.offer_id is not None:
        query += " AND local_offer_id = ?"
        values += [part.offer_id]
    return _ROWS.read_many(connection, f"{query} ORDER BY {place}", values, limit)


def nth_place(connection: Connection, order: InvoiceIndex, start: int, number: int) -> Place | None:
    """Return where the `number`-th, counted from 1, of all from `start` stands; None if there are fewer."""
    index, place = _order(order)
    query = f"SELECT {index}, created_index FROM invoices WHERE {index} >= ? ORDER BY {place} LIMIT 1 OFFSET ?"
    row: Place | None = connection.execute(query, (min(start, MAX_NUMBER), number - 1)).fetchone()
    return row


def last_pay_index(connection: Connection) -> int:
    """Return the pay_index of the last payment there was, 0 before the first."""
    [last] = connection.execute("SELECT last FROM invoice_counters WHERE name = 'pay_index'").fetchone()
    return int(last)


def first_paid_after(connection: Connection, pay_index: int) -> StoredInvoice | None:
    """Return the invoice whose payment came next after that with this pay_index; what cannot be read is passed over."""
    query = f"{TABLE.select} WHERE pay_index > ? ORDER BY pay_index"
    return next(iter(_ROWS.read_many(connection, query, [pay_index], 1)), None)


def any_due(connection: Connection, now: int) -> bool:
    """Return whether `expire` would change something; only reads."""
    return connection.execute(f"SELECT 1 FROM invoices WHERE {_DUE} LIMIT 1", (now,)).fetchone() is not None


def expire(connection: Connection, now: int) -> None:
    """Let those expire that are unpaid and whose time is over at `now`, unix seconds."""
    expired = connection.execute(
        f"""
        UPDATE invoices SET status = 'expired', updated_index = {_UPDATED} + due.place
        FROM (
            SELECT created_index AS number, row_number() OVER (ORDER BY expires_at, created_index) AS place
            FROM invoices WHERE {_DUE}
        ) AS due WHERE created_index = due.number
        """,
        (now,),
    ).rowcount
    _count(connection, "updated_index", expired)


def expire_of_offer(connection: Connection, offer_id: bytes) -> None:
    """Let the unpaid invoices of an offer expire, since it has become inactive.

    That is no change by their updated_index, as in Core Lightning.
    """
    statement = "UPDATE invoices SET status = 'expired' WHERE local_offer_id = ? AND status = 'unpaid'"
    connection.execute(statement, (offer_id,))


def pay(connection: Connection, payment_hash: bytes, amount_received_msat: int, at: int) -> StoredInvoice | None:
    """Note that an invoice was paid `at`, unix seconds, with an amount of at most `MAX_NUMBER`; None if it cannot be.

    It can be while it is unpaid and its time not over. Its offer is used then; one for a single use ends with that,
    and with it its other invoices.
    """
    changed = connection.execute(_PAY, (amount_received_msat, at, payment_hash, at)).fetchall()
    if not changed:
        return None
    _count(connection, "pay_index", 1)
    _count(connection, "updated_index", 1)
    paid = _ROWS.read(changed[0])
    if paid.local_offer_id is not None:
        status = offers.change(connection, paid.local_offer_id, StatusChange.PAID)
        if status is not None and Status.ACTIVE not in status:
            expire_of_offer(connection, paid.local_offer_id)
    return paid


def remove(connection: Connection, invoice: StoredInvoice) -> None:
    """Delete it; its indexes are not used again."""
    connection.execute("DELETE FROM invoices WHERE created_index = ?", (invoice.created_index,))


def are_unpaid_answers(connection: Connection, number: int) -> bool:
    """Return whether this number of answers to requests, or more, are stored and not paid, expired or not."""
    query = f"SELECT expires_at FROM invoices WHERE {_UNPAID_ANSWER} LIMIT 1 OFFSET ?"
    return connection.execute(query, (number - 1,)).fetchone() is not None


def is_unpaid_answer_expired(connection: Connection, at: int) -> bool:
    """Return whether `remove_unpaid_answers` would remove one; only reads."""
    query = f"SELECT expires_at FROM invoices WHERE {_UNPAID_ANSWER} AND expires_at <= ? LIMIT 1"
    return connection.execute(query, (at,)).fetchone() is not None


def remove_unpaid_answers(connection: Connection, at: int, limit: int) -> int:
    """Delete answers that have expired unpaid at this Unix time, oldest first; return how many, at most `limit`.

    Invoices that were made with createinvoice stay, and so do paid ones.
    """
    statement = f"""
        DELETE FROM invoices WHERE created_index IN (
            SELECT created_index FROM invoices WHERE {_UNPAID_ANSWER} AND expires_at <= ? ORDER BY expires_at LIMIT ?
        )
    """
    return int(connection.execute(statement, (at, limit)).rowcount)


def remove_description(connection: Connection, invoice: StoredInvoice) -> None:
    """Forget the description, but for the string."""
    statement = f"UPDATE invoices SET description = NULL, updated_index = {_UPDATED} + 1 WHERE created_index = ?"
    connection.execute(statement, (invoice.created_index,))
    _count(connection, "updated_index", 1)


def _count(connection: Connection, counter: str, more: int) -> None:
    connection.execute("UPDATE invoice_counters SET last = last + ? WHERE name = ?", (more, counter))


def _one(connection: Connection, column: str, value: str | bytes | int) -> StoredInvoice | None:
    row = connection.execute(f"{TABLE.select} WHERE {column} = ?", (value,)).fetchone()
    return None if row is None else _ROWS.read(row)


def _order(order: InvoiceIndex) -> tuple[str, str]:
    """Return the column that orders a list, and the columns of a `Place`."""
    column = "updated_index" if order is InvoiceIndex.UPDATED else "created_index"
    return column, f"{column}, created_index"


def _made(*values: Any) -> StoredInvoice:
    """Return the invoice that a row's values are, in the order of the table's columns."""
    row = dict(zip(TABLE.columns, values, strict=True))
    Written.read(row["label"])  # it may be no JSON
    changed = {"status": InvoiceStatus(row["status"]), "answers_request": bool(row["answers_request"])}
    return StoredInvoice(**row | changed)


_ROWS: Final = Rows(TABLE, _made)
_GIVEN: Final = tuple(each.name for each in fields(NewInvoice))
_ADD: Final = f"{TABLE.insert((*_GIVEN, 'status', 'updated_index'))} RETURNING {TABLE.listed}"
_DUE: Final = "status = 'unpaid' AND expires_at <= ?"
_UNPAID_ANSWER: Final = "answers_request AND pay_index IS NULL"  # as in the index's own condition
_UPDATED: Final = "(SELECT last FROM invoice_counters WHERE name = 'updated_index')"
_PAY: Final = f"""
    UPDATE invoices SET
        status = 'paid',
        pay_index = (SELECT last FROM invoice_counters WHERE name = 'pay_index') + 1,
        updated_index = {_UPDATED} + 1,
        amount_received_msat = ?,
        paid_at = ?
    WHERE payment_hash = ? AND status = 'unpaid' AND expires_at > ?
    RETURNING {TABLE.listed}
"""
