"""The tables as they are now. `migrations` says how they came to be; a test holds the two together."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table, Text

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
