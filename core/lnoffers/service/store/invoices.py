"""The stored invoices: functions over a connection in a transaction of the caller's.

An invoice begins unpaid and ends paid or expired, for good: nothing leads back, whatever the clock does later. Each
change of state is one statement that tests the state it starts from, so of several processes exactly one succeeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Row,
    ScalarSelect,
    delete,
    func,
    insert,
    select,
    tuple_,
    update,
)

from clnrpc.runtime.values.written import Written
from lnoffers.service.status import Event, Status
from lnoffers.service.store import records, rows
from lnoffers.service.store.schema import INVOICE_COUNTERS as COUNTERS
from lnoffers.service.store.schema import INVOICES as TABLE
from lnoffers.service.store.schema import OFFERS

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
    row = asdict(invoice) | {"status": InvoiceStatus.UNPAID.value, "updated_index": 0}
    return _invoice(connection.execute(insert(TABLE).returning(*rows.untyped(TABLE)), row).one())


def by_label(connection: Connection, label: str) -> StoredInvoice | None:
    """Return the one with this label, as it is written in JSON."""
    return _one(connection, TABLE.c.label == label)


def by_payment_hash(connection: Connection, payment_hash: bytes) -> StoredInvoice | None:
    """Return the one with this payment hash."""
    return _one(connection, TABLE.c.payment_hash == payment_hash)


def by_created_index(connection: Connection, created_index: int) -> StoredInvoice | None:
    """Return the one with this index, which unlike a label is never used again."""
    return _one(connection, TABLE.c.created_index == created_index)


def find(
    connection: Connection, part: Part, *, after: StoredInvoice | None = None, limit: int | None = None
) -> Sequence[StoredInvoice]:
    """Return those of a part of the list behind `after`, no more than `limit`; what cannot be read is passed over."""
    place = _place(part.order)
    query = _SELECT.where(place[0] >= min(part.start, MAX_NUMBER)).order_by(*place)
    if after is not None:
        last = after.updated_index if part.order is InvoiceIndex.UPDATED else after.created_index
        query = query.where(tuple_(*place) > (last, after.created_index))
    if part.end is not None:
        query = query.where(tuple_(*place) <= part.end)
    if part.offer_id is not None:
        query = query.where(TABLE.c.local_offer_id == part.offer_id)
    return rows.read_many(connection, TABLE, query, _made, limit)


def nth_place(connection: Connection, order: InvoiceIndex, start: int, number: int) -> Place | None:
    """Return where the `number`-th, counted from 1, of all from `start` stands; None if there are fewer."""
    place = _place(order)
    query = select(*place).where(place[0] >= min(start, MAX_NUMBER)).order_by(*place).offset(number - 1).limit(1)
    row = connection.execute(query).one_or_none()
    return None if row is None else (row[0], row[1])


def last_pay_index(connection: Connection) -> int:
    """Return the pay_index of the last payment there was, 0 before the first."""
    return int(connection.execute(select(_last("pay_index"))).scalar_one())


def first_paid_after(connection: Connection, pay_index: int) -> StoredInvoice | None:
    """Return the invoice whose payment came next after that with this pay_index; what cannot be read is passed over."""
    query = _SELECT.where(TABLE.c.pay_index > pay_index).order_by(TABLE.c.pay_index)
    return next(iter(rows.read_many(connection, TABLE, query, _made, 1)), None)


def any_due(connection: Connection, now: int) -> bool:
    """Return whether `expire` would change something; only reads."""
    return connection.execute(select(TABLE.c.created_index).where(*_due(now)).limit(1)).first() is not None


def expire(connection: Connection, now: int) -> None:
    """Let those expire that are unpaid and whose time is over at `now`, unix seconds."""
    place = func.row_number().over(order_by=(TABLE.c.expires_at, TABLE.c.created_index)).label("place")
    due = select(TABLE.c.created_index, place).where(*_due(now)).subquery()
    expired = connection.execute(
        update(TABLE)
        .where(TABLE.c.created_index == due.c.created_index)
        .values(status=InvoiceStatus.EXPIRED.value, updated_index=_last("updated_index") + due.c.place)
    ).rowcount
    _count(connection, "updated_index", expired)


def expire_of_offer(connection: Connection, offer_id: bytes) -> None:
    """Let the unpaid invoices of an offer expire, since it has become inactive.

    That is no change by their updated_index, as in Core Lightning.
    """
    connection.execute(
        update(TABLE)
        .where(TABLE.c.local_offer_id == offer_id, TABLE.c.status == InvoiceStatus.UNPAID.value)
        .values(status=InvoiceStatus.EXPIRED.value)
    )


def pay(connection: Connection, payment_hash: bytes, amount_received_msat: int, at: int) -> StoredInvoice | None:
    """Note that an invoice was paid `at`, unix seconds, with an amount of at most `MAX_NUMBER`; None if it cannot be.

    It can be while it is unpaid and its time not over. Its offer is used then; one for a single use ends with that,
    and with it its other invoices.
    """
    row = connection.execute(
        update(TABLE)
        .where(
            TABLE.c.payment_hash == payment_hash,
            TABLE.c.status == InvoiceStatus.UNPAID.value,
            TABLE.c.expires_at > at,
        )
        .values(
            status=InvoiceStatus.PAID.value,
            pay_index=_last("pay_index") + 1,
            updated_index=_last("updated_index") + 1,
            amount_received_msat=amount_received_msat,
            paid_at=at,
        )
        .returning(*rows.untyped(TABLE))
    ).one_or_none()
    if row is None:
        return None
    _count(connection, "pay_index", 1)
    _count(connection, "updated_index", 1)
    if row.local_offer_id is not None:
        status = records.change(connection, OFFERS, row.local_offer_id, Event.PAID)
        if status is not None and Status.ACTIVE not in status:
            expire_of_offer(connection, row.local_offer_id)
    return _invoice(row)


def remove(connection: Connection, invoice: StoredInvoice) -> None:
    """Delete it; its indexes are not used again."""
    connection.execute(delete(TABLE).where(TABLE.c.created_index == invoice.created_index))


def remove_description(connection: Connection, invoice: StoredInvoice) -> None:
    """Forget the description, but for the string."""
    connection.execute(
        update(TABLE)
        .where(TABLE.c.created_index == invoice.created_index)
        .values(description=None, updated_index=_last("updated_index") + 1)
    )
    _count(connection, "updated_index", 1)


def _due(now: int) -> tuple[ColumnElement[bool], ...]:
    return TABLE.c.status == InvoiceStatus.UNPAID.value, TABLE.c.expires_at <= now


def _last(counter: str) -> ScalarSelect[int]:
    return select(COUNTERS.c.last).where(COUNTERS.c.name == counter).scalar_subquery()


def _count(connection: Connection, counter: str, more: int) -> None:
    connection.execute(update(COUNTERS).where(COUNTERS.c.name == counter).values(last=COUNTERS.c.last + more))


def _one(connection: Connection, condition: ColumnElement[bool]) -> StoredInvoice | None:
    row = connection.execute(_SELECT.where(condition)).one_or_none()
    return None if row is None else _invoice(row)


def _place(order: InvoiceIndex) -> tuple[Column[int], Column[int]]:
    index = TABLE.c.updated_index if order is InvoiceIndex.UPDATED else TABLE.c.created_index
    return index, TABLE.c.created_index


def _invoice(row: Row[Any]) -> StoredInvoice:
    return rows.read(TABLE, row, _made)


def _made(*values: Any) -> StoredInvoice:
    """Return the invoice that a row's values are, in the order of the table's columns."""
    row = dict(zip(TABLE.c.keys(), values, strict=True))
    Written.read(row["label"])  # it may be no JSON
    return StoredInvoice(**row | {"status": InvoiceStatus(row["status"])})


_SELECT: Final = select(*rows.untyped(TABLE))
