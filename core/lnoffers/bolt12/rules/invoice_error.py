"""The rules for writers of an invoice_error; readers have none. BOLT 12, "Invoice Errors", "Requirements"."""

from __future__ import annotations

from lnoffers.bolt12.errors import Bolt12Error
from lnoffers.bolt12.fields import InvoiceErrorFields as InvoiceError
from lnoffers.bolt12.fields import InvoiceFields, InvoiceRequestFields
from lnoffers.bolt12.rule_names import RuleName
from lnoffers.bolt12.rules.rule import Breach, Rule, check_when, enforce, when
from lnoffers.bolt12.tlv import Record

_FIELDS = {**InvoiceRequestFields.fields, **InvoiceFields.fields}


def check_writing(error: InvoiceError) -> None:
    """Check the rules for the writer of an invoice_error."""
    enforce(WRITING, error)


def _suggestion_fits(error: InvoiceError) -> Breach | None:
    number, value = error.erroneous_field, error.suggested_value
    field = _FIELDS.get(-1 if number is None else number)
    if field is None or value is None:
        return None
    try:
        field.decode(Record.build(field.number, value))
    except Bolt12Error as fault:
        return Breach(f"suggested_value is no value of its field: {fault}")
    return None


WRITING: tuple[Rule[InvoiceError], ...] = (
    when(
        RuleName.SUGGESTION_WITHOUT_FIELD,
        InvoiceError.suggested_value,
        lambda e: e.erroneous_field is None,
        "suggested_value needs erroneous_field",
    ),
    check_when(RuleName.SUGGESTION_UNFIT, InvoiceError.suggested_value, _suggestion_fits),
)
