"""From any BOLT 12 string to its checked message."""

from __future__ import annotations

from lnoffers.bolt12.errors import Bolt12Error
from lnoffers.bolt12.invoice_request import InvoiceRequest
from lnoffers.bolt12.text import without_scheme

_NOT_SUPPORTED = frozenset({"lno1", "lni1", "lnp1"})  # offers, invoices, payer proofs


def decode(text: str) -> InvoiceRequest:
    """The message in a BOLT 12 string, checked in full, its signature included.

    Args:
        text: an `lnr` string, all in lower or all in upper case; `lightning:` may stand before it.

    Raises Bolt12Error: see `InvoiceRequest.parse` and `InvoiceRequest.verify`; `unsupported-kind` for the other kinds.
    """
    string = without_scheme(text)
    refuse_other_kinds(string)
    request = InvoiceRequest.parse(string)
    request.verify()
    return request


def refuse_other_kinds(string: str) -> None:
    """Raises Bolt12Error (`unsupported-kind`) if the string, without scheme, is of a kind that is not read here."""
    if string[:4].lower() in _NOT_SUPPORTED:
        raise Bolt12Error(f"{string[:3]} strings are not supported, only lnr", rule="unsupported-kind")
