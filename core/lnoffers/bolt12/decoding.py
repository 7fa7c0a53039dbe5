"""From any BOLT 12 string to its checked message."""

from __future__ import annotations

from typing import TypeAlias

from lnoffers.bolt12.errors import Bolt12Error
from lnoffers.bolt12.invoice import Invoice
from lnoffers.bolt12.invoice_request import InvoiceRequest
from lnoffers.bolt12.offer import Offer
from lnoffers.bolt12.payer_proof import PayerProof
from lnoffers.bolt12.rule_names import RuleName
from lnoffers.bolt12.rules import invoice as invoice_rules
from lnoffers.bolt12.text import split_text, without_scheme
from lnoffers.bolt12.typecheck import typechecked

Bolt12: TypeAlias = Offer | InvoiceRequest | Invoice | PayerProof

_KINDS: dict[str, type[Bolt12]] = {kind.prefix: kind for kind in (Offer, InvoiceRequest, Invoice, PayerProof)}


@typechecked
def decode(text: str) -> Bolt12:
    """The message in a BOLT 12 string, checked in full, its signatures included; its expiry is not looked at.

    Args:
        text: an `lno`, `lnr`, `lni` or `lnp` string, all in lower or all in upper case, perhaps after `lightning:`.

    Raises Bolt12Error: those of the class's `parse` and `verify`; `unknown-kind` for other prefixes.
    """
    message = _parse(without_scheme(text))
    if not isinstance(message, Offer):  # which nobody signs
        message.verify()
    return message


@typechecked
def decode_leniently(string: str) -> Bolt12:
    """The message in a BOLT 12 string, as far as Core Lightning's `decode` checks it before it shows it.

    A request's signature and key may be missing or wrong, and an invoice may be one that cannot be paid; `describe`
    says so.

    Args:
        string: as for `decode`, but without `lightning:`, as for each class's `parse`.

    Raises Bolt12Error like `decode` for all else.
    """
    message = _parse(string)
    if isinstance(message, Invoice):
        invoice_rules.check_decoding(message)
    elif isinstance(message, PayerProof):
        message.verify()
    return message


def _parse(string: str) -> Bolt12:
    prefix, data = split_text(string)
    kind = _KINDS.get(prefix)
    if kind is None:
        raise Bolt12Error(
            "the string is no offer, invoice_request, invoice or payer_proof: it begins with none of "
            + ", ".join(f"{each}1" for each in _KINDS),
            rule=RuleName.UNKNOWN_KIND,
            text_offset=0,
        )
    return kind.from_bytes(data)
