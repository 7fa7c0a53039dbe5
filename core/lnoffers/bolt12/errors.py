"""The one error of this package."""

from __future__ import annotations


class Bolt12Error(ValueError):
    """Something breaks a rule of BOLT 12.

    `str(error)` is the message: Core Lightning's short text where it has one, because callers of its RPC know those.

    Attributes:
        message: the same text.
        rule: the broken rule's name, in kebab case (`record-order`); stable, for programs.
        field: the specification's name of the field at fault, if one is (`invreq_amount`).
        offset: where the fault is, if known: in the bytes or, for the text form, in the joined string.
        detail: what exactly is wrong, where the message does not say. Tracebacks show it as a note.
    """

    def __init__(
        self, message: str, *, rule: str, field: str | None = None, offset: int | None = None, detail: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.rule = rule
        self.field = field
        self.offset = offset
        self.detail = detail
        if detail:
            self.add_note(detail)
