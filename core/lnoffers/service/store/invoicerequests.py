"""Store invoice_requests, list them, and change their states. The caller begins and ends the transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lnoffers.service.errors import ServiceError
from lnoffers.service.status import Status, StatusChange
from lnoffers.service.store.database import Connection
from lnoffers.service.store.records import Records
from lnoffers.service.store.schema import INVOICEREQUESTS as TABLE

_ADD: Final = f"{TABLE.insert()} ON CONFLICT (invreq_id) DO NOTHING"


class DuplicateError(ServiceError):
    """An invoice_request with this id is stored already."""


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """A row."""

    invreq_id: bytes
    """32 bytes."""
    bolt12: str
    label: str | None
    status: Status
    payee: bytes | None = None
    """33 bytes, compressed: the only node whose invoices are paid."""


def add(connection: Connection, request: StoredRequest) -> None:
    """Store a new request.

    Raises:
        DuplicateError: if one with its id is stored already.
    """
    values = (request.invreq_id, request.bolt12, request.label, request.status.value, request.payee)
    if not connection.execute(_ADD, values).rowcount:
        raise DuplicateError(request.invreq_id.hex())


def _request(invreq_id: bytes, bolt12: str, label: str | None, status: int, payee: bytes | None) -> StoredRequest:
    return StoredRequest(invreq_id, bolt12, label, Status(status), payee)


_RECORDS: Final = Records(TABLE, _request)
find = _RECORDS.find
apply = _RECORDS.apply
change = _RECORDS.change
status_of = _RECORDS.status_of


def terms_of(connection: Connection, invreq_id: bytes) -> tuple[Status, bytes | None] | None:
    """Return the state of a request, and the payee if it names one; None if there is no such request.

    These are what an invoice for it does not repeat.
    """
    query = f"SELECT status, payee FROM {TABLE.name} WHERE invreq_id = ?"
    found = connection.execute(query, (invreq_id,)).fetchone()
    return None if found is None else (Status(found[0]), found[1])


def use(connection: Connection, invreq_id: bytes) -> None:
    """Mark a request as used, because an invoice for it was paid; without effect if it is used."""
    change(connection, invreq_id, StatusChange.PAID)
