"""Store payments: claim a request for an invoice, and take the steps of `payment_states`.

The caller begins and ends the transaction. A claim has an owner, the server that pays, and a number, the fence. A new
owner gets a higher number. Each step names the number, and fails if the claim has another one by now; so a server that
was given up as dead changes nothing any more.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any, Final

from lnoffers.service.errors import ServiceError
from lnoffers.service.payment_states import OPEN, STEPS, PaymentEvent, PaymentState
from lnoffers.service.status import Status, StatusChange
from lnoffers.service.store import invoicerequests
from lnoffers.service.store.database import Connection
from lnoffers.service.store.invoices import MAX_NUMBER
from lnoffers.service.store.rows import Rows
from lnoffers.service.store.schema import PAYMENTS as TABLE

MAX_FAILED: Final = 8
"""How many failed payments are kept for one request, the latest ones. Otherwise a payee could fill the disk."""


class ClaimError(ServiceError):
    """The request cannot be claimed; the message says why in the payee's words.

    The caller's transaction must be rolled back.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPayment:
    """An invoice that is about to be paid."""

    payment_hash: bytes
    """32 bytes."""
    invreq_id: bytes
    """32 bytes."""
    offer_id: bytes | None
    """32 bytes."""
    bolt12: str
    amount_msat: int
    limit_msat: int
    """The most that may be sent, with fees."""
    expires_at: int
    """Unix seconds: when the invoice expires."""
    single_use: bool = False
    """Whether no other invoice for the request may be paid."""
    backend: str
    """Who pays it; only the same backend can say what has become of it."""
    owner: str
    created_at: int
    """Unix seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPayment(NewPayment):
    """A row."""

    state: PaymentState
    fence: int
    created_index: int
    """The place in the list of all payments."""
    completed_at: int | None = None
    """Unix seconds."""
    preimage: bytes | None = field(default=None, repr=False)
    """32 bytes."""
    sent_msat: int | None = None
    """With fees."""
    reason: str | None = None
    """Why it has failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """A part of the list of all payments."""

    payment_hash: bytes | None = None
    """32 bytes: only the payment for the invoice with this payment hash."""
    offer_id: bytes | None = None
    """32 bytes: only payments of invoices for this offer."""
    states: Container[PaymentState] = frozenset(PaymentState)
    start: int = 0
    """The lowest created_index."""
    end: int | None = None
    """The highest created_index."""


def claim(connection: Connection, new: NewPayment, state: PaymentState = PaymentState.CLAIMED) -> StoredPayment:
    """Reserve the request of an invoice for it, and return the payment.

    If the node has stored the request, its state must allow a claim. An invoice whose payment has failed may be tried
    again. Otherwise each payment hash is paid once, and each request of a single use.

    Raises:
        ClaimError: if that is not possible.
    """
    status = invoicerequests.change(connection, new.invreq_id, StatusChange.CLAIMED)
    if status is None and (refusing := invoicerequests.status_of(connection, new.invreq_id)) is not None:
        raise ClaimError(_why_not(connection, new, refusing))
    single_use = new.single_use if status is None else Status.SINGLE_USE in status
    payment = _claimed(connection, new, state, single_use=single_use)
    if not _add(connection, payment):
        failed = "DELETE FROM payments WHERE payment_hash = ? AND state = 'failed' AND bolt12 = ?"
        connection.execute(failed, (new.payment_hash, new.bolt12))
        if not _add(connection, payment):
            raise ClaimError(_why_not(connection, new, status))
    return payment


def again(payment: StoredPayment, created_at: int) -> NewPayment:
    """Return a payment that has failed as one to be claimed at this time, in Unix seconds."""
    values = {name: getattr(payment, name) for name in _GIVEN}
    return NewPayment(**values | {"created_at": created_at})


def add_unclaimed(connection: Connection, new: NewPayment, state: PaymentState) -> StoredPayment:
    """Store a payment that has been made, or begun, although its request cannot be claimed for it; return it.

    It does not hold the claim of its request, and so does not end it either.
    """
    connection.execute("DELETE FROM payments WHERE payment_hash = ? AND state = 'failed'", (new.payment_hash,))
    payment = _claimed(connection, new, state, single_use=new.single_use)
    connection.execute(TABLE.insert(), _values(payment))
    return payment


def step(
    connection: Connection, payment: StoredPayment, event: PaymentEvent, **changes: int | bytes | str
) -> StoredPayment | None:
    """Apply an event to a payment, and return the changed one; None if its state or its fence does not allow it.

    A success uses the request, and a failure makes it usable again, in the same transaction. `changes` are the values
    of other columns.
    """
    moves = STEPS[event]
    [after] = {*moves.values()}  # all events lead to one state
    columns, before = "".join(f", {name} = ?" for name in changes), ", ".join("?" * len(moves))
    statement = f"UPDATE payments SET state = ?{columns} WHERE payment_hash = ? AND fence = ? AND state IN ({before})"
    values = (after, *changes.values(), payment.payment_hash, payment.fence, *moves)
    if not connection.execute(statement, values).rowcount:
        return None
    changed = replace(payment, state=after, **dict[str, Any](changes))
    if changed.state is PaymentState.PAID:
        invoicerequests.change(connection, changed.invreq_id, StatusChange.PAID)
    if changed.state is PaymentState.FAILED:
        if changed.single_use:  # then it is this payment that holds the claim
            invoicerequests.change(connection, changed.invreq_id, StatusChange.RELEASED)
        connection.execute(_FORGET, (changed.invreq_id, changed.invreq_id))
    return changed


def take_over(connection: Connection, payment: StoredPayment, owner: str) -> StoredPayment | None:
    """Give an open payment to a new owner, and return it; None if another one was faster, or it is not open any more.

    The old owner may have told the backend to pay, unless it had not begun.
    """
    statement = f"""
        UPDATE payments SET owner = ?, fence = ?,
            state = CASE state WHEN 'paying' THEN 'unknown' ELSE state END
        WHERE payment_hash = ? AND fence = ? AND state IN ({_listed(OPEN)}) RETURNING {TABLE.listed}
    """
    values = (owner, _next_fence(connection), payment.payment_hash, payment.fence)
    rows = connection.execute(statement, values).fetchall()
    return _ROWS.read(rows[0]) if rows else None


def by_payment_hash(connection: Connection, payment_hash: bytes) -> StoredPayment | None:
    """Return the payment for an invoice with this payment hash; None if there is none."""
    row = connection.execute(f"{TABLE.select} WHERE payment_hash = ?", (payment_hash,)).fetchone()
    return None if row is None else _ROWS.read(row)


def of_request(connection: Connection, invreq_id: bytes) -> Sequence[StoredPayment]:
    """Return the payments for a request, oldest first."""
    return _many(connection, "WHERE invreq_id = ? ORDER BY created_at, fence", (invreq_id,))


def latest_of_requests(
    connection: Connection, invreq_ids: Sequence[bytes], limit: int
) -> Mapping[bytes, Sequence[StoredPayment]]:
    """Return the latest payments for some requests, at most `limit` for each, oldest first, by the request's id."""
    places = ", ".join("?" * len(invreq_ids))
    query = f"""
        {TABLE.select} WHERE payment_hash IN (
            SELECT payment_hash FROM (
                SELECT payment_hash, row_number() OVER (PARTITION BY invreq_id ORDER BY created_index DESC) AS place
                FROM payments WHERE invreq_id IN ({places})
            ) AS numbered WHERE place <= ?
        ) ORDER BY created_index
    """
    found: dict[bytes, list[StoredPayment]] = {}
    for payment in _ROWS.read_many(connection, query, [*invreq_ids, limit], None):
        found.setdefault(payment.invreq_id, []).append(payment)
    return found


def find(
    connection: Connection, chosen: Selection, *, after: StoredPayment | None = None, limit: int | None = None
) -> Sequence[StoredPayment]:
    """Return up to `limit` payments of a part of the list, after `after`; rows that cannot be read are skipped."""
    start = min(chosen.start, MAX_NUMBER) if after is None else after.created_index + 1
    query, values = (
        f"{TABLE.select} WHERE state IN ({_listed(chosen.states)}) AND created_index >= ?",
        list[Any]([start]),
    )
    for column, comparison, value in (
        ("payment_hash", "=", chosen.payment_hash),
        ("offer_id", "=", chosen.offer_id),
        ("created_index", "<=", chosen.end),
    ):
        if value is not None:
            query += f" AND {column} {comparison} ?"
            values.append(value)
    return _ROWS.read_many(connection, f"{query} ORDER BY created_index", values, limit)


def nth_index(connection: Connection, start: int, number: int) -> int | None:
    """Return the created_index of the `number`-th payment, counted from 1, from `start` on; None if there are fewer."""
    if number < 1:
        return start - 1
    query = "SELECT created_index FROM payments WHERE created_index >= ? ORDER BY created_index LIMIT 1 OFFSET ?"
    row = connection.execute(query, (min(start, MAX_NUMBER), number - 1)).fetchone()
    return None if row is None else int(row[0])


def open_payments(connection: Connection) -> Sequence[StoredPayment]:
    """Return the payments that hold a claim, in the order of their fences."""
    return _many(connection, f"WHERE state IN ({_listed(OPEN)}) ORDER BY fence", ())


def count_open(connection: Connection, invreq_id: bytes) -> int:
    """Return how many payments for a request hold a claim."""
    query = f"SELECT COUNT(*) FROM payments WHERE state IN ({_listed(OPEN)}) AND invreq_id = ?"
    [count] = connection.execute(query, (invreq_id,)).fetchone()
    return int(count)


def spent_since(connection: Connection, since: int) -> int:
    """Return the sum, in msat, of what was paid since this Unix time and all that may still be paid, with fees."""
    # Two sums, because with OR the database reads all payments instead of an index for each.
    query = f"""
        SELECT COALESCE((SELECT SUM(COALESCE(sent_msat, amount_msat)) FROM payments
                         WHERE state = 'paid' AND completed_at >= ?), 0)
            + COALESCE((SELECT SUM(limit_msat) FROM payments WHERE state IN ({_listed(OPEN)})), 0)
    """
    [spent] = connection.execute(query, (since,)).fetchone()
    return int(spent)


def last_fence(connection: Connection) -> int:
    """Return the last number that a claim got; 0 before the first."""
    [last] = connection.execute("SELECT last FROM counters WHERE name = 'fence'").fetchone()
    return int(last)


def raise_fence(connection: Connection, least: int) -> None:
    """Let the next claim get a number above `least`."""
    connection.execute("UPDATE counters SET last = ? WHERE name = 'fence' AND last < ?", (least, least))


def _next_fence(connection: Connection) -> int:
    [fence] = connection.execute("UPDATE counters SET last = last + 1 WHERE name = 'fence' RETURNING last").fetchone()
    return int(fence)


def _claimed(connection: Connection, new: NewPayment, state: PaymentState, *, single_use: bool) -> StoredPayment:
    """Return the row of a payment, with the next fence."""
    fence = _next_fence(connection)
    given = {name: getattr(new, name) for name in _GIVEN} | {"single_use": single_use}
    return StoredPayment(**given, state=state, fence=fence, created_index=fence)


def _add(connection: Connection, payment: StoredPayment) -> bool:
    """Add a row; return False if another one has its payment hash, or the only use of its request."""
    return bool(connection.execute(_ADD, _values(payment)).rowcount)


def _why_not(connection: Connection, new: NewPayment, status: Status | None) -> str:
    """Return why an invoice cannot be claimed, in words like those of Core Lightning's error 212."""
    same = by_payment_hash(connection, new.payment_hash)
    if same is not None and (same.state, same.bolt12) == (PaymentState.FAILED, new.bolt12):
        same = None  # it could be tried again
    others = [same] if same else [one for one in of_request(connection, new.invreq_id) if one.state != "failed"]
    for other in others:
        if other.state is PaymentState.FAILED:
            return f"Another invoice had the payment_hash {other.payment_hash.hex()}"
        what = "Invoice" if same else "Single-use invoice_request"
        how = "already paid" if other.state is PaymentState.PAID else "already in progress"
        return f"{what} {how} with {other.payment_hash.hex()}"
    return "Unknown invoice_request ID" if status is None else "invoice_request no longer available"


def _many(connection: Connection, condition: str, values: Sequence[Any]) -> Sequence[StoredPayment]:
    return _ROWS.read_many(connection, f"{TABLE.select} {condition}", values, None)


def _listed(states: Container[PaymentState]) -> str:
    return ", ".join(f"'{state}'" for state in PaymentState if state in states)


def _made(*values: Any) -> StoredPayment:
    row = dict[str, Any](zip(TABLE.columns, values, strict=True))
    return StoredPayment(**row | {"state": PaymentState(row["state"]), "single_use": bool(row["single_use"])})


_ROWS: Final = Rows(TABLE, _made)
_GIVEN: Final = (
    "payment_hash",
    "invreq_id",
    "offer_id",
    "bolt12",
    "amount_msat",
    "limit_msat",
    "expires_at",
    "single_use",
    "backend",
    "owner",
    "created_at",
)
_values: Final = attrgetter(*TABLE.columns)
"""Returns the values of a row."""
_ADD: Final = f"{TABLE.insert()} ON CONFLICT DO NOTHING"
_FORGET: Final = f"""
    DELETE FROM payments WHERE invreq_id = ? AND state = 'failed' AND payment_hash NOT IN (
        SELECT payment_hash FROM payments WHERE invreq_id = ? AND state = 'failed'
        ORDER BY completed_at DESC, fence DESC LIMIT {MAX_FAILED}
    )
"""
