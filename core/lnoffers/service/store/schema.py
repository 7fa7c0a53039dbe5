"""The tables as they are now. `migrations` says how they came to be; a test holds the two together."""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, Table, Text

METADATA: Final = MetaData()

META: Final = Table(
    "meta",
    METADATA,
    Column("node_id", LargeBinary, primary_key=True),  # 33 bytes, compressed
    Column("network", Text, nullable=False),
    Column("version", Integer, nullable=False),  # how many migrations have been carried out
)
"""One row: whose store this is and how far it has been migrated."""

INVOICEREQUESTS: Final = Table(
    "invoicerequests",
    METADATA,
    Column("invreq_id", LargeBinary, primary_key=True),  # 32 bytes
    Column("bolt12", Text, nullable=False),
    Column("label", Text),
    Column("status", Integer, nullable=False),  # lnoffers.service.status.Status
)
"""The requests made with invoicerequest; those that answer an offer are never stored."""

OFFERS: Final = Table(
    "offers",
    METADATA,
    Column("offer_id", LargeBinary, primary_key=True),  # 32 bytes
    Column("bolt12", Text, nullable=False),
    Column("label", Text),
    Column("status", Integer, nullable=False),  # lnoffers.service.status.Status
    Column("force_paths", Boolean, nullable=False),
)
"""The offers made with offer."""

INVOICES: Final = Table(
    "invoices",
    METADATA,
    Column("created_index", Integer, primary_key=True),  # counts up from 1, and no number is ever given twice
    Column("updated_index", Integer, nullable=False, index=True),  # in the order of the last changes; 0: none yet
    Column("label", Text, nullable=False, unique=True),  # as it is written in JSON, escapes and all
    Column("bolt12", Text, nullable=False),
    Column("description", Text),  # of the offer or request, as bolt12 says it
    Column("payer_note", Text),  # the same
    Column("payment_hash", LargeBinary, nullable=False, unique=True),  # 32 bytes
    Column("payment_preimage", LargeBinary, nullable=False),  # 32 bytes
    Column("amount_msat", BigInteger, nullable=False),
    Column("status", Text, nullable=False),  # lnoffers.service.store.invoices.InvoiceStatus
    Column("expires_at", BigInteger, nullable=False),  # unix seconds
    Column("local_offer_id", LargeBinary, index=True),  # 32 bytes
    Column("pay_index", Integer, unique=True),  # counts up from 1 in the order of payments
    Column("amount_received_msat", BigInteger),
    Column("paid_at", BigInteger),  # unix seconds
    Index("ix_invoices_status_expires_at", "status", "expires_at"),
    sqlite_autoincrement=True,
)
"""The invoices made with createinvoice."""

INVOICE_COUNTERS: Final = Table(
    "invoice_counters",
    METADATA,
    Column("name", Text, primary_key=True),  # the column of INVOICES that it counts for
    Column("last", BigInteger, nullable=False),
)
"""The last updated_index and pay_index that were given, whether or not their invoices are still there."""
