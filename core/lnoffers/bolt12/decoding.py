"""From any BOLT 12 string to its checked message."""

from __future__ import annotations

from lnoffers.bolt12.errors import Bolt12Error
from lnoffers.bolt12.invoice_request import InvoiceRequest
from lnoffers.bolt12.text import without_scheme

_NOT_SUPPORTED = {"lno1": "offers (lno)", "lni1": "invoices (lni)", "lnp1": "payer proofs (lnp)"}


def decode(text: str) -> InvoiceRequest:
    """The message in a BOLT 12 string, checked in full, its signature included.

    Args:
        text: an `lnr` string, all in lower or all in upper case; `lightning:` may stand before it.

    Raises Bolt12Error: see `InvoiceRequest.parse` and `InvoiceRequest.verify`; `unsupported-kind` for the other kinds.
    """
    bare = without_scheme(text)
    kind = _NOT_SUPPORTED.get(bare[:4].lower())
    if kind:
        raise Bolt12Error(f"BOLT 12 {kind} are not supported, only invoice_requests (lnr)", rule="unsupported-kind")
    request = InvoiceRequest.parse(bare)
    request.verify()
    return request
