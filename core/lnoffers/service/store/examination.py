"""Examine a store: the structure of its database, its row of metadata, and each record. Changes nothing.

A server may use the store meanwhile, and is not delayed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeVar

from clnrpc.runtime.values.written import Written
from lnoffers import bolt11
from lnoffers.bolt12 import CHAINS, Bolt12Error, Invoice, InvoiceRequest, Offer
from lnoffers.service.errors import ServiceError, StoreError
from lnoffers.service.payment_states import OPEN, PaymentState
from lnoffers.service.status import TRANSITIONS, Status
from lnoffers.service.store import addresses, runes
from lnoffers.service.store.database import Connection, FailureKind
from lnoffers.service.store.migrations import NOT_A_STORE, STEPS
from lnoffers.service.store.rows import name_of, wrong_values
from lnoffers.service.store.schema import (
    ADDRESSES,
    INVOICEREQUESTS,
    INVOICES,
    META,
    OFFERS,
    PAYMENTS,
    RUNE_BLACKLIST,
    RUNE_USES,
    RUNES,
    TABLES,
    Table,
)
from lnoffers.service.store.sqlite import SqliteDatabase, explain, store_file
from lnoffers.service.store.store import NO_STORE, naming, read_only

Record = Mapping[str, Any]
Message = TypeVar("Message", Offer, InvoiceRequest, Invoice)

_STATES: Final = frozenset(int(state) for moves in TRANSITIONS.values() for move in moves.items() for state in move)


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of examining one part of a store."""

    faults: Sequence[str]
    """A sentence for each fault; usually none."""
    is_record: bool = True
    """Whether the part is a record."""


def examine(db: str | None, default: Path, network: str) -> Iterator[Finding]:
    """Examine the store of a network at the URL `db`, or else in the file `default`.

    Raises:
        OptionsError: if `db` is not usable.
        StoreError: if there is no store, or it cannot be opened.
    """
    file = store_file(db, default)
    with naming(file):
        yield from _as_far_as_readable("the database", _findings(file, network))


def _findings(file: Path, network: str) -> Iterator[Finding]:
    with read_only(file) as connection:
        yield from _as_far_as_readable("its structure", _structure(connection))
        present = _whole_tables(connection)
        yield from _as_far_as_readable(META.name, _owner(connection, network, present))
        for known, faults in _FAULTS.items():
            if known.name in present:
                yield from _as_far_as_readable(known.name, _records(connection, known, faults, CHAINS[network]))
        if present >= {OFFERS.name, INVOICES.name}:
            yield from _as_far_as_readable(INVOICES.name, _without_offer(connection))
        if present >= {INVOICEREQUESTS.name, PAYMENTS.name}:
            yield from _as_far_as_readable(INVOICEREQUESTS.name, _without_payment(connection))


def _as_far_as_readable(what: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """Yield the findings; if damage prevents reading the rest, yield a finding that says so."""
    try:
        yield from findings
    except SqliteDatabase.errors as error:
        reason, kind = explain(error)
        if kind is FailureKind.NO_DATABASE:
            raise
        yield Finding([f"{what}: not all of it can be read: {reason}"], is_record=False)


def _structure(connection: Connection) -> Iterator[Finding]:
    yield Finding([f"the database: {damage}" for damage in connection.damages()], is_record=False)


def _whole_tables(connection: Connection) -> Set[str]:
    """Return the names of the schema's tables that exist with all columns. Raises StoreError if it is no store."""
    present = set(connection.tables())
    if not present >= {META.name, INVOICEREQUESTS.name}:
        raise StoreError(NOT_A_STORE if present else NO_STORE)
    return {name for name in TABLES.keys() & present if {*connection.columns(name)} >= TABLES[name].columns.keys()}


def _owner(connection: Connection, network: str, present: Set[str]) -> Iterator[Finding]:
    """Check that the metadata has this version and network, and that the tables of this version exist."""
    rows = connection.execute(META.select).fetchall()
    if len(rows) != 1:
        yield Finding([f"{META.name}: there are {len(rows)} rows where there should be one"], is_record=False)
        return
    faults = wrong_values(META, rows[0])
    if not faults:
        _, of, version = rows[0]
        if of != network:
            faults.append(f"the store is of the network {of}, not {network}")
        if version != len(STEPS):
            faults.append(f"the store is of version {version}; this release uses version {len(STEPS)}")
        else:
            missing = sorted(TABLES.keys() - present)
            faults += [f"the table {name} is missing, or some of its columns are" for name in missing]
    yield Finding([f"{META.name}: {fault}" for fault in faults], is_record=False)


def _records(
    connection: Connection, known: Table, faults: Callable[[Record, bytes], Iterator[str]], chain: bytes
) -> Iterator[Finding]:
    for row in connection.execute(f"{known.select} ORDER BY {known.key}"):
        found = wrong_values(known, row)
        if not found:
            try:
                found.extend(faults(dict(zip(known.columns, row, strict=True)), chain))
            except _UnparsableError as error:
                found.append(str(error))
        yield Finding([f"{name_of(known, row)}: {fault}" for fault in found])


class _UnparsableError(ServiceError):
    """A record cannot be parsed, so nothing else in it can be examined."""


def _read(kind: type[Message], row: Record, chain: bytes) -> Message:
    try:
        return kind.parse(row["bolt12"], chain=chain)
    except Bolt12Error as error:
        raise _UnparsableError(f"its string cannot be read: {error}") from error


def _faults_of_request(row: Record, chain: bytes) -> Iterator[str]:
    if row["status"] not in _STATES:
        yield f"there is no status {row['status']!r}"
    request = _read(InvoiceRequest, row, chain)
    if request.invreq_id != row["invreq_id"]:
        yield f"its string has the id {request.invreq_id.hex()}"
    if request.signed and not request.has_valid_signature():
        yield "its signature is not valid"


def _faults_of_offer(row: Record, chain: bytes) -> Iterator[str]:
    if row["status"] not in _STATES:
        yield f"there is no status {row['status']!r}"
    if row["force_paths"] not in (0, 1):
        yield f"force_paths is {row['force_paths']!r}"
    offer = _read(Offer, row, chain)
    if offer.offer_id != row["offer_id"]:
        yield f"its string has the id {offer.offer_id.hex()}"


def _faults_of_invoice(row: Record, chain: bytes) -> Iterator[str]:
    try:
        Written.read(row["label"])
    except ValueError:
        yield "its label is not the text of a JSON string"
    if row["status"] not in {"unpaid", "paid", "expired"}:
        yield f"there is no status {row['status']!r}"
    if row["answers_request"] not in (0, 1):
        yield f"answers_request is {row['answers_request']!r}"
    present = [row[name] is not None for name in ("pay_index", "amount_received_msat", "paid_at")]
    if present != [row["status"] == "paid"] * 3:
        yield f"it is {row['status']}, which does not go with what is stored of its payment"
    preimage = row["payment_preimage"]
    if sha256(preimage).digest() != row["payment_hash"]:
        yield "its preimage is not that of its payment hash"
    payment_hash, amount, is_valid = _read_invoice(row, chain)
    if payment_hash != row["payment_hash"]:
        yield "its string has another payment hash"
    if amount != row["amount_msat"]:
        yield f"its string is about {amount} msat, not {row['amount_msat']}"
    if not is_valid:
        yield "its signature is not valid"


def _read_invoice(row: Record, chain: bytes) -> tuple[bytes | None, int | None, bool]:
    """Return the payment hash and the amount of an invoice, and whether its signature is valid."""
    if not bolt11.has_prefix(row["bolt12"]):
        invoice = _read(Invoice, row, chain)
        return invoice.invoice_payment_hash, invoice.invoice_amount, invoice.has_valid_signature()
    try:
        made_by_standin = bolt11.Invoice.parse(row["bolt12"])
    except bolt11.Bolt11Error as error:
        raise _UnparsableError(f"its string cannot be read: {error}") from error
    return made_by_standin.payment_hash, made_by_standin.amount_msat or 0, True


def _faults_of_address(row: Record, _: bytes) -> Iterator[str]:
    if fault := addresses.fault_of(row["node_id"], row["host"], row["port"]):
        yield fault


def _faults_of_payment(row: Record, chain: bytes) -> Iterator[str]:
    if row["state"] not in set(PaymentState):
        yield f"there is no state {row['state']!r}"
    if row["single_use"] not in (0, 1):
        yield f"single_use is {row['single_use']!r}"
    if (row["completed_at"] is None) != (row["state"] in OPEN):
        yield f"it is {row['state']}, which does not go with its time of completion"
    if [row[name] is not None for name in ("preimage", "sent_msat")] != [row["state"] == PaymentState.PAID] * 2:
        yield f"it is {row['state']}, which does not go with what is stored of its payment"
    preimage = row["preimage"]
    if preimage is not None and sha256(preimage).digest() != row["payment_hash"]:
        yield "its preimage is not that of its payment hash"
    invoice = _read(Invoice, row, chain)
    if invoice.invoice_payment_hash != row["payment_hash"]:
        yield "its string has another payment hash"
    if invoice.invreq_id != row["invreq_id"]:
        yield f"its string answers the request {invoice.invreq_id.hex()}"
    if not invoice.has_valid_signature():
        yield "its signature is not valid"


def _faults_of_rune(row: Record, _: bytes) -> Iterator[str]:
    if fault := runes.fault_of(row["unique_id"], row["restrictions"]):
        yield fault


def _faults_of_use(row: Record, _: bytes) -> Iterator[str]:
    if row["unique_id"] < 0:
        yield "no rune has such an id"
    if row["last_used_ns"] < 0:
        yield f"last_used_ns is {row['last_used_ns']}"


def _faults_of_range(row: Record, _: bytes) -> Iterator[str]:
    if not 0 <= row["first_id"] <= row["last_id"]:
        yield f"its ids, {row['first_id']} to {row['last_id']}, are no range"


def _without_offer(connection: Connection) -> Iterator[Finding]:
    missing = connection.execute("""
        SELECT created_index FROM invoices WHERE local_offer_id IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM offers WHERE offer_id = local_offer_id
        ) ORDER BY created_index
    """)
    for (created_index,) in missing:
        yield Finding([f"{INVOICES.name} {created_index}: the offer that it is for is not stored"], is_record=False)


def _without_payment(connection: Connection) -> Iterator[Finding]:
    """Yield the requests of a single use whose state does not go with their payments."""
    rows = connection.execute(f"""
        SELECT invreq_id, status & {Status.CLAIMED:d}, status & {Status.USED:d}, (
            SELECT COUNT(*) FROM payments WHERE payments.invreq_id = invoicerequests.invreq_id
            AND single_use AND state IN ('claimed', 'paying', 'unknown')
        ) AS open FROM invoicerequests
        WHERE typeof(status) = 'integer' AND status & {Status.SINGLE_USE:d} ORDER BY invreq_id
    """)
    for invreq_id, is_claimed, is_used, claims in rows:
        if bool(is_claimed) != bool(claims) and not is_used:
            told = "claimed, and no payment is open" if is_claimed else "not claimed, and a payment is open"
            yield Finding([f"{name_of(INVOICEREQUESTS, [invreq_id])}: it is {told}"], is_record=False)


_FAULTS: Final[Mapping[Table, Callable[[Record, bytes], Iterator[str]]]] = {
    INVOICEREQUESTS: _faults_of_request,
    OFFERS: _faults_of_offer,
    INVOICES: _faults_of_invoice,
    ADDRESSES: _faults_of_address,
    PAYMENTS: _faults_of_payment,
    RUNES: _faults_of_rune,
    RUNE_USES: _faults_of_use,
    RUNE_BLACKLIST: _faults_of_range,
}
"""The tables with records, and the functions that yield the faults of a record."""
