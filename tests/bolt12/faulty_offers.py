"""For each rule of offers, one that breaks it and no other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lnoffers.bolt12 import Offer, Recurrence, RecurrenceBase, RecurrencePaywindow
from lnoffers.bolt12.tlv import Record

from .faults import Fault
from .samples import EMPTY_PATH, OTHER_SIGNER, PATH

MONTHLY = Recurrence(2, 1)
ISSUER = OTHER_SIGNER.public_key


def plain(extra: tuple[int, bytes] | None = None, **values: Any) -> bytes:
    """Return an offer of any amount, as a stream, and a record of another type."""
    others = [] if extra is None else [Record.build(*extra)]
    return Offer._build(others, **({"offer_issuer_id": ISSUER} | values)).to_bytes()


def priced(**values: Any) -> bytes:
    """Return an offer of 100 msat."""
    return plain(None, **({"offer_amount": 100, "offer_description": ""} | values))


def recurring(**values: Any) -> bytes:
    """Return a recurring offer."""
    return plain(None, **({"offer_recurrence_optional": MONTHLY} | values))


def built(**values: Any) -> Offer:
    """Return an offer made by the builder."""
    return Offer.build(**({"offer_issuer_id": ISSUER} | values))


def _of_recurrence(field: str) -> Iterator[Fault]:
    yield Fault(
        "READING",
        "recurrence-unit",
        field,
        recurring,
        {field: Recurrence(3, 1)},
        {field: Recurrence(0, 1)},
        "Offer contains invalid recurrence time_unit 3",
    )
    yield Fault(
        "READING",
        "recurrence-period",
        field,
        recurring,
        {field: Recurrence(1, 0)},
        {field: Recurrence(1, 1)},
        "Offer contains invalid recurrence period 0",
    )


def _without_recurrence(field: str, value: object) -> Fault:
    return Fault(
        "READING",
        "recurrence-missing",
        field,
        plain,
        {field: value},
        {"offer_recurrence_compulsory": MONTHLY},
        "Offer contains recurrence fields but no recurrence",
    )


FAULTS = [
    Fault(
        "READING",
        "field-out-of-range",
        "81",
        plain,
        {"extra": (81, b"")},
        {"extra": (79, b"")},
        "Offer 81 field outside offer range",
    ),
    Fault(
        "READING",
        "description-missing",
        "offer_description",
        plain,
        {"offer_amount": 1},
        {"offer_description": ""},
        "Offer does not contain a description, but contains an amount",
    ),
    Fault(
        "READING",
        "offer-amount-zero",
        "offer_amount",
        priced,
        {"offer_amount": 0},
        {"offer_amount": 1},
        "Offer contains a zero amount",
    ),
    Fault(
        "READING",
        "currency-without-amount",
        "offer_currency",
        plain,
        {"offer_currency": "EUR", "offer_description": ""},
        {"offer_amount": 1},
        "Offer contains a currency with no amount",
    ),
    Fault(
        "READING",
        "issuer-missing",
        "offer_issuer_id",
        plain,
        {"offer_issuer_id": None},
        {"offer_paths": (PATH,)},
        "Offer does not contain an issuer_id or paths",
    ),
    Fault(
        "READING",
        "offer-path-without-hops",
        "offer_paths",
        plain,
        {"offer_paths": (PATH, EMPTY_PATH)},
        {"offer_paths": (PATH, PATH)},
        "Offer contains an empty offer_path",
    ),
    *_of_recurrence("offer_recurrence_compulsory"),
    *_of_recurrence("offer_recurrence_optional"),
    Fault(
        "READING",
        "recurrence-limit",
        "offer_recurrence_limit",
        recurring,
        {"offer_recurrence_limit": 0},
        {"offer_recurrence_limit": 1},
        "Offer contains invalid recurrence limit 0",
    ),
    _without_recurrence("offer_recurrence_base", RecurrenceBase(0, 1)),
    _without_recurrence("offer_recurrence_paywindow", RecurrencePaywindow(0, 1)),
    _without_recurrence("offer_recurrence_limit", 1),
    Fault(
        "WRITING",
        "chains-empty",
        "offer_chains",
        built,
        {"offer_chains": ()},
        {"offer_chains": (bytes(32),)},
        "offer_chains with zero entries",
    ),
    Fault(
        "WRITING",
        "currency-code",
        "offer_currency",
        built,
        {"offer_currency": "euro", "offer_amount": 1, "offer_description": ""},
        {"offer_currency": "EUR"},
        "offer_currency is no code of three capital letters",
    ),
    Fault(
        "WRITING",
        "paths-empty",
        "offer_paths",
        built,
        {"offer_paths": ()},
        {"offer_paths": (PATH,)},
        "offer_paths holds no path",
    ),
    Fault(
        "WRITING",
        "recurrence-twice",
        "offer_recurrence_optional",
        built,
        {"offer_recurrence_optional": MONTHLY, "offer_recurrence_compulsory": MONTHLY},
        {"offer_recurrence_compulsory": None},
        "offer_recurrence_compulsory and offer_recurrence_optional exclude each other",
    ),
]
