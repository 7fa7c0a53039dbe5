"""Converters for the parameters of the invoice commands that have a syntax of their own in lightningd."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from clnrpc.runtime.jsontext import JsonType, json_type
from clnrpc.runtime.server.convert import BadToken, Converter, content, hex_of, raw_text
from clnrpc.runtime.values.written import Written
from lnoffers.service.parameters.strings import MAX_INVOICE, MAX_UNSIGNED, check_label, string_to_read
from lnoffers.service.store.invoices import InvoiceIndex


def invoice_label(raw: bytes) -> Written:
    """Convert the label of an invoice: a string or digits. Labels are compared as they are written (param_label)."""
    check_label(raw)
    text = content(raw)
    if json_type(raw) is not JsonType.STRING and not text.isdigit():
        raise BadToken("should be a string or number")
    return Written.read(text.decode())


def invoice_index(raw: bytes) -> str:
    """Convert the index to order invoices by (param_index). No stored invoice is deleted: "deleted" means "created"."""
    text = raw_text(raw)
    if text == "deleted":
        return InvoiceIndex.CREATED.value
    if text not in set(InvoiceIndex):
        raise BadToken("unknown index")
    return text


preimage: Final = hex_of(range(32, 33), "should be 64 hex digits")
"""32 bytes (param_preimage)."""

OF_INVOICES: Final[Mapping[str, Mapping[str, Converter]]] = {
    "createinvoice": {"invstring": string_to_read(MAX_UNSIGNED), "label": invoice_label, "preimage": preimage},
    "delinvoice": {"label": invoice_label, "status": raw_text},
    "listinvoices": {"label": invoice_label, "invstring": string_to_read(MAX_INVOICE), "index": invoice_index},
    "waitinvoice": {"label": invoice_label},
}
"""Converters by command and parameter, in place of those of their types."""
