"""Create the tables of `schema` step by step, and refuse stores that cannot be used.

A released step never changes, because existing stores have run it. A new release appends a step.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final

from lnoffers.service.errors import StoreError
from lnoffers.service.store.database import Connection, Database
from lnoffers.service.store.schema import META

logger = logging.getLogger(__name__)

NOT_A_STORE: Final = "this database is in use by something else; give the store one of its own"


@dataclass(frozen=True, slots=True)
class Identity:
    """The network and the node that a store belongs to."""

    network: str
    node_id: bytes
    """33 bytes, compressed."""


_INVOICEREQUESTS: Final = (
    """
    CREATE TABLE meta (
        node_id {bytes} NOT NULL,
        network TEXT NOT NULL,
        version INTEGER NOT NULL,
        PRIMARY KEY (node_id)
    )
    """,
    """
    CREATE TABLE invoicerequests (
        invreq_id {bytes} NOT NULL,
        bolt12 TEXT NOT NULL,
        label TEXT,
        status INTEGER NOT NULL,
        PRIMARY KEY (invreq_id)
    )
    """,
)

_OFFERS_AND_INVOICES: Final = (
    """
    CREATE TABLE offers (
        offer_id {bytes} NOT NULL,
        bolt12 TEXT NOT NULL,
        label TEXT,
        status INTEGER NOT NULL,
        force_paths BOOLEAN NOT NULL,
        PRIMARY KEY (offer_id)
    )
    """,
    """
    CREATE TABLE invoices (
        created_index {numbered},
        updated_index INTEGER NOT NULL,
        label TEXT NOT NULL,
        bolt12 TEXT NOT NULL,
        description TEXT,
        payer_note TEXT,
        payment_hash {bytes} NOT NULL,
        payment_preimage {bytes} NOT NULL,
        amount_msat BIGINT NOT NULL,
        status TEXT NOT NULL,
        expires_at BIGINT NOT NULL,
        local_offer_id {bytes},
        pay_index INTEGER,
        amount_received_msat BIGINT,
        paid_at BIGINT,
        UNIQUE (label),
        UNIQUE (payment_hash),
        UNIQUE (pay_index)
    )
    """,
    "CREATE INDEX ix_invoices_local_offer_id ON invoices (local_offer_id)",
    "CREATE INDEX ix_invoices_status_expires_at ON invoices (status, expires_at)",
    "CREATE INDEX ix_invoices_updated_index ON invoices (updated_index)",
    "CREATE TABLE invoice_counters (name TEXT NOT NULL, last BIGINT NOT NULL, PRIMARY KEY (name))",
    "INSERT INTO invoice_counters (name, last) VALUES ('updated_index', 0), ('pay_index', 0)",
)

_WIRE: Final = (
    "ALTER TABLE invoices ADD COLUMN answers_request BOOLEAN NOT NULL DEFAULT FALSE",
    # The answers that nobody has paid, in the order of their removal. They are counted before each new one, and with
    # all three columns that takes a tenth of the time, because no row is read. The condition is one that no other
    # index could serve: with "pay_index IS NULL", SQLite prefers the unique index of that column, and reads each row.
    """
    CREATE INDEX ix_invoices_unpaid_answers ON invoices (expires_at, answers_request, status)
    WHERE answers_request AND status <> 'paid'
    """,
    """
    CREATE TABLE addresses (
        node_id {bytes} NOT NULL,
        host TEXT NOT NULL,
        port INTEGER NOT NULL,
        last_connected BIGINT NOT NULL,
        PRIMARY KEY (node_id)
    )
    """,
)

_MONEY: Final = (
    "ALTER TABLE invoice_counters RENAME TO counters",
    "INSERT INTO counters (name, last) VALUES ('fence', 0)",
    "ALTER TABLE invoicerequests ADD COLUMN payee {bytes}",
    """
    CREATE TABLE payments (
        payment_hash {bytes} NOT NULL,
        invreq_id {bytes} NOT NULL,
        offer_id {bytes},
        bolt12 TEXT NOT NULL,
        amount_msat BIGINT NOT NULL,
        limit_msat BIGINT NOT NULL,
        expires_at BIGINT NOT NULL,
        single_use BOOLEAN NOT NULL,
        state TEXT NOT NULL,
        backend TEXT NOT NULL,
        owner TEXT NOT NULL,
        fence BIGINT NOT NULL,
        created_index BIGINT NOT NULL,
        created_at BIGINT NOT NULL,
        completed_at BIGINT,
        preimage {bytes},
        sent_msat BIGINT,
        reason TEXT,
        PRIMARY KEY (payment_hash)
    )
    """,
    # Whatever else goes wrong, the database never holds two payments for one request of a single use.
    "CREATE UNIQUE INDEX ix_payments_single_use ON payments (invreq_id) WHERE single_use AND state <> 'failed'",
    "CREATE INDEX ix_payments_invreq_id ON payments (invreq_id, created_at)",
    "CREATE INDEX ix_payments_offer_id ON payments (offer_id, created_index)",
    "CREATE UNIQUE INDEX ix_payments_created_index ON payments (created_index)",
    "CREATE INDEX ix_payments_open ON payments (invreq_id, fence) WHERE state IN ('claimed', 'paying', 'unknown')",
    "CREATE INDEX ix_payments_completed_at ON payments (completed_at, amount_msat) WHERE state = 'paid'",
)

_RUNES: Final = (
    "CREATE TABLE runes (unique_id BIGINT NOT NULL, restrictions TEXT NOT NULL, PRIMARY KEY (unique_id))",
    "CREATE TABLE rune_uses (unique_id BIGINT NOT NULL, last_used_ns BIGINT NOT NULL, PRIMARY KEY (unique_id))",
    "CREATE TABLE rune_blacklist (first_id BIGINT NOT NULL, last_id BIGINT NOT NULL, PRIMARY KEY (first_id))",
)

STEPS: Final[tuple[tuple[str, ...], ...]] = (_INVOICEREQUESTS, _OFFERS_AND_INVOICES, _WIRE, _MONEY, _RUNES)
"""The statements of each step; names in braces are those of `Database.types`."""


def migrate(connection: Connection, identity: Identity, database: Database) -> None:
    """Upgrade a store to the current version, in the caller's transaction; an empty store will belong to `identity`.

    A store that is not empty is copied first.

    Raises:
        StoreError: as `check` does, or if the copy cannot be made. In both cases nothing has changed.
    """
    version = check(connection, identity)
    if version == len(STEPS):
        return
    if version > 0:
        kept = database.keep_copy(version)
        logger.warning("The store is brought from version %d to %d. What it was is in %s", version, len(STEPS), kept)
    for step in STEPS[version:]:
        for statement in step:
            connection.execute(statement.format_map(database.types))
    if version == 0:
        connection.execute(META.insert(), (identity.node_id, identity.network, len(STEPS)))
    else:
        connection.execute("UPDATE meta SET version = ?", (len(STEPS),))


def check(connection: Connection, identity: Identity) -> int:
    """Return the number of steps that have been run: 0 in an empty database. Only reads.

    Raises:
        StoreError: if it is not a store, belongs to another node or network, or was made by a newer release.
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
    """Return the number of steps that have been run, whoever the store belongs to. Only reads.

    Raises:
        StoreError: if it is not a store.
    """
    found = _meta(connection)
    return 0 if found is None else found[1]


def _meta(connection: Connection) -> tuple[Identity, int] | None:
    """Return the identity and version of a store; None for an empty database."""
    tables = connection.tables()
    if not tables:
        return None
    is_whole = META.name in tables and {*connection.columns(META.name)} >= META.columns.keys()
    match connection.execute(META.select).fetchall() if is_whole else []:
        case [(bytes(node_id), str(network), int(version))] if version > 0:
            return Identity(network, node_id), version
    raise StoreError(NOT_A_STORE)
