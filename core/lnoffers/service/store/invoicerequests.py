"""The stored invoice_requests: functions over a connection in a transaction of the caller's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, insert
from sqlalchemy.exc import IntegrityError

from lnoffers.service.status import Event, Status
from lnoffers.service.store import records
from lnoffers.service.store.schema import INVOICEREQUESTS as TABLE
from lnoffers.service.store.statement import Statement

_ADD: Final = Statement(insert(TABLE))


class DuplicateError(Exception):
    """An invoice_request with this id is stored already."""


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """A row."""

    invreq_id: bytes
    """32 bytes."""
    bolt12: str
    label: str | None
    status: Status


def add(connection: Connection, request: StoredRequest) -> None:
    """Store a new one.

    Raises:
        DuplicateError: if its id is taken.
    """
    try:
        _ADD.run(
            connection,
            invreq_id=request.invreq_id,
            bolt12=request.bolt12,
            label=request.label,
            status=int(request.status),
        )
    except IntegrityError as error:
        raise DuplicateError(request.invreq_id.hex()) from error


def find(
    connection: Connection,
    *,
    invreq_id: bytes | None = None,
    active_only: bool = False,
    after: bytes | None = None,
    limit: int | None = None,
) -> Sequence[StoredRequest]:
    """Return all of them or the one with this id, as `records.find` lists them."""
    return records.find(
        connection, TABLE, _request, identity=invreq_id, active_only=active_only, after=after, limit=limit
    )


def apply(connection: Connection, invreq_id: bytes, event: Event) -> StoredRequest | None:
    """Let `event` happen to the request and return what it has become; None if its state does not allow it."""
    return records.apply(connection, TABLE, _request, invreq_id, event)


def _request(invreq_id: bytes, bolt12: str, label: str | None, status: int) -> StoredRequest:
    return StoredRequest(invreq_id, bolt12, label, Status(status))
