"""For each rule of invoice_errors, one that breaks it and no other."""

from __future__ import annotations

from lnoffers.bolt12 import InvoiceError

from .faults import Fault


def error_of(number: int | None = None, value: bytes | None = None) -> InvoiceError:
    """Return an invoice_error made by the builder."""
    return InvoiceError.build(error="no", erroneous_field=number, suggested_value=value)


FAULTS = [
    Fault(
        "WRITING",
        "suggestion-without-field",
        "suggested_value",
        error_of,
        {"value": b""},
        {"number": 82},
        "suggested_value needs erroneous_field",
    ),
    Fault(
        "WRITING",
        "suggestion-unfit",
        "suggested_value",
        error_of,
        {"number": 82, "value": b"\0"},
        {"value": b"\1"},
        "suggested_value is no value of its field: invreq_amount: a number starts with a zero byte",
    ),
]
