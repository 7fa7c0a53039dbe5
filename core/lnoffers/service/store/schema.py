"""The current tables. `migrations` creates them; a test compares both modules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import UnionType
from typing import Final, get_args


class Table:
    """A table, and the types of the values in its columns. The first column is the primary key."""

    def __init__(self, name: str, columns: Mapping[str, type | UnionType]) -> None:
        self.name = name
        self.columns = {column: get_args(kind) or (kind,) for column, kind in columns.items()}
        self.key = next(iter(columns))
        self.listed = ", ".join(columns)
        self.select = f"SELECT {self.listed} FROM {name}"

    def insert(self, columns: Iterable[str] | None = None) -> str:
        """Return the statement that inserts a row, with values for all columns or only for `columns`."""
        given = tuple(columns or self.columns)
        return f"INSERT INTO {self.name} ({', '.join(given)}) VALUES ({', '.join('?' * len(given))})"


META: Final = Table(
    "meta",
    {
        "node_id": bytes,  # 33 bytes, compressed
        "network": str,
        "version": int,  # the number of migration steps that have been run
    },
)
"""One row: the identity and version of the store."""

INVOICEREQUESTS: Final = Table(
    "invoicerequests",
    {
        "invreq_id": bytes,  # 32 bytes
        "bolt12": str,
        "label": str | None,
        "status": int,  # lnoffers.service.status.Status
        "payee": bytes | None,  # 33 bytes, compressed: the only node whose invoices are paid
    },
)
"""The requests made with invoicerequest; requests for an offer are never stored."""

OFFERS: Final = Table(
    "offers",
    {
        "offer_id": bytes,  # 32 bytes
        "bolt12": str,
        "label": str | None,
        "status": int,  # lnoffers.service.status.Status
        "force_paths": int | bool,  # SQLite returns a number
    },
)
"""The offers made with offer."""

INVOICES: Final = Table(
    "invoices",
    {
        "created_index": int,  # counts up from 1; numbers are never reused
        "updated_index": int,  # in the order of the last changes; 0: none yet
        "label": str,  # the text of a JSON string, as the caller wrote it; unique
        "bolt12": str,
        "description": str | None,  # of the offer or request, as bolt12 says it
        "payer_note": str | None,  # the same
        "payment_hash": bytes,  # 32 bytes; unique
        "payment_preimage": bytes,  # 32 bytes
        "amount_msat": int,
        "status": str,  # lnoffers.service.store.invoices.InvoiceStatus
        "expires_at": int,  # unix seconds
        "local_offer_id": bytes | None,  # 32 bytes
        "pay_index": int | None,  # counts up from 1 in the order of payments
        "amount_received_msat": int | None,
        "paid_at": int | None,  # unix seconds
        "answers_request": int | bool,  # it was sent to a payer, and is removed some time after it expires unpaid
    },
)
"""The invoices made with createinvoice, or as answers to requests of other nodes."""

COUNTERS: Final = Table(
    "counters",
    {
        "name": str,  # updated_index, pay_index: columns of INVOICES; fence: of PAYMENTS
        "last": int,
    },
)
"""The last number that was given out, even if its row has been deleted."""

ADDRESSES: Final = Table(
    "addresses",
    {
        "node_id": bytes,  # 33 bytes, compressed
        "host": str,
        "port": int,  # of TCP
        "last_connected": int,  # unix seconds: when this node last connected to it there
    },
)
"""The addresses at which other nodes were reached."""

PAYMENTS: Final = Table(
    "payments",
    {
        "payment_hash": bytes,  # 32 bytes
        "invreq_id": bytes,  # 32 bytes: of the request that the invoice repeats
        "offer_id": bytes | None,  # 32 bytes: of the offer that it repeats
        "bolt12": str,  # the invoice
        "amount_msat": int,
        "limit_msat": int,  # the most that may be sent, with fees
        "expires_at": int,  # unix seconds: when the invoice expires
        "single_use": int | bool,  # no other invoice for the request may be paid
        "state": str,  # lnoffers.service.payment_states.PaymentState
        "backend": str,  # who was told to pay it: lnoffers.service.payments.backend.Backend.identity
        "owner": str,  # the server that pays it: lnoffers.service.payments.owners
        "fence": int,  # a new number for each claim and each new owner
        "created_index": int,  # the first fence
        "created_at": int,  # unix seconds: when the claim was made
        "completed_at": int | None,  # unix seconds: when it was paid or failed
        "preimage": bytes | None,  # 32 bytes
        "sent_msat": int | None,  # with fees
        "reason": str | None,  # why it has failed
    },
)
"""The invoices that this node pays, or has paid."""

RUNES: Final = Table(
    "runes",
    {
        "unique_id": int,  # counts up from 0; numbers are never reused
        "restrictions": str,  # as the rune contains them, the id included; its code follows from the node's secret
    },
)
"""The runes made with createrune. The store alone lets nobody in: it does not contain their codes."""

RUNE_USES: Final = Table(
    "rune_uses",
    {
        "unique_id": int,  # of RUNES, or of a rune that this store does not have
        "last_used_ns": int,  # unix nanoseconds
    },
)
"""When a rune with this id last permitted a call."""

RUNE_BLACKLIST: Final = Table(
    "rune_blacklist",
    {
        "first_id": int,
        "last_id": int,  # included
    },
)
"""The ids of the runes that permit nothing any more: ranges that neither overlap nor touch."""

TABLES: Final = {
    table.name: table
    for table in (
        META,
        INVOICEREQUESTS,
        OFFERS,
        INVOICES,
        COUNTERS,
        ADDRESSES,
        PAYMENTS,
        RUNES,
        RUNE_USES,
        RUNE_BLACKLIST,
    )
}
