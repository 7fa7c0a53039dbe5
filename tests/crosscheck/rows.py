"""Where the peers disagree with us, and why. What stands here is known; anything else is a finding.

Both peers are LDK, of versions 0.1.2 and 0.1.1, so the reasons are LDK's: its modules are those of `lightning::offers`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from unicodedata import category

from lnoffers.bolt12 import Bolt12Error, Invoice, InvoiceRequest, Offer, features
from lnoffers.bolt12.rules import invoice as invoice_rules
from lnoffers.bolt12.rules import invoice_request as request_rules
from lnoffers.bolt12.tlv import INVOICE_REQUEST_SPAN, INVOICE_SPAN, SIGNATURE_TYPES, in_span
from tests.crosscheck.verdicts import Case, Shown, Verdict, shown

_MOST_MSAT: Final = 21_000_000 * 10**11
_NOT_IN_REFUNDS: Final = (
    "offer_chains",
    "offer_metadata",
    "offer_currency",
    "offer_amount",
    "offer_features",
    "offer_quantity_max",
    "invreq_bip_353_name",
)
_EXPERIMENTAL: Final = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A peer says something else than we.

    Attributes:
        fields: the names of those that are shown differently; none if one side refuses the string.
    """

    case: Case
    peer: str
    ours: Verdict
    theirs: Shown | None
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """A known kind of disagreement."""

    what: str
    reason: str
    covers: Callable[[Disagreement], bool]


def disagreement(case: Case, ours: Verdict, peer: str, theirs: Shown | None) -> Disagreement | None:
    """Return how a peer's verdict on a string differs from ours, if it does."""
    if ours.message is None or theirs is None:
        both_refuse = ours.message is None and theirs is None
        return None if both_refuse else Disagreement(case, peer, ours, theirs)
    mine = shown(ours.message)
    fields = tuple(name for name, value in theirs.items() if mine[name] != value)
    return Disagreement(case, peer, ours, theirs, fields) if fields else None


# ---- what rows are made of


def _we_refuse(because: Callable[[Bolt12Error], bool]) -> Callable[[Disagreement], bool]:
    """Match a string that the peer accepts and that we refuse with such an error."""
    return lambda found: found.ours.error is not None and because(found.ours.error)


def _we_name(*rules: str) -> Callable[[Disagreement], bool]:
    """Match a string that the peer accepts and that breaks one of these rules for us."""
    return _we_refuse(lambda error: error.rule in rules)


def _they_refuse(because: Callable[[Any], bool]) -> Callable[[Disagreement], bool]:
    """Match a string that the peer refuses and that we read as such a message."""
    return lambda found: found.theirs is None and because(found.ours.message)


def _is_beyond_all_bitcoin(message: Any) -> bool:
    amounts = [None if message.offer_currency else message.offer_amount]
    if not isinstance(message, Offer):
        amounts += [message.invreq_amount, message.expected_amount]
    return any(amount is not None and amount > _MOST_MSAT for amount in amounts)


def _has_even_experiments(message: Any) -> bool:
    return any(record.type >= _EXPERIMENTAL and record.type % 2 == 0 for record in message.records)


def _stands_alone(message: Any) -> bool:
    return isinstance(message, InvoiceRequest) and not message.answers_offer


def _has_records_of_nobody(message: Any) -> bool:
    return any(
        not in_span(record.type, INVOICE_SPAN) and record.type not in SIGNATURE_TYPES for record in message.records
    )


def _has_fields_of_offers(message: Any) -> bool:
    return any(getattr(message, name) is not None for name in _NOT_IN_REFUNDS)


def _answers_badly(message: Any) -> bool:
    """Return whether an invoice repeats a request that nobody may write, or does not answer it."""
    if not isinstance(message, Invoice):
        return False
    request = InvoiceRequest._build(record for record in message.records if in_span(record.type, INVOICE_REQUEST_SPAN))
    if not request.answers_offer and None in (request.offer_description, request.invreq_amount):
        return True  # a writer cannot leave these out
    try:
        request_rules.check_writing(request, features.NONE)
        invoice_rules.check_writing(message)
    except Bolt12Error:
        return True
    return False


def _shows_control_characters(found: Disagreement) -> bool:
    """Return whether the fields are texts that differ only in control characters, which the peer replaces."""

    def printable(text: str) -> str:
        return "".join("\N{REPLACEMENT CHARACTER}" if category(c) == "Cc" else c for c in text)

    if not found.theirs or not found.fields or not {*found.fields} <= {"offer_description", "offer_issuer"}:
        return False
    return all(printable(getattr(found.ours.message, name)) == found.theirs[name] for name in found.fields)


ROWS: Final = (
    Row(
        "they refuse more than 21 million bitcoin",
        "LDK bounds amounts by the supply; the specification and Core Lightning bound them by u64",
        _they_refuse(_is_beyond_all_bitcoin),
    ),
    Row(
        "they refuse requests for offers in currencies",
        "LDK has no rates, and reads no request whose price it cannot check; here the seller checks it",
        _they_refuse(lambda m: not isinstance(m, Offer) and m.answers_offer and m.offer_currency is not None),
    ),
    Row(
        "they refuse recurrence",
        "LDK does not know its fields, and those of even types must be known; the numbers are Core Lightning's",
        _they_refuse(_has_even_experiments),
    ),
    Row(
        "they refuse invreq_paths in requests for offers",
        "LDK takes them in refunds alone (UnexpectedPaths); the specification has no reader refuse them",
        _they_refuse(lambda m: not isinstance(m, Offer) and m.answers_offer and m.invreq_paths is not None),
    ),
    Row(
        "they refuse what goes with offers where there is none",
        "LDK refuses more of it than the specification, in the refund that it takes such a request for",
        _they_refuse(lambda m: not isinstance(m, Offer) and not m.answers_offer and _has_fields_of_offers(m)),
    ),
    Row(
        "they refuse a currency that has not three bytes",
        "LDK's type has three; the specification says this to writers alone, and Core Lightning reads any text",
        _they_refuse(lambda m: m.offer_currency is not None and len(m.offer_currency.encode()) != 3),
    ),
    Row(
        "they refuse offer_paths without a path",
        "LDK wants one (MissingPaths); neither the specification nor Core Lightning has readers refuse it",
        _they_refuse(lambda m: m.offer_paths == ()),
    ),
    Row(
        "they refuse invoices that do not go with the request that they repeat",
        "LDK checks all of that request; here verify looks at what it must have, and verify_answer at what was sent",
        _they_refuse(_answers_badly),
    ),
    Row(
        "they refuse invoices with records beyond an invoice's ranges",
        "LDK leaves no record unread; the specification has such a rule for offers and requests alone",
        _they_refuse(lambda m: isinstance(m, Invoice) and _has_records_of_nobody(m)),
    ),
    Row(
        "they refuse requests without an offer and without a description",
        "LDK's refund has one (MissingDescription); the specification says this to writers alone",
        _they_refuse(lambda m: _stands_alone(m) and m.offer_description is None),
    ),
    Row(
        "they refuse records with types of signatures in requests without an offer",
        "LDK's refund has no signature, and it leaves no record unread",
        _they_refuse(
            lambda m: _stands_alone(m) and any(record.type in SIGNATURE_TYPES for record in m.unknown_records)
        ),
    ),
    Row(
        "they refuse requests without an offer that are signed",
        "to LDK these are refunds, which nobody signs, as in the specification; Core Lightning signs them",
        _they_refuse(lambda m: _stands_alone(m) and m.signed),
    ),
    Row(
        "we refuse an offer_amount of zero",
        "the specification has readers refuse it since March 2026; LDK 0.1 is older",
        _we_name("offer-amount-zero"),
    ),
    Row(
        "we refuse requests without an offer that pay nothing",
        "nobody could make an invoice for one; LDK reads a refund of zero",
        _we_name("amount-zero"),
    ),
    Row(
        "we refuse an invreq_quantity of zero",
        "the specification has readers refuse it; LDK does where any quantity is allowed, not where there is a limit",
        _we_name("quantity-zero"),
    ),
    Row(
        "we refuse offer_chains without a chain",
        "the specification says that it is invalid; LDK shows an empty list",
        _we_name("chains-empty"),
    ),
    Row(
        "we refuse even features that are unknown",
        "the specification has readers refuse them; LDK looks at them when it answers or pays",
        _we_name("unknown-feature", "unknown-offer-feature"),
    ),
    Row(
        "we refuse invoices all paths of which need what is unknown",
        "the specification's reader must not use such a path; LDK looks at them when it pays",
        _we_name("paths-unusable"),
    ),
    Row(
        "we refuse recurrence that is incomplete or wrong",
        "LDK does not know its fields, and skips those of odd types",
        _we_refuse(lambda error: "recurrence" in (error.field or "")),
    ),
    Row(
        "we refuse U+0000 in texts",
        "readers in C would see the text end there; LDK has it as any character",
        _we_name("text-nul"),
    ),
    Row(
        "we refuse a currency that is not UTF-8",
        "LDK keeps the three bytes as they are",
        _we_refuse(lambda error: (error.rule, error.field) == ("text-not-utf8", "offer_currency")),
    ),
    Row(
        "we refuse more than four bits of padding",
        "they are a symbol too many, and the specification's vectors have it invalid; LDK drops it",
        _we_name("text-padding"),
    ),
    Row(
        "they show control characters as U+FFFD",
        "boltz-bolt12 gives text as it is safe to print; lightningdevkit and we give it as it came",
        _shows_control_characters,
    ),
)
