"""The parameters of the invoice commands that lightningd reads by a grammar of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from clnrpc.runtime.jsontext import JsonType, json_type
from clnrpc.runtime.server.convert import BadToken, Converter, content, hex_of, raw_text
from clnrpc.runtime.values.written import Written
from lnoffers.service.parameters.texts import MAX_INVOICE, MAX_UNSIGNED, check_label, string_to_read
from lnoffers.service.store.invoices import InvoiceIndex


def invoice_label(raw: bytes) -> Written:
    """The label of an invoice: a string or digits. Labels are told apart as they are written (param_label)."""
    check_label(raw)
    text = content(raw)
    if json_type(raw) is not JsonType.STRING and not text.isdigit():
        raise BadToken("should be a string or number")
    return Written.read(text.decode())


def invoice_index(raw: bytes) -> str:
    """What to order invoices by (param_index); the index "deleted" is none that could order what is still there."""
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
"""Command -> parameter -> converter in place of its type's."""
