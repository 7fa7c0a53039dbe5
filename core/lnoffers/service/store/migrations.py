"""How a store comes to have the tables of `schema`, step by step, and the refusal of a store that is not ours to open.

A step is never changed once released: stores out there have carried it out. A new release appends a step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Column, Connection, Integer, LargeBinary, MetaData, Table, Text, insert, inspect, select, update

from lnoffers.service.errors import StoreError
from lnoffers.service.store.schema import META


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


STEPS: Final[tuple[Callable[[Connection], None], ...]] = (_invoicerequests,)


def migrate(connection: Connection, identity: Identity) -> None:
    """Bring the store up to date, in the caller's exclusive transaction; an empty database becomes `identity`'s store.

    Raises:
        StoreError: if it is not a store, another node's or network's, or made by a newer release.
    """
    version = _version(connection, identity)
    for step in STEPS[version:]:
        step(connection)
    if version == 0:
        row = {"node_id": identity.node_id, "network": identity.network, "version": len(STEPS)}
        connection.execute(insert(META).values(row))
    elif version < len(STEPS):
        connection.execute(update(META).values(version=len(STEPS)))


def _version(connection: Connection, identity: Identity) -> int:
    tables = inspect(connection).get_table_names()
    if not tables:
        return 0
    if META.name not in tables:
        raise StoreError("this database is in use by something else; give the store one of its own")
    node_id, network, version = connection.execute(select(META.c.node_id, META.c.network, META.c.version)).one()
    if (network, node_id) != (identity.network, identity.node_id):
        raise StoreError(
            f"this store belongs to node {node_id.hex()} on {network}, not to {identity.node_id.hex()} on "
            f"{identity.network}; use the hsm_secret that it was made with, or another directory"
        )
    if version > len(STEPS):
        raise StoreError(f"this store is of version {version}, newer than {len(STEPS)}; use the release that made it")
    return int(version)
