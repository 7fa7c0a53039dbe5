"""The rules that an invoice_request must keep beyond its encoding: tables of named rules, and who is held to which.

A reader checks `READING` to have a message at all, and the other tables before it may act on one. Messages are Core
Lightning's where it has one for the rule. What needs a clock, a network or a store is checked by whoever has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from lnoffers.bolt12.bip353 import has_allowed_characters
from lnoffers.bolt12.chains import BITCOIN
from lnoffers.bolt12.errors import Bolt12Error
from lnoffers.bolt12.features import first_required_bit
from lnoffers.bolt12.fields import InvoiceRequestFields as Request
from lnoffers.bolt12.message import Field
from lnoffers.bolt12.paths import first_empty_path
from lnoffers.bolt12.recurrence import Recurrence
from lnoffers.bolt12.tlv import INVOICE_REQUEST_SPAN, SIGNATURE_TYPES, in_span

_U64_MAX = 2**64 - 1


class Fault(NamedTuple):
    """What is wrong, and in the record of which type, if the rule is about no field of its own."""

    message: str
    type: int | None = None


Check: TypeAlias = Callable[[Request], Fault | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        name: as `Bolt12Error.rule` gives it.
        field: the field that the error names; None if the fault says which.
        check: the fault of a request that breaks the rule, None for one that keeps it.
    """

    name: str
    field: Field[Any] | None
    check: Check


def check_reading(request: Request) -> None:
    """Core Lightning's rules for reading a request, whoever signed it."""
    _enforce(READING, request)


def check_verifying(request: Request) -> None:
    """All that a reader must check before it acts on a request, as far as the request alone tells."""
    _enforce(SIGNED, request)
    _enforce(ANY, request)
    if request.answers_offer:
        _enforce(OFFER, request)
        _enforce(WITH_OFFER, request)
    else:
        _enforce(WITHOUT_OFFER, request)


def check_writing(request: Request) -> None:
    """What the writer of a request without an offer must keep."""
    _enforce(WRITING, request)


def _enforce(rules: Iterable[Rule], request: Request) -> None:
    for rule in rules:
        fault = rule.check(request)
        if fault is not None:
            type_ = fault.type if rule.field is None else rule.field.number
            raise Bolt12Error(
                fault.message,
                rule=rule.name,
                field=str(type_) if rule.field is None else rule.field.name,
                offset=None if type_ is None else request.offset_of(type_),
            )


# ---- making rules


def _when(name: str, field: Field[Any], broken: Callable[[Request], bool], message: str) -> Rule:
    fault = Fault(message)
    return Rule(name, field, lambda request: fault if broken(request) else None)


def _required(name: str, field: Field[Any], message: str) -> Rule:
    return _when(name, field, lambda request: getattr(request, field.name) is None, message)


def _forbidden(name: str, field: Field[Any], message: str) -> Rule:
    return _when(name, field, lambda request: getattr(request, field.name) is not None, message)


def _known_features(name: str, field: Field[bytes]) -> Rule:
    def check(request: Request) -> Fault | None:
        bit = first_required_bit(getattr(request, field.name) or b"")
        return None if bit is None else Fault(f"unknown feature bit {bit}")

    return Rule(name, field, check)


# ---- checks that say more than one thing, or need more than a line


def _in_range(request: Request) -> Fault | None:
    for record in request.records:
        if record.type not in SIGNATURE_TYPES and not in_span(record.type, INVOICE_REQUEST_SPAN):
            return Fault(f"Invoice request {record.type} field outside invoice request range", record.type)
    return None


def _has_strange_name(request: Request) -> bool:
    name = request.invreq_bip_353_name
    return name is not None and not (has_allowed_characters(name.name) and has_allowed_characters(name.domain))


def _chain_offered(request: Request) -> Fault | None:
    chain = request.invreq_chain or BITCOIN
    return None if chain in (request.offer_chains or (BITCOIN,)) else Fault(f"Wrong chain {chain.hex()}")


def _unit_known(field: Field[Recurrence]) -> Check:
    def check(request: Request) -> Fault | None:
        recurrence: Recurrence | None = getattr(request, field.name)
        if recurrence is None or recurrence.time_unit_name is not None:
            return None
        return Fault(f"Offer contains invalid recurrence time_unit {recurrence.time_unit}")

    return check


def _has_no_period(field: Field[Recurrence]) -> Callable[[Request], bool]:
    def broken(request: Request) -> bool:
        recurrence: Recurrence | None = getattr(request, field.name)
        return recurrence is not None and recurrence.period == 0

    return broken


def _lacks_quantity(request: Request) -> bool:
    return (
        request.offer_quantity_max is not None
        and request.invreq_quantity is None
        and not request.invreq_recurrence_cancel
    )


def _quantity_allowed(request: Request) -> Fault | None:
    quantity, maximum = request.invreq_quantity, request.offer_quantity_max
    if quantity is None or not maximum or quantity <= maximum:  # 0: no limit
        return None
    return Fault(f"quantity {quantity} > {maximum}")


def _total(request: Request) -> int:
    """The offer's amount for all items; 0 if it names none."""
    quantity = 1 if request.invreq_quantity is None else request.invreq_quantity
    return (request.offer_amount or 0) * quantity


def _total_fits(request: Request) -> Fault | None:
    return Fault(f"quantity {request.invreq_quantity} causes overflow") if _total(request) > _U64_MAX else None


def _lacks_amount(request: Request) -> bool:
    return request.offer_amount is None and request.invreq_amount is None and not request.invreq_recurrence_cancel


def _amount_suffices(request: Request) -> Fault | None:
    base = request.offer_recurrence_base
    # A currency needs its rate, and a share of a period needs the time; msat can be compared here and now.
    if request.invreq_amount is None or request.offer_currency is not None or (base and base.proportional_amount):
        return None
    expected = _total(request)
    return Fault(f"Amount must be at least {expected}msat") if request.invreq_amount < expected else None


def _lacks_start(request: Request) -> bool:
    return request.recurs and request.offer_recurrence_base is not None and request.invreq_recurrence_start is None


def _has_needless_start(request: Request) -> bool:
    return request.recurs and request.offer_recurrence_base is None and request.invreq_recurrence_start is not None


def _period_in_limit(request: Request) -> Fault | None:
    limit = request.offer_recurrence_limit
    index = (request.invreq_recurrence_counter or 0) + (request.invreq_recurrence_start or 0)
    return None if limit is None or index <= limit else Fault(f"period_index {index} too great")


def _needs_recurrence(field: Field[Any]) -> Rule:
    return _when(
        "recurrence-missing",
        field,
        lambda r: getattr(r, field.name) is not None and not r.recurs,
        "Offer contains recurrence fields but no recurrence",
    )


def _counts_a_recurrence(field: Field[Any]) -> Rule:
    return _when(
        "recurrence-unexpected",
        field,
        lambda r: getattr(r, field.name) is not None and not r.recurs,
        f"unexpected {field.name}",
    )


# ---- the tables


_PATHS_WITH_HOPS = _when(
    "path-without-hops",
    Request.invreq_paths,
    lambda r: first_empty_path(r.invreq_paths) is not None,
    "Invoice request contains an empty invreq_path",
)

READING = (
    _known_features("unknown-feature", Request.invreq_features),
    Rule("field-out-of-range", None, _in_range),
    _PATHS_WITH_HOPS,
)
"""BOLT 12, "Requirements for Invoice Requests", as far as Core Lightning's decoder goes, in its order."""

SIGNED = (
    _required("payer-id-missing", Request.invreq_payer_id, "Missing invreq_payer_id"),
    _required("metadata-missing", Request.invreq_metadata, "Missing invreq_metadata"),
    _required("signature-missing", Request.signature, "Missing signature"),
    _when("signature-invalid", Request.signature, lambda r: not r.has_valid_signature(), "Invalid signature"),
)
"""Who asks, and that they do."""

ANY = (
    _when("name-characters", Request.invreq_bip_353_name, _has_strange_name, "invalid bip353 name fields"),
    _when(
        "description-missing",
        Request.offer_description,
        lambda r: r.offer_amount is not None and r.offer_description is None,
        "Offer does not contain a description, but contains an amount",
    ),
    _when(
        "cancel-without-counter",
        Request.invreq_recurrence_cancel,
        lambda r: r.invreq_recurrence_cancel is not None and r.invreq_recurrence_counter is None,
        "invreq_recurrence_cancel is invalid without invreq_recurrence_counter",
    ),
    _when(
        "cancel-at-zero",
        Request.invreq_recurrence_cancel,
        lambda r: r.invreq_recurrence_cancel is not None and r.invreq_recurrence_counter == 0,
        "invreq_recurrence_cancel is invalid with invreq_recurrence_counter zero",
    ),
)
"""What holds with an offer and without."""

WITHOUT_OFFER = (
    _forbidden("chains-unexpected", Request.offer_chains, "Unexpected offer_chains"),
    _forbidden("features-unexpected", Request.offer_features, "Unexpected offer_features"),
    _forbidden("quantity-max-unexpected", Request.offer_quantity_max, "Unexpected offer_quantity_max"),
    _required("amount-missing", Request.invreq_amount, "Missing invreq_amount"),
    _when("amount-zero", Request.invreq_amount, lambda r: r.invreq_amount == 0, "invreq_amount must be positive"),
)
"""For a request that stands on its own: neither issuer id nor paths of an offer."""

OFFER = (
    _when("chains-empty", Request.offer_chains, lambda r: r.offer_chains == (), "offer_chains with zero entries"),
    _known_features("unknown-offer-feature", Request.offer_features),
    _when("offer-amount-zero", Request.offer_amount, lambda r: r.offer_amount == 0, "Offer contains a zero amount"),
    _when(
        "currency-without-amount",
        Request.offer_currency,
        lambda r: r.offer_currency is not None and r.offer_amount is None,
        "Offer contains a currency with no amount",
    ),
    _when(
        "offer-path-without-hops",
        Request.offer_paths,
        lambda r: first_empty_path(r.offer_paths) is not None,
        "Offer contains an empty offer_path",
    ),
    *(
        rule
        for field in (Request.offer_recurrence_compulsory, Request.offer_recurrence_optional)
        for rule in (
            Rule("recurrence-unit", field, _unit_known(field)),
            _when("recurrence-period", field, _has_no_period(field), "Offer contains invalid recurrence period 0"),
        )
    ),
    _when(
        "recurrence-limit",
        Request.offer_recurrence_limit,
        lambda r: r.offer_recurrence_limit == 0,
        "Offer contains invalid recurrence limit 0",
    ),
    _needs_recurrence(Request.offer_recurrence_base),
    _needs_recurrence(Request.offer_recurrence_paywindow),
    _needs_recurrence(Request.offer_recurrence_limit),
)
"""The offer that a request repeats. BOLT 12, "Requirements For Offers"."""

WITH_OFFER = (
    Rule("chain-not-offered", Request.invreq_chain, _chain_offered),
    _when("quantity-missing", Request.invreq_quantity, _lacks_quantity, "missing invreq_quantity"),
    _when("quantity-zero", Request.invreq_quantity, lambda r: r.invreq_quantity == 0, "quantity zero invalid"),
    Rule("quantity-too-great", Request.invreq_quantity, _quantity_allowed),
    _when(
        "quantity-unexpected",
        Request.invreq_quantity,
        lambda r: r.invreq_quantity is not None and r.offer_quantity_max is None,
        "unexpected invreq_quantity",
    ),
    _when(
        "counter-missing",
        Request.invreq_recurrence_counter,
        lambda r: r.recurs and r.invreq_recurrence_counter is None,
        "missing invreq_recurrence_counter",
    ),
    _counts_a_recurrence(Request.invreq_recurrence_counter),
    _counts_a_recurrence(Request.invreq_recurrence_start),
    Rule("quantity-overflow", Request.invreq_quantity, _total_fits),
    _when("amount-missing", Request.invreq_amount, _lacks_amount, "missing invreq_amount"),
    Rule("amount-too-small", Request.invreq_amount, _amount_suffices),
    _when("start-missing", Request.invreq_recurrence_start, _lacks_start, "missing invreq_recurrence_start"),
    _when(
        "start-unexpected", Request.invreq_recurrence_start, _has_needless_start, "unexpected invreq_recurrence_start"
    ),
    Rule("period-after-limit", Request.invreq_recurrence_counter, _period_in_limit),
)
"""What a request asks of its offer, in the order in which Core Lightning answers."""

WRITING = (
    _required("metadata-missing", Request.invreq_metadata, "invreq_metadata is required"),
    _when("metadata-empty", Request.invreq_metadata, lambda r: r.invreq_metadata == b"", "invreq_metadata is empty"),
    _required("payer-id-missing", Request.invreq_payer_id, "invreq_payer_id is required"),
    _required("description-missing", Request.offer_description, "offer_description is required"),
    _required("amount-missing", Request.invreq_amount, "invreq_amount is required"),
    _when("amount-zero", Request.invreq_amount, lambda r: r.invreq_amount == 0, "invreq_amount must be positive"),
    _when(
        "paths-empty", Request.invreq_paths, lambda r: r.invreq_paths == (), "invreq_paths is there but holds no path"
    ),
    _PATHS_WITH_HOPS,
)
"""What the writer of a request without an offer must keep; it offers no way to set what must not be there."""
