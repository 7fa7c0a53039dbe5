"""The rules of offers, and of the offer that an invoice_request repeats. BOLT 12, "Requirements For Offers"."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from lnoffers.bolt12.blinded_paths import first_empty_path
from lnoffers.bolt12.chains import BITCOIN
from lnoffers.bolt12.fields import OfferFields as Offer
from lnoffers.bolt12.message import Field
from lnoffers.bolt12.recurrence import Recurrence
from lnoffers.bolt12.rule_names import RuleName
from lnoffers.bolt12.rules.rule import Breach, Rule, always, check_always, check_when, enforce, known_features, when
from lnoffers.bolt12.tlv import OFFER_SPAN, in_span

OfferRules = tuple[Rule[Offer], ...]

_CURRENCY = re.compile("[A-Z]{3}")


def check_reading(offer: Offer, chain: bytes | None, features: frozenset[int]) -> None:
    """Check the rules that Core Lightning's decoder checks, in its order."""
    enforce(_of_reader(chain, features), offer)
    enforce(READING, offer)


def check_writing(offer: Offer) -> None:
    """Check the rules for the writer of an offer."""
    enforce(READING, offer)
    enforce(WRITING, offer)


def check_unexpired(offer: Offer, now: int) -> None:
    """Check that the offer has not expired before `now` (Unix seconds)."""
    enforce((unexpired(now),), offer)


# ---- checks that say more than one thing, or need more than a line


def _in_range(offer: Offer) -> Breach | None:
    for record in offer.records:
        if not in_span(record.type, OFFER_SPAN):
            return Breach(f"Offer {record.type} field outside offer range", record.type)
    return None


def _unit_known(field: Field[Recurrence]) -> Callable[[Offer], Breach | None]:
    def find(offer: Offer) -> Breach | None:
        recurrence: Recurrence = getattr(offer, field.name)
        if recurrence.time_unit_name is not None:
            return None
        return Breach(f"Offer contains invalid recurrence time_unit {recurrence.time_unit}")

    return find


def _recurs_each(field: Field[Recurrence]) -> OfferRules:
    return (
        check_when(RuleName.RECURRENCE_UNIT, field, _unit_known(field)),
        when(
            RuleName.RECURRENCE_PERIOD,
            field,
            lambda o: getattr(o, field.name).period == 0,
            "Offer contains invalid recurrence period 0",
        ),
    )


def _needs_recurrence(field: Field[Any]) -> Rule[Offer]:
    return when(
        RuleName.RECURRENCE_MISSING,
        field,
        lambda o: o.offer_recurrence is None,
        "Offer contains recurrence fields but no recurrence",
    )


# ---- rules that need something of the reader's


@lru_cache(maxsize=16)  # a reader has one chain and one set of features
def _of_reader(chain: bytes | None, features: frozenset[int]) -> OfferRules:
    return (CHAINS_LISTED if chain is None else on_chain(chain), known_features(*FEATURES, features))


def on_chain(chain: bytes) -> Rule[Offer]:
    """Require the offer to be for this chain. An empty list of chains allows none, not even bitcoin."""
    return always(
        RuleName.WRONG_CHAIN,
        Offer.offer_chains,
        lambda o: chain not in ((BITCOIN,) if o.offer_chains is None else o.offer_chains),
        "wrong chain",
    )


def unexpired(now: int) -> Rule[Offer]:
    """Require that the offer has not expired before `now` (Unix seconds)."""
    return when(
        RuleName.OFFER_EXPIRED,
        Offer.offer_absolute_expiry,
        lambda o: (o.offer_absolute_expiry or 0) < now,
        "Offer expired",
    )


# ---- the tables


FEATURES = (RuleName.UNKNOWN_OFFER_FEATURE, Offer.offer_features)
CHAINS_LISTED: Rule[Offer] = when(
    RuleName.CHAINS_EMPTY, Offer.offer_chains, lambda o: o.offer_chains == (), "offer_chains with zero entries"
)

DESCRIBED: Rule[Offer] = when(
    RuleName.DESCRIPTION_MISSING,
    Offer.offer_description,
    lambda o: o.offer_description is None,
    "Offer does not contain a description, but contains an amount",
    given=Offer.offer_amount,
)

PRICED: OfferRules = (
    when(RuleName.OFFER_AMOUNT_ZERO, Offer.offer_amount, lambda o: o.offer_amount == 0, "Offer contains a zero amount"),
    when(
        RuleName.CURRENCY_WITHOUT_AMOUNT,
        Offer.offer_currency,
        lambda o: o.offer_amount is None,
        "Offer contains a currency with no amount",
    ),
)

PATHS_WITH_HOPS: Rule[Offer] = when(
    RuleName.OFFER_PATH_WITHOUT_HOPS,
    Offer.offer_paths,
    lambda o: first_empty_path(o.offer_paths) is not None,
    "Offer contains an empty offer_path",
)

RECURRING: OfferRules = (
    *_recurs_each(Offer.offer_recurrence_compulsory),
    *_recurs_each(Offer.offer_recurrence_optional),
    when(
        RuleName.RECURRENCE_LIMIT,
        Offer.offer_recurrence_limit,
        lambda o: o.offer_recurrence is not None and o.offer_recurrence_limit == 0,
        "Offer contains invalid recurrence limit 0",
    ),
    _needs_recurrence(Offer.offer_recurrence_base),
    _needs_recurrence(Offer.offer_recurrence_paywindow),
    _needs_recurrence(Offer.offer_recurrence_limit),
)

READING: OfferRules = (
    check_always(RuleName.FIELD_OUT_OF_RANGE, None, _in_range),
    DESCRIBED,
    *PRICED,
    always(
        RuleName.ISSUER_MISSING,
        Offer.offer_issuer_id,
        lambda o: not o.answers_offer,
        "Offer does not contain an issuer_id or paths",
    ),
    PATHS_WITH_HOPS,
    *RECURRING,
)
"""Rules for a reader, in Core Lightning's order."""

WRITING: OfferRules = (
    CHAINS_LISTED,
    when(
        RuleName.CURRENCY_CODE,
        Offer.offer_currency,
        lambda o: _CURRENCY.fullmatch(o.offer_currency or "") is None,
        "offer_currency is no code of three capital letters",
    ),
    when(RuleName.PATHS_EMPTY, Offer.offer_paths, lambda o: o.offer_paths == (), "offer_paths holds no path"),
    when(
        RuleName.RECURRENCE_TWICE,
        Offer.offer_recurrence_optional,
        lambda o: o.offer_recurrence_optional is not None,
        "offer_recurrence_compulsory and offer_recurrence_optional exclude each other",
        given=Offer.offer_recurrence_compulsory,
    ),
)
"""Further rules for a writer."""
