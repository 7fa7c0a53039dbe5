"""Decode a BOLT 12 string of any kind, and verify the message."""

from __future__ import annotations

from typing import TypeAlias

from lnoffers.bolt12.encoding import split_text
from lnoffers.bolt12.errors import Bolt12Error
from lnoffers.bolt12.invoice import Invoice
from lnoffers.bolt12.invoice_request import InvoiceRequest
from lnoffers.bolt12.offer import Offer
from lnoffers.bolt12.pasted import explained, unwrap
from lnoffers.bolt12.payer_proof import PayerProof
from lnoffers.bolt12.rule_names import RuleName
from lnoffers.bolt12.rules import invoice as invoice_rules
from lnoffers.bolt12.typecheck import typechecked

Bolt12: TypeAlias = Offer | InvoiceRequest | Invoice | PayerProof

_KINDS: dict[str, type[Bolt12]] = {kind.prefix: kind for kind in (Offer, InvoiceRequest, Invoice, PayerProof)}
_BARE = frozenset(start for prefix in _KINDS for start in (f"{prefix}1", f"{prefix.upper()}1"))
"""The prefixes of strings that need no unwrapping."""


@typechecked
def decode(text: str) -> Bolt12:
    """Decode a BOLT 12 string and verify the message completely, including its signatures but not its expiry.

    Args:
        text: an `lno`, `lnr`, `lni` or `lnp` string, in lower or in upper case, as people paste it: with white space
            around it, after `lightning:`, or in a link such as `bitcoin:?lno=lno1…`.

    Raises:
        Bolt12Error: those of `pasted.unwrap`; if the string cannot be parsed, what is wrong with it, in plain
            words; those of the class's `parse` and `verify`; `unknown-kind` for other prefixes.
    """
    string = text if text[:4] in _BARE and not text[-1].isspace() else unwrap(text)
    message: Bolt12 | None = None
    try:
        message = _read(string)
        _check_reading(message)
        if not isinstance(message, Offer):  # which has no signature
            message.verify()
    except Bolt12Error as error:
        if message is not None and message.records:
            raise
        raise explained(error, string) from None  # it cannot be read, or nothing follows the prefix
    return message


@typechecked
def decode_leniently(string: str) -> Bolt12:
    """Decode a BOLT 12 string with only the checks that Core Lightning's `decode` makes before it prints a message.

    A request's signature and key may be missing or wrong, and an invoice may be one that cannot be paid; `describe`
    says so.

    Args:
        string: the string alone, as for each class's `parse`.

    Raises:
        Bolt12Error: with Core Lightning's texts.
    """
    message = _read(string)
    _check_reading(message)
    if isinstance(message, Invoice):
        invoice_rules.check_decoding(message)
    elif isinstance(message, PayerProof):
        message.verify()
    return message


def _read(string: str) -> Bolt12:
    """Parse the message in a string; only its text form and encoding are checked."""
    prefix, data = split_text(string)
    kind = _KINDS.get(prefix)
    if kind is None:
        raise Bolt12Error(
            "the string is no offer, invoice_request, invoice or payer_proof: it begins with none of "
            + ", ".join(f"{each}1" for each in _KINDS),
            rule=RuleName.UNKNOWN_KIND,
            text_offset=0,
        )
    return kind._from_stream(data)


def _check_reading(message: Bolt12) -> None:
    if not isinstance(message, PayerProof):  # which is checked as a whole
        message._check_reading(None, message.known_features)
