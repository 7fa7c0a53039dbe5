"""A store without a node: open it, add requests, and read it as another process would."""

from __future__ import annotations

from pathlib import Path

from lnoffers.service.status import Status
from lnoffers.service.store import Identity, Store, invoicerequests
from lnoffers.service.store.invoicerequests import StoredRequest

OWNER = Identity("regtest", b"\x02" * 33)
HELD = "another process holds the database; try again"
"""How an error begins when another process holds the lock."""


def row(number: int, status: Status = Status.ACTIVE) -> StoredRequest:
    return StoredRequest(bytes([number] * 32), f"lnr1{number}", None, status)


def add(store: Store, *numbers: int) -> None:
    for number in numbers:
        with store.transaction() as connection:
            invoicerequests.add(connection, row(number))


def stored(path: Path) -> list[int]:
    """Return what another process sees."""
    other = Store.open(None, path, OWNER)
    with other.transaction() as connection:
        found = [request.invreq_id[0] for request in invoicerequests.find(connection)]
    other.close()
    return found


def read(store: Store) -> list[int]:
    with store.transaction(writes=False) as connection:
        return [request.invreq_id[0] for request in invoicerequests.find(connection)]
