"""How a store comes to have the tables of `schema`, step by step, and the refusal of a store that is not ours to open.

A step is never changed once released: stores out there have carried it out. A new release appends a step.
"""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Index,
    Inspector,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    column,
    insert,
    inspect,
    select,
    table,
    update,
)

from lnoffers.service.errors import StoreError
from lnoffers.service.files import whole_file
from lnoffers.service.store import engine as sqlite
from lnoffers.service.store.schema import META

logger = logging.getLogger(__name__)

NOT_A_STORE: Final = "this database is in use by something else; give the store one of its own"


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose store it is."""

    network: str
    node_id: bytes
    """33 bytes, compressed."""


def _invoicerequests(connection: Connection) -> None:
    tables = MetaData()
    Table(
        "meta",
        tables,
        Column("node_id", LargeBinary, primary_key=True),
        Column("network", Text, nullable=False),
        Column("version", Integer, nullable=False),
    )
    Table(
        "invoicerequests",
        tables,
        Column("invreq_id", LargeBinary, primary_key=True),
        Column("bolt12", Text, nullable=False),
        Column("label", Text),
        Column("status", Integer, nullable=False),
    )
    tables.create_all(connection)


def _offers_and_invoices(connection: Connection) -> None:
    tables = MetaData()
    Table(
        "offers",
        tables,
        Column("offer_id", LargeBinary, primary_key=True),
        Column("bolt12", Text, nullable=False),
        Column("label", Text),
        Column("status", Integer, nullable=False),
        Column("force_paths", Boolean, nullable=False),
    )
    Table(
        "invoices",
        tables,
        Column("created_index", Integer, primary_key=True),
        Column("updated_index", Integer, nullable=False, index=True),
        Column("label", Text, nullable=False, unique=True),
        Column("bolt12", Text, nullable=False),
        Column("description", Text),
        Column("payer_note", Text),
        Column("payment_hash", LargeBinary, nullable=False, unique=True),
        Column("payment_preimage", LargeBinary, nullable=False),
        Column("amount_msat", BigInteger, nullable=False),
        Column("status", Text, nullable=False),
        Column("expires_at", BigInteger, nullable=False),
        Column("local_offer_id", LargeBinary, index=True),
        Column("pay_index", Integer, unique=True),
        Column("amount_received_msat", BigInteger),
        Column("paid_at", BigInteger),
        Index("ix_invoices_status_expires_at", "status", "expires_at"),
        sqlite_autoincrement=True,
    )
    counters = Table(
        "invoice_counters",
        tables,
        Column("name", Text, primary_key=True),
        Column("last", BigInteger, nullable=False),
    )
    tables.create_all(connection)
    connection.execute(insert(counters), [{"name": "updated_index", "last": 0}, {"name": "pay_index", "last": 0}])


STEPS: Final[tuple[Callable[[Connection], None], ...]] = (_invoicerequests, _offers_and_invoices)


def migrate(connection: Connection, identity: Identity, file: Path) -> None:
    """Bring the store in a file up to date, in the caller's exclusive transaction; an empty one becomes `identity`'s.

    A store that is not empty is copied first, to a file beside it.

    Raises:
        StoreError: as `check` does, or if the copy cannot be made; then nothing has changed.
    """
    version = check(connection, identity)
    if 0 < version < len(STEPS):
        kept = _keep(file, version)
        logger.warning("The store is brought from version %d to %d. What it was is in %s", version, len(STEPS), kept)
    for step in STEPS[version:]:
        step(connection)
    if version == 0:
        row = {"node_id": identity.node_id, "network": identity.network, "version": len(STEPS)}
        connection.execute(insert(META).values(row))
    elif version < len(STEPS):
        connection.execute(update(META).values(version=len(STEPS)))


def _keep(file: Path, version: int) -> Path:
    """Copy the store, which nobody else can change meanwhile, to a new file beside it; its path.

    Earlier copies stay: of an upgrade that did not end well, or that was taken back.
    """
    first = file.with_name(f"{file.name}.version-{version}")
    others = (first.with_name(f"{first.name}.{number}") for number in count(2))
    kept = next(path for path in chain([first], others) if not os.path.lexists(path))
    try:
        with whole_file(kept) as made:
            sqlite.copy(file, made)
    except (OSError, sqlite3.Error) as error:
        why = sqlite.reason(error)
        raise StoreError(f"cannot copy the store to {kept}, as every upgrade does first: {why}") from error
    return kept


def check(connection: Connection, identity: Identity) -> int:
    """Return how many steps have been carried out: 0 in an empty database. Only reads.

    Raises:
        StoreError: if it is not a store, another node's or network's, or made by a newer release.
    """
    found = _meta(connection)
    if found is None:
        return 0
    owner, version = found
    if owner != identity:
        raise StoreError(
            f"this store belongs to node {owner.node_id.hex()} on {owner.network}, not to {identity.node_id.hex()} on "
            f"{identity.network}; use the hsm_secret that it was made with, or another directory"
        )
    if version > len(STEPS):
        raise StoreError(f"this store is of version {version}, newer than {len(STEPS)}; use the release that made it")
    return version


def version_of(connection: Connection) -> int:
    """Return how many steps have been carried out, whichever node the store belongs to; only reads.

    Raises:
        StoreError: if it is not a store.
    """
    found = _meta(connection)
    return 0 if found is None else found[1]


def _meta(connection: Connection) -> tuple[Identity, int] | None:
    """Return what the store says of itself, None in an empty database. Its values may be of any type."""
    known = inspect(connection)
    tables = known.get_table_names() + known.get_view_names()
    if not tables:
        return None
    rows = connection.execute(select(_UNTYPED)).all() if META.name in tables and _has_its_columns(known) else []
    match [tuple(row) for row in rows]:
        case [(bytes(node_id), str(network), int(version))] if version > 0:
            return Identity(network, node_id), version
    raise StoreError(NOT_A_STORE)


_UNTYPED: Final = table(META.name, *(column(known.name) for known in META.columns))
"""The table, without conversion of what is in it."""


def _has_its_columns(known: Inspector) -> bool:
    return {str(found["name"]) for found in known.get_columns(META.name)} >= set(META.columns.keys())
