"""For each rule of invoice_requests about the offer that one is for, one that breaks it and no other."""

from __future__ import annotations

from collections.abc import Iterator

from lnoffers.bolt12 import Recurrence, RecurrencePaywindow

from .faults import Fault
from .faulty_requests import BASE, BITCOIN, MONTHLY, answer, priced, recurring
from .samples import EMPTY_PATH, PATH, REGTEST


def _of_recurrence(field: str) -> Iterator[Fault]:
    unit = "Offer contains invalid recurrence time_unit 255"
    period = "Offer contains invalid recurrence period 0"
    good = {field: MONTHLY}
    yield Fault("OFFER", "recurrence-unit", field, recurring, {field: Recurrence(255, 1)}, good, unit)
    yield Fault("OFFER", "recurrence-period", field, recurring, {field: Recurrence(1, 0)}, good, period)


def _without_recurrence(field: str, value: object) -> Fault:
    message = "Offer contains recurrence fields but no recurrence"
    return Fault("OFFER", "recurrence-missing", field, answer, {field: value}, {field: None}, message)


FAULTS = [
    Fault(
        "OFFER",
        "chains-empty",
        "offer_chains",
        answer,
        {"offer_chains": ()},
        {"offer_chains": (BITCOIN,)},
        "offer_chains with zero entries",
    ),
    Fault(
        "OFFER",
        "offer-amount-zero",
        "offer_amount",
        priced,
        {"offer_amount": 0},
        {"offer_amount": 1},
        "Offer contains a zero amount",
    ),
    Fault(
        "OFFER",
        "currency-without-amount",
        "offer_currency",
        answer,
        {"offer_currency": "EUR", "offer_description": ""},
        {"offer_amount": 1},
        "Offer contains a currency with no amount",
    ),
    Fault(
        "OFFER",
        "offer-path-without-hops",
        "offer_paths",
        answer,
        {"offer_paths": (PATH, EMPTY_PATH)},
        {"offer_paths": (PATH,)},
        "Offer contains an empty offer_path",
    ),
    *_of_recurrence("offer_recurrence_compulsory"),
    *_of_recurrence("offer_recurrence_optional"),
    Fault(
        "OFFER",
        "recurrence-limit",
        "offer_recurrence_limit",
        recurring,
        {"offer_recurrence_limit": 0},
        {"offer_recurrence_limit": 1},
        "Offer contains invalid recurrence limit 0",
    ),
    _without_recurrence("offer_recurrence_base", BASE),
    _without_recurrence("offer_recurrence_paywindow", RecurrencePaywindow(0, 1)),
    _without_recurrence("offer_recurrence_limit", 1),
    Fault(
        "WITH_OFFER",
        "chain-not-offered",
        "invreq_chain",
        answer,
        {"invreq_chain": REGTEST},
        {"offer_chains": (BITCOIN, REGTEST)},
        f"Wrong chain {REGTEST.hex()}",
    ),
    Fault(
        "WITH_OFFER",
        "quantity-missing",
        "invreq_quantity",
        answer,
        {"offer_quantity_max": 2},
        {"invreq_quantity": 2},
        "missing invreq_quantity",
    ),
    Fault(
        "WITH_OFFER",
        "quantity-zero",
        "invreq_quantity",
        answer,
        {"offer_quantity_max": 0, "invreq_quantity": 0},
        {"invreq_quantity": 1},
        "quantity zero invalid",
    ),
    Fault(
        "WITH_OFFER",
        "quantity-too-great",
        "invreq_quantity",
        answer,
        {"offer_quantity_max": 2, "invreq_quantity": 3},
        {"offer_quantity_max": 3},
        "quantity 3 > 2",
    ),
    Fault(
        "WITH_OFFER",
        "quantity-unexpected",
        "invreq_quantity",
        answer,
        {"invreq_quantity": 1},
        {"offer_quantity_max": 1},
        "unexpected invreq_quantity",
    ),
    Fault(
        "WITH_OFFER",
        "counter-missing",
        "invreq_recurrence_counter",
        recurring,
        {"invreq_recurrence_counter": None},
        {"invreq_recurrence_counter": 0},
        "missing invreq_recurrence_counter",
    ),
    Fault(
        "WITH_OFFER",
        "recurrence-unexpected",
        "invreq_recurrence_counter",
        answer,
        {"invreq_recurrence_counter": 0},
        {"offer_recurrence_compulsory": MONTHLY},
        "unexpected invreq_recurrence_counter",
    ),
    Fault(
        "WITH_OFFER",
        "recurrence-unexpected",
        "invreq_recurrence_start",
        answer,
        {"invreq_recurrence_start": 0},
        {"invreq_recurrence_start": None},
        "unexpected invreq_recurrence_start",
    ),
    Fault(
        "WITH_OFFER",
        "quantity-overflow",
        "invreq_quantity",
        priced,
        {"offer_amount": 2**64 // 3 + 1, "offer_quantity_max": 0, "invreq_quantity": 3},
        {"offer_amount": 2**64 // 3},  # 2^64-1 in all
        "quantity 3 causes overflow",
    ),
    Fault(
        "WITH_OFFER",
        "amount-missing",
        "invreq_amount",
        answer,
        {"invreq_amount": None},
        {"offer_amount": 1, "offer_description": ""},
        "missing invreq_amount",
    ),
    Fault(
        "WITH_OFFER",
        "amount-too-small",
        "invreq_amount",
        priced,
        {"offer_quantity_max": 3, "invreq_quantity": 3, "invreq_amount": 299},
        {"invreq_amount": 300},
        "Amount must be at least 300msat",
    ),
    Fault(
        "WITH_OFFER",
        "start-missing",
        "invreq_recurrence_start",
        recurring,
        {"offer_recurrence_base": BASE},
        {"invreq_recurrence_start": 0},
        "missing invreq_recurrence_start",
    ),
    Fault(
        "WITH_OFFER",
        "start-unexpected",
        "invreq_recurrence_start",
        recurring,
        {"invreq_recurrence_start": 0},
        {"offer_recurrence_base": BASE},
        "unexpected invreq_recurrence_start",
    ),
    Fault(
        "WITH_OFFER",
        "period-after-limit",
        "invreq_recurrence_counter",
        recurring,
        {"offer_recurrence_limit": 2, "invreq_recurrence_counter": 3},
        {"invreq_recurrence_counter": 2},
        "period_index 3 too great",
    ),
]
