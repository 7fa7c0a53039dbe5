"""Store invoices, list them, and change their states. The caller begins and ends the transaction of the connection.

A new invoice is unpaid. It becomes paid or expired, and then never changes its state again, even if the clock is set
back, with one exception: an expired invoice becomes paid if its payment is found to have been settled before. Each
change of state is one statement that checks the previous state, so if several processes try at once, exactly one
succeeds.
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
"""The largest number that a column can store."""


class InvoiceStatus(StrEnum):
    """The state of an invoice."""

    UNPAID = "unpaid"
    PAID = "paid"
    EXPIRED = "expired"


class InvoiceIndex(StrEnum):
    """The index by which a list of invoices is ordered and limited."""

    CREATED = "created"
    UPDATED = "updated"


Place: TypeAlias = tuple[int, int]
"""The position of an invoice in a list: its number by the list's index, then its created_index, because several
invoices can have the updated_index 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of the list of all invoices."""

    order: InvoiceIndex = InvoiceIndex.CREATED
    start: int = 0
    """The lowest number, by the index `order`."""
    end: Place | None = None
    """The last place in the part."""
    offer_id: bytes | None = None
    """32 bytes: only the invoices of this offer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInvoice:
    """The values with which an invoice is stored; only the description can change later."""

    label: str
    """The text of a JSON string, with escapes as the caller wrote them."""
    bolt12: str
    """The string. Stand-ins store those of BOLT 11 here, too."""
    description: str | None
    payer_note: str | None
    payment_hash: bytes
    """32 bytes."""
    payment_preimage: bytes = field(repr=False)
    """32 bytes."""
    amount_msat: int
    """At most `MAX_NUMBER`; 0 if the payer chooses, which only BOLT 11 allows."""
    expires_at: int
    """Unix seconds: it cannot be paid from this time on."""
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
    """Store a new invoice; no other may have its label or payment hash."""
    values = [getattr(invoice, name) for name in _GIVEN]
    [row] = connection.execute(_ADD, (*values, InvoiceStatus.UNPAID.value, 0)).fetchall()
    return _ROWS.read(row)


def by_label(connection: Connection, label: str) -> StoredInvoice | None:
    """Return the invoice with this label, written as in JSON; None if there is none."""
    return _one(connection, "label", label)


def by_payment_hash(connection: Connection, payment_hash: bytes) -> StoredInvoice | None:
    """Return the invoice with this payment hash; None if there is none."""
    return _one(connection, "payment_hash", payment_hash)


def has(connection: Connection, payment_hash: bytes) -> bool:
    """Return whether there is an invoice with this payment hash."""
    query = "SELECT 1 FROM invoices WHERE payment_hash = ?"
    return connection.execute(query, (payment_hash,)).fetchone() is not None


def by_created_index(connection: Connection, created_index: int) -> StoredInvoice | None:
    """Return the invoice with this index, which unlike a label is never reused; None if there is none."""
    return _one(connection, "created_index", created_index)


def find(
    connection: Connection, part: Part, *, after: StoredInvoice | None = None, limit: int | None = None
) -> Sequence[StoredInvoice]:
    """Return up to `limit` invoices of a part of the list, after `after`; rows that cannot be read are skipped."""
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
    """Return the place of the `number`-th invoice, counted from 1, from `start` on; None if there are fewer."""
    index, place = _order(order)
    query = f"SELECT {index}, created_index FROM invoices WHERE {index} >= ? ORDER BY {place} LIMIT 1 OFFSET ?"
    row: Place | None = connection.execute(query, (min(start, MAX_NUMBER), number - 1)).fetchone()
    return row


def last_pay_index(connection: Connection) -> int:
    """Return the pay_index of the last payment; 0 before the first."""
    [last] = connection.execute("SELECT last FROM counters WHERE name = 'pay_index'").fetchone()
    return int(last)


def first_paid_after(connection: Connection, pay_index: int) -> StoredInvoice | None:
    """Return the invoice with the next higher pay_index, skipping rows that cannot be read; None if there is none."""
    query = f"{TABLE.select} WHERE pay_index > ? ORDER BY pay_index"
    return next(iter(_ROWS.read_many(connection, query, [pay_index], 1)), None)


def any_due(connection: Connection, now: int) -> bool:
    """Return whether `expire` would change anything. Only reads."""
    return connection.execute(f"SELECT 1 FROM invoices WHERE {_DUE} LIMIT 1", (now,)).fetchone() is not None


def expire(connection: Connection, now: int) -> None:
    """Mark unpaid invoices as expired if their time is over at `now`, in Unix seconds."""
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
    """Mark the unpaid invoices of an offer as expired, because it has become inactive.

    Their updated_index does not change, as in Core Lightning.
    """
    statement = "UPDATE invoices SET status = 'expired' WHERE local_offer_id = ? AND status = 'unpaid'"
    connection.execute(statement, (offer_id,))


def pay(
    connection: Connection, payment_hash: bytes, amount_received_msat: int, at: int, *, is_settled: bool = False
) -> StoredInvoice | None:
    """Mark an invoice as paid at the time `at`, in Unix seconds, and return it; None if it was not payable then.

    It is payable if it is unpaid and not expired, or, if the payment is settled elsewhere already, as long as it is not
    paid. The amount is at most `MAX_NUMBER`. The payment uses the invoice's offer; if that is for a single use, its
    other unpaid invoices expire.
    """
    changed = connection.execute(_PAY, (amount_received_msat, at, payment_hash, at, is_settled)).fetchall()
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
    """Delete an invoice; its indexes are never reused."""
    connection.execute("DELETE FROM invoices WHERE created_index = ?", (invoice.created_index,))


def are_unpaid_answers(connection: Connection, number: int) -> bool:
    """Return whether at least `number` unpaid answers to requests are stored, expired ones included."""
    query = f"SELECT expires_at FROM invoices WHERE {_UNPAID_ANSWER} LIMIT 1 OFFSET ?"
    return connection.execute(query, (number - 1,)).fetchone() is not None


def is_unpaid_answer_expired(connection: Connection, at: int) -> bool:
    """Return whether `remove_unpaid_answers` would remove any. Only reads."""
    query = f"SELECT expires_at FROM invoices WHERE {_UNPAID_ANSWER} AND expires_at <= ? LIMIT 1"
    return connection.execute(query, (at,)).fetchone() is not None


def remove_unpaid_answers(connection: Connection, at: int, limit: int) -> int:
    """Delete up to `limit` unpaid answers that have expired at this Unix time, oldest first; return their number.

    Paid invoices stay, and so do those made with createinvoice.
    """
    statement = f"""
        DELETE FROM invoices WHERE created_index IN (
            SELECT created_index FROM invoices WHERE {_UNPAID_ANSWER} AND expires_at <= ? ORDER BY expires_at LIMIT ?
        )
    """
    return int(connection.execute(statement, (at, limit)).rowcount)


def remove_oldest_unpaid_answer(connection: Connection, at: int) -> None:
    """Delete an answer that nobody has paid: the oldest that has expired at this Unix time; if none has, the oldest."""
    statement = f"""
        DELETE FROM invoices WHERE created_index IN (
            SELECT created_index FROM invoices WHERE {_UNPAID_ANSWER} ORDER BY expires_at > ?, created_index LIMIT 1
        )
    """
    connection.execute(statement, (at,))


def remove_description(connection: Connection, invoice: StoredInvoice) -> None:
    """Delete the description of an invoice; its string may still contain it."""
    statement = f"UPDATE invoices SET description = NULL, updated_index = {_UPDATED} + 1 WHERE created_index = ?"
    connection.execute(statement, (invoice.created_index,))
    _count(connection, "updated_index", 1)


def _count(connection: Connection, counter: str, more: int) -> None:
    connection.execute("UPDATE counters SET last = last + ? WHERE name = ?", (more, counter))


def _one(connection: Connection, column: str, value: str | bytes | int) -> StoredInvoice | None:
    row = connection.execute(f"{TABLE.select} WHERE {column} = ?", (value,)).fetchone()
    return None if row is None else _ROWS.read(row)


def _order(order: InvoiceIndex) -> tuple[str, str]:
    """Return the column that orders a list, and the columns of a `Place`."""
    column = "updated_index" if order is InvoiceIndex.UPDATED else "created_index"
    return column, f"{column}, created_index"


def _made(*values: Any) -> StoredInvoice:
    """Return the invoice for a row's values, in the order of the table's columns."""
    row = dict(zip(TABLE.columns, values, strict=True))
    Written.read(row["label"])  # raises ValueError if it is not JSON
    changed = {"status": InvoiceStatus(row["status"]), "answers_request": bool(row["answers_request"])}
    return StoredInvoice(**row | changed)


_ROWS: Final = Rows(TABLE, _made)
_GIVEN: Final = tuple(each.name for each in fields(NewInvoice))
_ADD: Final = f"{TABLE.insert((*_GIVEN, 'status', 'updated_index'))} RETURNING {TABLE.listed}"
_DUE: Final = "status = 'unpaid' AND expires_at <= ?"
_UNPAID_ANSWER: Final = "answers_request AND status <> 'paid'"  # as in the index's own condition
_UPDATED: Final = "(SELECT last FROM counters WHERE name = 'updated_index')"
_PAY: Final = f"""
    UPDATE invoices SET
        status = 'paid',
        pay_index = (SELECT last FROM counters WHERE name = 'pay_index') + 1,
        updated_index = {_UPDATED} + 1,
        amount_received_msat = ?,
        paid_at = ?
    WHERE payment_hash = ? AND status <> 'paid' AND ((status = 'unpaid' AND expires_at > ?) OR ?)
    RETURNING {TABLE.listed}
"""
