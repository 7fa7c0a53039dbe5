"""The stored offers: functions over a connection in a transaction of the caller's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, exists, insert, literal, select

from lnoffers.bolt12 import Offer
from lnoffers.service.status import Event, Status
from lnoffers.service.store import records
from lnoffers.service.store.schema import OFFERS as TABLE


@dataclass(frozen=True, slots=True)
class StoredOffer:
    """A row."""

    offer_id: bytes
    """32 bytes."""
    bolt12: str
    label: str | None
    status: Status
    force_paths: bool
    description: str | None
    """As the string says it; no column."""


def add(connection: Connection, offer: StoredOffer) -> StoredOffer | None:
    """Store a new one, or else return the one that has its id, which stays as it is.

    One statement decides, so of several processes exactly one makes the offer.
    """
    row = {
        "offer_id": offer.offer_id,
        "bolt12": offer.bolt12,
        "label": offer.label,
        "status": int(offer.status),
        "force_paths": offer.force_paths,
    }
    values = select(*(literal(value, TABLE.c[name].type) for name, value in row.items()))
    unless_there = values.where(~exists().where(TABLE.c.offer_id == offer.offer_id))
    if connection.execute(insert(TABLE).from_select(list(row), unless_there)).rowcount:
        return None
    [earlier] = find(connection, offer_id=offer.offer_id)
    return earlier


def find(
    connection: Connection,
    *,
    offer_id: bytes | None = None,
    active_only: bool = False,
    after: bytes | None = None,
    limit: int | None = None,
) -> Sequence[StoredOffer]:
    """Return all of them or the one with this id, as `records.find` lists them."""
    return records.find(connection, TABLE, _offer, identity=offer_id, active_only=active_only, after=after, limit=limit)


def apply(connection: Connection, offer_id: bytes, event: Event) -> StoredOffer | None:
    """Let `event` happen to the offer and return what it has become; None if its state does not allow it."""
    return records.apply(connection, TABLE, _offer, offer_id, event)


def _offer(offer_id: bytes, bolt12: str, label: str | None, status: int, force_paths: int) -> StoredOffer:
    description = Offer.parse(bolt12).offer_description
    return StoredOffer(offer_id, bolt12, label, Status(status), bool(force_paths), description)
