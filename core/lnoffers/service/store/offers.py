"""Store offers, list them, and change their states. The caller begins and ends the transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lnoffers.bolt12 import Offer
from lnoffers.service.status import Status
from lnoffers.service.store.database import Connection
from lnoffers.service.store.records import Records
from lnoffers.service.store.schema import OFFERS as TABLE

_ADD: Final = f"{TABLE.insert()} ON CONFLICT (offer_id) DO NOTHING"


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
    """Read from the string; not a column."""


def add(connection: Connection, offer: StoredOffer) -> StoredOffer | None:
    """Store a new offer, and return None; if one with its id is stored already, return that one, unchanged.

    One statement decides, so if several processes try at once, exactly one stores the offer.
    """
    values = (offer.offer_id, offer.bolt12, offer.label, offer.status.value, offer.force_paths)
    if connection.execute(_ADD, values).rowcount:
        return None
    [earlier] = find(connection, offer.offer_id)
    return earlier


def _offer(offer_id: bytes, bolt12: str, label: str | None, status: int, force_paths: int) -> StoredOffer:
    description = Offer.parse(bolt12).offer_description
    return StoredOffer(offer_id, bolt12, label, Status(status), bool(force_paths), description)


_RECORDS: Final = Records(TABLE, _offer)
find = _RECORDS.find
apply = _RECORDS.apply
change = _RECORDS.change
status_of = _RECORDS.status_of


def state_of(connection: Connection, offer_id: bytes) -> tuple[Status, bool] | None:
    """Return the state of the offer with this id, and its force_paths; None if there is none. Nothing else is read."""
    row = connection.execute("SELECT status, force_paths FROM offers WHERE offer_id = ?", (offer_id,)).fetchone()
    return None if row is None else (Status(row[0]), bool(row[1]))
