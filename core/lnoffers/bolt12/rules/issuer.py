"""The rules by which an issuer refuses a request, in the order and with the texts of Core Lightning's answers.

A payer reads the text of the first broken rule, so order and texts are part of the protocol in practice. Between
these functions the issuer looks up the offer and earlier invoices (Core Lightning's plugins/offers_invreq_hook.c).
"""

from __future__ import annotations

from functools import lru_cache

from lnoffers.bolt12.chains import BITCOIN
from lnoffers.bolt12.features import NONE, first_unknown_bit
from lnoffers.bolt12.fields import InvoiceRequestFields as Request
from lnoffers.bolt12.rule_names import RuleName
from lnoffers.bolt12.rules import invoice_request
from lnoffers.bolt12.rules.invoice_request import RequestRules, is_in_range
from lnoffers.bolt12.rules.rule import Breach, always, check_always, check_when, enforce, when


def check_request(request: Request, chain: bytes) -> None:
    """Check a request before its offer is looked up; `chain` is the issuer's, 32 bytes.

    Raises:
        Bolt12Error: with the text for the payer, as from the next functions.
    """
    enforce(_of_reader(chain), request)


def check_terms(request: Request) -> None:
    """Check a request for an offer of the issuer's that can be paid: quantity, signature, and whether it recurs."""
    enforce(TERMS, request)


def check_amount_given(request: Request) -> None:
    """Check that the price can be computed: the offer or the request has an amount, and quantity does not overflow."""
    enforce(invoice_request.PRICED, request)


def check_period(request: Request) -> None:
    """Check the period that a request is for, once the invoice of the period before is known to be paid."""
    enforce(invoice_request.PERIODS, request)


def _feature_known(request: Request) -> Breach | None:
    bit = first_unknown_bit(request.invreq_features or b"", NONE)
    return None if bit is None else Breach(f"Unsupported invreq feature {bit}")


@lru_cache(maxsize=16)  # an issuer has one chain
def _of_reader(chain: bytes) -> RequestRules:
    return (*BEFORE_CHAIN, _on_chain(chain), BASED_ON_OFFER)


def _on_chain(chain: bytes) -> invoice_request.RequestRule:
    def find(request: Request) -> Breach | None:
        asked = request.invreq_chain or BITCOIN
        return None if asked == chain else Breach(f"Wrong chain {asked.hex()}")

    return check_always(RuleName.WRONG_CHAIN, Request.invreq_chain, find)


BEFORE_CHAIN: RequestRules = (
    check_always(
        RuleName.FIELD_OUT_OF_RANGE,
        Request.invreq_metadata,
        lambda r: None if is_in_range(r) else Breach("Invalid high fields"),
    ),
    *invoice_request.MADE_BY_PAYER,
    check_when(RuleName.UNKNOWN_FEATURE, Request.invreq_features, _feature_known),
    invoice_request.NAMED,
)
"""Rules that need only the request."""

BASED_ON_OFFER: invoice_request.RequestRule = always(
    RuleName.ISSUER_MISSING, Request.offer_issuer_id, lambda r: not r.answers_offer, "Not based on an offer"
)

TERMS: RequestRules = (
    *invoice_request.QUANTITIES,
    always(RuleName.SIGNATURE_MISSING, Request.signature, lambda r: r.signature is None, "missing signature"),
    always(RuleName.SIGNATURE_INVALID, Request.signature, lambda r: not r.has_valid_signature(), "bad signature"),
    *invoice_request.COUNTED,
    when(
        RuleName.RECURRENCE_UNEXPECTED,
        Request.invreq_recurrence_cancel,
        lambda r: r.offer_recurrence is None,
        "unexpected invreq_recurrence_cancel",
    ),
    invoice_request.CANCELS_LATER,
)
"""Rules for a request against its offer. The last is not Core Lightning's: the draft forbids to cancel period 0."""
