"""Saying what a BOLT 12 string is and holds, as Core Lightning's `decode` says it. No node is needed."""

from __future__ import annotations

from lnoffers.bolt12 import Bolt12Error, InvoiceRequest, Json, describe, refuse_other_kinds, without_scheme


def decode(text: str) -> dict[str, Json]:
    """What the string says, as a JSON object in the order of Core Lightning's answer; `valid` sums it up.

    A message whose signature or key is wrong or missing is shown all the same, with a warning and `valid` false.

    Raises:
        Bolt12Error: if the string is no invoice_request, or one that breaks a rule of BOLT 12.
    """
    string = without_scheme(text)
    refuse_other_kinds(string)
    try:
        request = InvoiceRequest.parse(string)
    except Bolt12Error as error:
        # What is wrong with it as an invoice_request is of interest only if it looks like one.
        if string.startswith(("lnr1", "LNR1")):
            raise
        raise Bolt12Error("Unparsable string", rule="unknown-kind") from error
    return describe(request)
