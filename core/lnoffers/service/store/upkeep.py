"""Looking after a store from outside, whether or not a server uses it: a copy of it, and whether it is sound.

Nothing here changes the store, and nobody has to wait meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Table, column, inspect, select, table

from lnoffers.bolt12 import CHAINS, Bolt12Error, Invoice, InvoiceRequest, Offer
from lnoffers.service.errors import HOW_TO_MAKE, StoreError
from lnoffers.service.files import whole_file
from lnoffers.service.status import TRANSITIONS
from lnoffers.service.store import engine as sqlite
from lnoffers.service.store.migrations import version_of
from lnoffers.service.store.schema import INVOICEREQUESTS, INVOICES, META, OFFERS
from lnoffers.service.store.store import naming

Row = Mapping[str, Any]
Message = TypeVar("Message", Offer, InvoiceRequest, Invoice)

_NO_STORE: Final = f"there is no store here. {HOW_TO_MAKE}"
_STATES: Final = frozenset(int(state) for moves in TRANSITIONS.values() for move in moves.items() for state in move)
_ROWS_AT_ONCE: Final = 1000


def back_up(db: str | None, default: Path, target: Path) -> None:
    """Copy the store that the URL `db` names, or the file `default`, as it is at this moment, to a new file.

    Raises:
        OptionsError: if `db` is not usable.
        StoreError: if there is no store, or the copy cannot be made; then there is no file.
    """
    file = sqlite.store_file(db, default)
    with _reading(file):
        pass  # what is no store is not worth a copy
    try:
        with whole_file(target) as made, naming(target):
            sqlite.copy(file, made)
            with _reading(made) as connection:
                if found := sqlite.damages(connection):
                    raise StoreError(f"the copy is damaged, as the store may be ({found[0]}): see lnoffers check-store")
    except FileExistsError as error:
        raise StoreError(f"{target} exists: choose another name, or move it away") from error
    except OSError as error:
        raise StoreError(f"cannot make {target}: {error.strerror}") from error


def examine(db: str | None, default: Path) -> Iterator[list[str]]:
    """What is wrong with the store, sentences about the database first and then about each record; most are empty.

    Raises:
        OptionsError: if `db` is not usable.
        StoreError: if there is no store, or it cannot be read.
    """
    file = sqlite.store_file(db, default)
    with _reading(file) as connection:
        yield sqlite.damages(connection)
        chain = CHAINS[connection.execute(select(META.c.network)).scalar_one()]
        present = inspect(connection).get_table_names()
        for known, faults in _FAULTS.items():
            if known.name in present:
                yield from _faults_in(connection, known, faults, chain)
        if OFFERS.name in present and INVOICES.name in present:
            yield from _without_offer(connection)


@contextmanager
def _reading(file: Path) -> Iterator[Connection]:
    """A transaction that only reads, of a store that is one."""
    with naming(file):
        engine = sqlite.existing(file) if file.parent.is_dir() else None
        if engine is None:
            raise StoreError(_NO_STORE)
        with engine.connect() as connection, sqlite.transaction(connection):
            if version_of(connection) == 0:
                raise StoreError(_NO_STORE)
            yield connection


class _UnreadableError(ValueError):
    """A record says nothing that could be looked into further."""


def _faults_in(
    connection: Connection, known: Table, faults: Callable[[Row, bytes], Iterator[str]], chain: bytes
) -> Iterator[list[str]]:
    [key] = known.primary_key
    # Without conversions: in a damaged store anything may stand anywhere.
    plain = table(known.name, *(column(each.name) for each in known.columns))
    for row in connection.execute(select(plain).order_by(key.name).execution_options(yield_per=_ROWS_AT_ONCE)):
        found: list[str] = []
        try:
            found.extend(f"{_name(known, row)}: {fault}" for fault in faults(row._asdict(), chain))
        except _UnreadableError as error:
            found.append(f"{_name(known, row)}: {error}")
        yield found


def _name(known: Table, row: Any) -> str:
    key = row[0]
    return f"{known.name} {key.hex() if isinstance(key, bytes) else key}"


def _read(kind: type[Message], row: Row, chain: bytes) -> Message:
    try:
        return kind.parse(row["bolt12"], chain=chain)
    except (Bolt12Error, TypeError, AttributeError) as error:
        raise _UnreadableError(f"its string cannot be read: {error}") from error


def _faults_of_request(row: Row, chain: bytes) -> Iterator[str]:
    if row["status"] not in _STATES:
        yield f"there is no status {row['status']!r}"
    request = _read(InvoiceRequest, row, chain)
    if request.invreq_id != row["invreq_id"]:
        yield f"its string has the id {request.invreq_id.hex()}"
    if request.signed and not request.has_valid_signature():
        yield "its signature is not valid"


def _faults_of_offer(row: Row, chain: bytes) -> Iterator[str]:
    if row["status"] not in _STATES:
        yield f"there is no status {row['status']!r}"
    if row["force_paths"] not in (0, 1):
        yield f"force_paths is {row['force_paths']!r}"
    offer = _read(Offer, row, chain)
    if offer.offer_id != row["offer_id"]:
        yield f"its string has the id {offer.offer_id.hex()}"


def _faults_of_invoice(row: Row, chain: bytes) -> Iterator[str]:
    if row["status"] not in {"unpaid", "paid", "expired"}:
        yield f"there is no status {row['status']!r}"
    told = [row[name] is not None for name in ("pay_index", "amount_received_msat", "paid_at")]
    if told != [row["status"] == "paid"] * 3:
        yield f"it is {row['status']}, which does not go with what is stored of its payment"
    preimage = row["payment_preimage"]
    if not isinstance(preimage, bytes) or sha256(preimage).digest() != row["payment_hash"]:
        yield "its preimage is not that of its payment hash"
    invoice = _read(Invoice, row, chain)
    if invoice.invoice_payment_hash != row["payment_hash"]:
        yield "its string has another payment hash"
    if invoice.invoice_amount != row["amount_msat"]:
        yield f"its string is about {invoice.invoice_amount} msat, not {row['amount_msat']}"
    if not invoice.has_valid_signature():
        yield "its signature is not valid"


def _without_offer(connection: Connection) -> Iterator[list[str]]:
    missing = (
        select(INVOICES.c.created_index)
        .outerjoin(OFFERS, OFFERS.c.offer_id == INVOICES.c.local_offer_id)
        .where(INVOICES.c.local_offer_id.is_not(None), OFFERS.c.offer_id.is_(None))
        .order_by(INVOICES.c.created_index)
    )
    for row in connection.execute(missing):
        yield [f"{INVOICES.name} {row.created_index}: the offer that it is for is not stored"]


_FAULTS: Final[Mapping[Table, Callable[[Row, bytes], Iterator[str]]]] = {
    INVOICEREQUESTS: _faults_of_request,
    OFFERS: _faults_of_offer,
    INVOICES: _faults_of_invoice,
}
"""The tables with records, and what looks at each of theirs."""
