"""The store's own statements about payments, as pure functions from one content of the store to the next.

They run in a database in memory, which is set to the content first. What was computed once is remembered.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from lnoffers.service.payment_states import PaymentEvent, PaymentState
from lnoffers.service.payments.backend import Paid, Uncertain
from lnoffers.service.payments.comparing import Known, bring_in
from lnoffers.service.status import Status
from lnoffers.service.store import invoicerequests, payments
from lnoffers.service.store.invoicerequests import StoredRequest
from lnoffers.service.store.migrations import STEPS
from lnoffers.service.store.payments import ClaimError, NewPayment, StoredPayment
from lnoffers.service.store.sqlite import SqliteConnection, SqliteDatabase

BACKEND: Final = "node"
REQUEST: Final = b"r" * 32
INVOICES: Final = (b"a" * 32, b"b" * 32)
PREIMAGE: Final = b"p" * 32
UNUSED: Final = Status.created(single_use=True)
_OUTCOMES: Final = {
    PaymentEvent.PAID: {"completed_at": 1, "preimage": PREIMAGE, "sent_msat": 1},
    PaymentEvent.FAILED: {"completed_at": 1, "reason": "no route"},
    PaymentEvent.LOST: {"reason": "lost"},
    PaymentEvent.AGAIN: {},
}
"""What a server stores with each event."""

Row: TypeAlias = tuple[object, ...]


class Rows(NamedTuple):
    """The content of the store, as far as it changes."""

    status: int
    fence: int
    payments: tuple[Row, ...]


EMPTY: Final = Rows(UNUSED.value, 0, ())


class Taken(NamedTuple):
    """The content after a claim or a take-over, and what the server remembers of it."""

    rows: Rows
    invoice: int
    fence: int
    reason: object = None


def _database() -> SqliteConnection:
    connection = SqliteConnection(Path(":memory:"), "memory")
    for statements in STEPS:
        for statement in statements:
            connection.execute(statement.format_map(SqliteDatabase.types))
    invoicerequests.add(connection, StoredRequest(REQUEST, "lnr1", None, UNUSED))
    return connection


_CONNECTION: Final = _database()


def _load(rows: Rows) -> None:
    _CONNECTION.execute("UPDATE invoicerequests SET status = ?", (rows.status,))
    _CONNECTION.execute("DELETE FROM payments")
    for row in rows.payments:
        _CONNECTION.execute(payments.TABLE.insert(), row)
    _CONNECTION.execute("UPDATE counters SET last = ? WHERE name = 'fence'", (rows.fence,))


def _rows() -> Rows:
    [[status]] = _CONNECTION.execute("SELECT status FROM invoicerequests").fetchall()
    found = _CONNECTION.execute(f"{payments.TABLE.select} ORDER BY payment_hash").fetchall()
    return Rows(status, payments.last_fence(_CONNECTION), tuple(found))


def _new(invoice: int, owner: str) -> NewPayment:
    return NewPayment(
        payment_hash=INVOICES[invoice],
        invreq_id=REQUEST,
        offer_id=None,
        bolt12=f"lni{invoice}",
        amount_msat=1,
        limit_msat=1,
        expires_at=1,
        backend=BACKEND,
        owner=owner,
        created_at=0,
    )


@cache
def claimed(rows: Rows, invoice: int, owner: str) -> Taken | None:
    """Claim the request for an invoice; None if it is refused."""
    _load(rows)
    _CONNECTION.execute("SAVEPOINT one")
    made: StoredPayment | None = None
    with suppress(ClaimError):
        made = payments.claim(_CONNECTION, _new(invoice, owner), PaymentState.PAYING)
    if made is None:
        _CONNECTION.execute("ROLLBACK TO one")
    _CONNECTION.execute("RELEASE one")
    return None if made is None else Taken(_rows(), invoice, made.fence)


@cache
def stepped(rows: Rows, invoice: int, fence: int, event: PaymentEvent) -> Rows | None:
    """Take a step with the fence that a server remembers; None if the store refuses it."""
    _load(rows)
    found = payments.by_payment_hash(_CONNECTION, INVOICES[invoice])
    if found is None or payments.step(_CONNECTION, replace(found, fence=fence), event, **_OUTCOMES[event]) is None:  # type: ignore[arg-type]
        return None
    return _rows()


@cache
def taken_over(rows: Rows, invoice: int, old: str, owner: str) -> Taken | None:
    """Take over the claim of an owner that has ended; None if there is none."""
    _load(rows)
    found = payments.by_payment_hash(_CONNECTION, INVOICES[invoice])
    if found is None or found.owner != old:
        return None
    taken = payments.take_over(_CONNECTION, found, owner)
    return None if taken is None else Taken(_rows(), invoice, taken.fence, taken.reason)


@cache
def compared(rows: Rows, backend: tuple[str, ...], names: tuple[str, ...], counted: int) -> list[Taken]:
    """Bring in what the backend knows, after a restore; the last one has the content, all have what is followed."""
    _load(rows)
    payments.raise_fence(_CONNECTION, counted)
    known = [
        Known(_new(invoice, names[0]), Paid(PREIMAGE, 1) if state == "paid" else Uncertain("pending"))
        for invoice, state in enumerate(backend)
        if state in ("pending", "paid")
    ]
    has_ended: Callable[[str], bool] = lambda owner: owner not in names  # noqa: E731 # it is short
    followed = bring_in(_CONNECTION, known, BACKEND, has_ended, 1)
    after = _rows()
    found = [Taken(after, INVOICES.index(each.payment_hash), each.fence, each.reason) for each in followed]
    return [*found, Taken(after, -1, 0)]


def owner_of(rows: Rows, invoice: int) -> str | None:
    """Return who has the claim for an invoice, whether or not it is open; None if there is no payment for it."""
    columns = [*payments.TABLE.columns]
    for row in rows.payments:
        if row[columns.index("payment_hash")] == INVOICES[invoice]:
            return str(row[columns.index("owner")])
    return None


def forget() -> None:
    """Compute everything anew, because the statements have changed."""
    for function in (claimed, stepped, taken_over, compared):
        function.cache_clear()
