"""The rules of invoices, alone and as answers to a request. BOLT 12, "Invoices", "Requirements"."""

from __future__ import annotations

from functools import lru_cache

from lnoffers.bolt12.blinded_paths import first_empty_path
from lnoffers.bolt12.chains import BITCOIN
from lnoffers.bolt12.features import NONE, first_unknown_bit
from lnoffers.bolt12.fields import InvoiceFields as Invoice
from lnoffers.bolt12.fields import InvoiceRequestFields
from lnoffers.bolt12.fields import MirroredRequestFields as Request
from lnoffers.bolt12.rule_names import RuleName
from lnoffers.bolt12.rules import invoice_request, offer
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
)
from lnoffers.bolt12.tlv import INVOICE_REQUEST_SPAN, in_span

InvoiceRules = tuple[Rule[Invoice], ...]


def check_reading(invoice: Invoice, chain: bytes | None, features: frozenset[int]) -> None:
    """Check the rules that Core Lightning's decoder checks first, for signed and unsigned invoices."""
    enforce(_of_reader(chain, features), invoice)


def check_decoding(invoice: Invoice) -> None:
    """Check the rules that Core Lightning's decoder checks next, in its order."""
    enforce(SIGNED, invoice)
    enforce(COMPLETE, invoice)


def check_verifying(invoice: Invoice) -> None:
    """Check all rules for a reader that has only the invoice, not its request."""
    check_decoding(invoice)
    enforce(PAYABLE, invoice)
    enforce(REPEATING, invoice)


def check_answerable(request: InvoiceRequestFields) -> None:
    """Check the rules for a request before an invoice is made for it."""
    enforce(ANSWERABLE, request)


def check_writing(invoice: Invoice, *, any_amount: bool = False) -> None:
    """Check the rules for the writer of an invoice; with `any_amount` it may be for another amount than asked."""
    enforce(COMPLETE, invoice)
    enforce(PAYABLE, invoice)
    enforce(_WRITING if any_amount else WRITING, invoice)


def check_answering(invoice: Invoice, request: Request, *, sent_to: bytes | None, max_amount: int | None) -> None:
    """Check the rules for a payer that has requested the invoice; see `Invoice.verify_answer`."""
    check_decoding(invoice)
    enforce(PAYABLE, invoice)
    enforce((mirrors(request), comes_from(sent_to), asks_at_most(max_amount)), invoice)


def check_asked(invoice: Invoice) -> None:
    """Check the same rules for a payer that has compared the request's id; see `Invoice.verify_asked`."""
    check_decoding(invoice)
    enforce(PAYABLE, invoice)
    enforce((_FROM_ISSUER, _FOR_WHAT_WAS_ASKED), invoice)


def check_unexpired(invoice: Invoice, now: int) -> None:
    """Check that the invoice has not expired before `now` (Unix seconds)."""
    enforce((unexpired(now),), invoice)


# ---- checks that say more than one thing, or need more than a line


def _hops_everywhere(invoice: Invoice) -> Breach | None:
    paths = invoice.invoice_paths or ()
    empty = first_empty_path(paths)
    return None if empty is None else Breach(f"zero num_hops in path {empty}/{len(paths)}")


def _payinfo_for_each(invoice: Invoice) -> Breach | None:
    paths, payinfos = len(invoice.invoice_paths or ()), len(invoice.invoice_blindedpay or ())
    return None if paths == payinfos else Breach(f"expected {paths} payinfo but found {payinfos}")


def _some_path_usable(invoice: Invoice) -> Breach | None:
    if invoice.usable_paths:
        return None
    unknown = next((first_unknown_bit(payinfo.features, NONE) for payinfo in invoice.invoice_blindedpay or ()), None)
    return Breach(f"Unsupported feature for all paths ({unknown})")


def _amount_as_asked(invoice: Invoice) -> Breach | None:
    asked = invoice.expected_amount if invoice.invreq_amount is None else invoice.invreq_amount
    if asked is None or invoice.invoice_amount == asked:
        return None
    return Breach(f"invoice_amount is {invoice.invoice_amount}msat where {asked}msat are asked for")


def _signer_of_offer(invoice: Invoice) -> Breach | None:
    expected = {invoice.offer_issuer_id} if invoice.offer_issuer_id is not None else invoice.offer_path_ends
    if not expected or invoice.invoice_node_id in expected:
        return None
    return Breach("invoice_node_id is neither offer_issuer_id nor the end of one of offer_paths")


# ---- rules that need something of the reader's


@lru_cache(maxsize=16)  # a reader has one chain and one set of features
def _of_reader(chain: bytes | None, features: frozenset[int]) -> InvoiceRules:
    known = known_features(RuleName.UNKNOWN_FEATURE, Invoice.invoice_features, features)
    return (known,) if chain is None else (on_chain(chain), known)


def on_chain(chain: bytes) -> Rule[Invoice]:
    """Require the invoice to be for this chain."""
    return always(
        RuleName.WRONG_CHAIN, Invoice.invreq_chain, lambda i: (i.invreq_chain or BITCOIN) != chain, "wrong chain"
    )


def unexpired(now: int) -> Rule[Invoice]:
    """Require that the invoice has not expired before `now` (Unix seconds)."""
    return always(
        RuleName.INVOICE_EXPIRED, Invoice.invoice_relative_expiry, lambda i: i.expires_at < now, "Expired invoice"
    )


def mirrors(request: Request) -> Rule[Invoice]:
    """Require the invoice to repeat the records of the request byte for byte, without others in their ranges."""
    asked = {record.type: record for record in request.records if in_span(record.type, INVOICE_REQUEST_SPAN)}

    def find(invoice: Invoice) -> Breach | None:
        got = {record.type: record for record in invoice.records if in_span(record.type, INVOICE_REQUEST_SPAN)}
        if got == asked:
            return None
        first = min(type_ for type_ in asked.keys() | got.keys() if asked.get(type_) != got.get(type_))
        return Breach(f"the invoice does not repeat field {first} of the invoice_request", first)

    return check_always(RuleName.REQUEST_NOT_MIRRORED, None, find)


def comes_from(sent_to: bytes | None) -> Rule[Invoice]:
    """Require the invoice's key to be the offer's issuer id. Without one: `sent_to`, else any path's last id."""

    def find(invoice: Invoice) -> Breach | None:
        if invoice.offer_issuer_id is None and sent_to is not None and invoice.invoice_node_id != sent_to:
            return Breach("invoice_node_id is not the node at the end of the path that the request took")
        return _signer_of_offer(invoice)

    return check_always(RuleName.NODE_ID_UNEXPECTED, Invoice.invoice_node_id, find)


def asks_at_most(max_amount: int | None) -> Rule[Invoice]:
    """Require at most `max_amount`; without that, the amount of the request, or else the offer's price."""

    def find(invoice: Invoice) -> Breach | None:
        amount = invoice.invoice_amount or 0
        if max_amount is not None:
            too_much = f"invoice_amount is {amount}msat, more than the {max_amount}msat allowed"
            return Breach(too_much) if amount > max_amount else None
        if invoice.invreq_amount is None and invoice.expected_amount is None:
            return Breach(f"nobody has allowed {amount}msat: the request names no amount, and the offer none in msat")
        return _amount_as_asked(invoice)

    return check_always(RuleName.AMOUNT_UNEXPECTED, Invoice.invoice_amount, find)


# ---- the tables


SIGNED: InvoiceRules = (
    required(RuleName.NODE_ID_MISSING, Invoice.invoice_node_id, "Missing node_id"),
    required(RuleName.SIGNATURE_MISSING, Invoice.signature, "Missing signature"),
    always(RuleName.SIGNATURE_INVALID, Invoice.signature, lambda i: not i.has_valid_signature(), "Invalid signature"),
)
"""Rules for the payee's key and signature."""

COMPLETE: InvoiceRules = (
    required(RuleName.AMOUNT_MISSING, Invoice.invoice_amount, "missing invoice_amount"),
    required(RuleName.CREATED_AT_MISSING, Invoice.invoice_created_at, "missing invoice_created_at"),
    required(RuleName.PAYMENT_HASH_MISSING, Invoice.invoice_payment_hash, "missing invoice_payment_hash"),
    always(RuleName.PATHS_MISSING, Invoice.invoice_paths, lambda i: not i.invoice_paths, "missing/empty invoice_paths"),
    check_always(RuleName.PATH_WITHOUT_HOPS, Invoice.invoice_paths, _hops_everywhere),
    check_always(RuleName.PAYINFO_COUNT, Invoice.invoice_blindedpay, _payinfo_for_each),
)
"""Required fields, in Core Lightning's order."""

PAYABLE: InvoiceRules = (
    check_always(RuleName.PATHS_UNUSABLE, Invoice.invoice_blindedpay, _some_path_usable),
    always(
        RuleName.BASETIME_MISSING,
        Invoice.invoice_recurrence_basetime,
        lambda i: i.offer_recurrence is not None and i.invoice_recurrence_basetime is None,
        "recurring invoices without a recurrence_basetime are invalid",
    ),
)
"""Further rules for a payer."""

_FROM_ISSUER: Rule[Invoice] = check_always(RuleName.NODE_ID_UNEXPECTED, Invoice.invoice_node_id, _signer_of_offer)
_FOR_WHAT_WAS_ASKED: Rule[Invoice] = asks_at_most(None)

REPEATING: InvoiceRules = (
    *invoice_request.MADE_BY_PAYER,
    invoice_request.NAMED,
    invoice_request.PATHS_WITH_HOPS,
    offer.DESCRIBED,
    offer.PATHS_WITH_HOPS,
    _FROM_ISSUER,
    check_when(RuleName.AMOUNT_UNEXPECTED, Invoice.invoice_amount, _amount_as_asked, given=Invoice.invreq_amount),
)
"""Rules for the request that an invoice repeats, for a reader that does not have the request itself."""

ANSWERABLE = (
    forbidden(RuleName.CANCELLED, InvoiceRequestFields.invreq_recurrence_cancel, "the request ends a recurrence"),
)
"""Rules for a request before an invoice is made for it."""

_WRITING: InvoiceRules = (
    required(RuleName.NODE_ID_MISSING, Invoice.invoice_node_id, "invoice_node_id is required"),
    _FROM_ISSUER,
)

WRITING: InvoiceRules = (
    *_WRITING,
    check_always(RuleName.AMOUNT_UNEXPECTED, Invoice.invoice_amount, _amount_as_asked),
)
"""Rules for the writer of an invoice."""
