"""The rules of invoice_requests. BOLT 12, "Requirements for Invoice Requests"."""

from __future__ import annotations

from functools import lru_cache

from lnoffers.bolt12.bip353 import has_allowed_characters
from lnoffers.bolt12.blinded_paths import first_empty_path
from lnoffers.bolt12.chains import BITCOIN
from lnoffers.bolt12.fields import InvoiceRequestFields as Request
from lnoffers.bolt12.fields import MirroredRequestFields as Mirrored
from lnoffers.bolt12.message import Field, Message
from lnoffers.bolt12.rule_names import RuleName
from lnoffers.bolt12.rules import offer
from lnoffers.bolt12.rules.rule import (
    Breach,
    Rule,
    always,
    check_always,
    check_when,
    enforce,
    forbidden,
    known_features,
    required,
    when,
)
from lnoffers.bolt12.tlv import INVOICE_REQUEST_SPAN, SIGNATURE_TYPES, in_span

RequestRule = Rule[Request]
RequestRules = tuple[RequestRule, ...]

_U64_MAX = 2**64 - 1


def check_reading(request: Request, chain: bytes | None, features: frozenset[int]) -> None:
    """Check the rules of Core Lightning's decoder except those for the signature, in its order."""
    enforce(_of_reader(chain, features), request)
    enforce(READING, request)


def check_verifying(request: Request, features: frozenset[int], *, any_amount: bool = False) -> None:
    """Check all rules for a reader of a request; `features` are the features of offers that it knows.

    With `any_amount`, the amount of a request without an offer may be zero.
    """
    enforce(SIGNED, request)
    enforce(ANY, request)
    if request.answers_offer:
        enforce(_of_offer(features), request)
        enforce(OFFER, request)
        enforce(WITH_OFFER, request)
    else:
        enforce(_WITHOUT_OFFER if any_amount else WITHOUT_OFFER, request)


def check_writing(request: Request, features: frozenset[int]) -> None:
    """Check the rules for the writer of a request; `features` are the features of offers that it knows."""
    enforce(WRITING, request)
    if request.answers_offer:
        enforce(ANY, request)
        enforce(_of_offer(features), request)
        enforce(OFFER, request)
        enforce(WITH_OFFER, request)
    else:
        enforce(WRITING_WITHOUT_OFFER, request)


def check_unsigned(request: Request) -> None:
    """Check the rules for a request that is sent without a signature."""
    enforce(UNSIGNED, request)


def check_unexpired(request: Request, now: int) -> None:
    """Check that the request and its offer have not expired at `now` (Unix seconds)."""
    enforce((unexpired(now),), request)


# ---- checks that say more than one thing, or need more than a line


def _first_out_of_range(request: Request) -> int | None:
    types = (record.type for record in request.records)
    return next((t for t in types if not in_span(t, INVOICE_REQUEST_SPAN) and t not in SIGNATURE_TYPES), None)


def is_in_range(request: Request) -> bool:
    """Return whether the types of all records are in the ranges of requests."""
    return _first_out_of_range(request) is None


def _in_range(request: Request) -> Breach | None:
    type_ = _first_out_of_range(request)
    return None if type_ is None else Breach(f"Invoice request {type_} field outside invoice request range", type_)


def _has_strange_name(request: Mirrored) -> bool:
    name = request.invreq_bip_353_name
    return name is not None and not (has_allowed_characters(name.name) and has_allowed_characters(name.domain))


def _chain_offered(request: Request) -> Breach | None:
    chain = request.invreq_chain or BITCOIN
    return None if chain in (request.offer_chains or (BITCOIN,)) else Breach(f"Wrong chain {chain.hex()}")


def _quantity_allowed(request: Request) -> Breach | None:
    quantity, maximum = request.invreq_quantity, request.offer_quantity_max
    if quantity is None or not maximum or quantity <= maximum:  # 0: no limit
        return None
    return Breach(f"quantity {quantity} > {maximum}")


def _total_fits(request: Request) -> Breach | None:
    quantity = 1 if request.invreq_quantity is None else request.invreq_quantity
    total = (request.offer_amount or 0) * quantity  # in whatever currency
    return Breach(f"quantity {quantity} causes overflow") if total > _U64_MAX else None


def _amount_suffices(request: Request) -> Breach | None:
    amount, expected = request.invreq_amount, request.expected_amount
    if amount is None or expected is None or amount >= expected:
        return None
    return Breach(f"Amount must be at least {expected}msat")


def _lacks_start(request: Request) -> bool:
    return request.offer_recurrence is not None and request.invreq_recurrence_start is None


def _has_needless_start(request: Request) -> bool:
    return request.offer_recurrence is not None and request.offer_recurrence_base is None


def _period_in_limit(request: Request) -> Breach | None:
    limit, index = request.offer_recurrence_limit, request.period_index
    return None if limit is None or index <= limit else Breach(f"period_index {index} too great")


def _counts_a_recurrence(field: Field[int]) -> Rule[Request]:
    return when(RuleName.RECURRENCE_UNEXPECTED, field, lambda r: r.offer_recurrence is None, f"unexpected {field.name}")


# ---- rules that need something of the reader's


@lru_cache(maxsize=16)  # a reader has one chain and one set of features
def _of_reader(chain: bytes | None, features: frozenset[int]) -> RequestRules:
    known = known_features(RuleName.UNKNOWN_FEATURE, Request.invreq_features, features)
    return (known,) if chain is None else (on_chain(chain), known)


@lru_cache(maxsize=16)
def _of_offer(features: frozenset[int]) -> RequestRules:
    return (known_features(*offer.FEATURES, features),)


def on_chain(chain: bytes) -> Rule[Request]:
    """Require the request to be for this chain."""
    return always(
        RuleName.WRONG_CHAIN, Request.invreq_chain, lambda r: (r.invreq_chain or BITCOIN) != chain, "wrong chain"
    )


def unexpired(now: int) -> Rule[Request]:
    """Require that the offer, or a request without an offer, has not expired at `now` (Unix seconds).

    A payer that has paid a recurring offer once may continue after its expiry.
    """
    return when(
        RuleName.OFFER_EXPIRED,
        Request.offer_absolute_expiry,
        lambda r: (r.offer_absolute_expiry or 0) <= now and not r.invreq_recurrence_counter,
        "Offer expired",
    )


# ---- the tables


PATHS_WITH_HOPS: Rule[Mirrored] = when(
    RuleName.PATH_WITHOUT_HOPS,
    Request.invreq_paths,
    lambda r: first_empty_path(r.invreq_paths) is not None,
    "Invoice request contains an empty invreq_path",
)

NAMED: Rule[Mirrored] = when(
    RuleName.NAME_CHARACTERS, Request.invreq_bip_353_name, _has_strange_name, "invalid bip353 name fields"
)

MADE_BY_PAYER: tuple[Rule[Message], ...] = (
    required(RuleName.PAYER_ID_MISSING, Request.invreq_payer_id, "Missing invreq_payer_id"),
    required(RuleName.METADATA_MISSING, Request.invreq_metadata, "Missing invreq_metadata"),
)
"""Fields required in each request, and in an invoice that repeats one."""

READING: RequestRules = (check_always(RuleName.FIELD_OUT_OF_RANGE, None, _in_range), PATHS_WITH_HOPS)
"""Rules that Core Lightning's decoder checks after chain and features, in its order."""

SIGNED: RequestRules = (
    *MADE_BY_PAYER,
    always(
        RuleName.SIGNATURE_MISSING,
        Request.signature,
        lambda r: r.signature is None and r.answers_offer,
        "Missing signature",
    ),
    when(RuleName.SIGNATURE_INVALID, Request.signature, lambda r: not r.has_valid_signature(), "Invalid signature"),
)
"""Rules for the payer's key and signature. A request without an offer may be unsigned: by the specification its writer
does not sign it, but Core Lightning does."""

UNSIGNED: RequestRules = (
    forbidden(RuleName.ALREADY_SIGNED, Request.signature, "the request has a signature"),
    always(
        RuleName.SIGNATURE_MISSING,
        Request.signature,
        lambda r: r.answers_offer,
        "a request for an offer must be signed",
    ),
)
"""Rules for a request that is sent without a signature."""

CANCELS_LATER: RequestRule = when(
    RuleName.CANCEL_AT_ZERO,
    Request.invreq_recurrence_cancel,
    lambda r: r.invreq_recurrence_counter == 0,
    "invreq_recurrence_cancel is invalid with invreq_recurrence_counter zero",
)

ANY: RequestRules = (
    NAMED,
    offer.DESCRIBED,
    when(
        RuleName.CANCEL_WITHOUT_COUNTER,
        Request.invreq_recurrence_cancel,
        lambda r: r.invreq_recurrence_counter is None,
        "invreq_recurrence_cancel is invalid without invreq_recurrence_counter",
    ),
    CANCELS_LATER,
)
"""Rules for requests with and without an offer."""

_AMOUNT_POSITIVE: Rule[Request] = when(
    RuleName.AMOUNT_ZERO, Request.invreq_amount, lambda r: r.invreq_amount == 0, "invreq_amount must be positive"
)

_WITHOUT_OFFER: RequestRules = (
    forbidden(RuleName.CHAINS_UNEXPECTED, Request.offer_chains, "Unexpected offer_chains"),
    forbidden(RuleName.FEATURES_UNEXPECTED, Request.offer_features, "Unexpected offer_features"),
    forbidden(RuleName.QUANTITY_MAX_UNEXPECTED, Request.offer_quantity_max, "Unexpected offer_quantity_max"),
    required(RuleName.AMOUNT_MISSING, Request.invreq_amount, "Missing invreq_amount"),
)

WITHOUT_OFFER: RequestRules = (*_WITHOUT_OFFER, _AMOUNT_POSITIVE)
"""Rules for a request without an offer, which has neither an issuer id nor paths of one."""

OFFER: RequestRules = (
    offer.CHAINS_LISTED,
    *offer.PRICED,
    offer.PATHS_WITH_HOPS,
    *offer.RECURRING,
)
"""Rules for the offer that a request repeats."""

QUANTITIES: RequestRules = (
    when(
        RuleName.QUANTITY_MISSING,
        Request.invreq_quantity,
        lambda r: r.invreq_quantity is None and not r.invreq_recurrence_cancel,
        "missing invreq_quantity",
        given=Request.offer_quantity_max,
    ),
    when(
        RuleName.QUANTITY_ZERO,
        Request.invreq_quantity,
        lambda r: r.invreq_quantity == 0,
        "quantity zero invalid",
        given=Request.offer_quantity_max,
    ),
    check_when(RuleName.QUANTITY_TOO_GREAT, Request.invreq_quantity, _quantity_allowed),
    when(
        RuleName.QUANTITY_UNEXPECTED,
        Request.invreq_quantity,
        lambda r: r.offer_quantity_max is None,
        "unexpected invreq_quantity",
    ),
)
"""Rules for the number of items."""

COUNTED: RequestRules = (
    always(
        RuleName.COUNTER_MISSING,
        Request.invreq_recurrence_counter,
        lambda r: r.offer_recurrence is not None and r.invreq_recurrence_counter is None,
        "missing invreq_recurrence_counter",
    ),
    _counts_a_recurrence(Request.invreq_recurrence_counter),
    _counts_a_recurrence(Request.invreq_recurrence_start),
)
"""Rules for whether the request is one of a recurrence."""

PRICED: RequestRules = (
    check_when(RuleName.QUANTITY_OVERFLOW, Request.invreq_quantity, _total_fits, given=Request.offer_amount),
    always(
        RuleName.AMOUNT_MISSING,
        Request.invreq_amount,
        lambda r: r.offer_amount is None and r.invreq_amount is None and not r.invreq_recurrence_cancel,
        "missing invreq_amount",
    ),
)
"""Rules for the amounts from which the price follows."""

PERIODS: RequestRules = (
    when(
        RuleName.START_MISSING,
        Request.invreq_recurrence_start,
        _lacks_start,
        "missing invreq_recurrence_start",
        given=Request.offer_recurrence_base,
    ),
    when(
        RuleName.START_UNEXPECTED,
        Request.invreq_recurrence_start,
        _has_needless_start,
        "unexpected invreq_recurrence_start",
    ),
    check_when(
        RuleName.PERIOD_AFTER_LIMIT,
        Request.invreq_recurrence_counter,
        _period_in_limit,
        given=Request.offer_recurrence_limit,
    ),
)
"""Rules for the period that a recurring request is for."""

WITH_OFFER: RequestRules = (
    check_always(RuleName.CHAIN_NOT_OFFERED, Request.invreq_chain, _chain_offered),
    *QUANTITIES,
    *COUNTED,
    *PRICED,
    check_when(RuleName.AMOUNT_TOO_SMALL, Request.invreq_amount, _amount_suffices),
    *PERIODS,
)
"""Rules for a request against its offer, in the order of Core Lightning's answers."""

WRITING: RequestRules = (
    when(
        RuleName.METADATA_EMPTY, Request.invreq_metadata, lambda r: r.invreq_metadata == b"", "invreq_metadata is empty"
    ),
    when(
        RuleName.PATHS_EMPTY,
        Request.invreq_paths,
        lambda r: r.invreq_paths == (),
        "invreq_paths is there but holds no path",
    ),
    PATHS_WITH_HOPS,
)
"""Rules for the writer of any request. A request for an offer must also pass the reader's checks, signature aside."""

WRITING_WITHOUT_OFFER: RequestRules = (_AMOUNT_POSITIVE,)
"""Further rules for the writer of a request without an offer. `without_offer` cannot set forbidden fields."""
