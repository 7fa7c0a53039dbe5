"""The error of this package."""

from __future__ import annotations

from functools import partial
from typing import Any

from lnoffers.bolt12.rule_names import RuleName


class Bolt12Error(ValueError):
    """A string or message breaks a rule of BOLT 12.

    `str(error)` is the message: Core Lightning's short text if it has one, because callers of its RPC know it.
    Where `decode` cannot read a string, the message is in plain words.

    Attributes:
        message: the same text.
        rule: the broken rule's name, such as `record-order`; stable, for programs. docs/reference/rules.md lists all.
        field: the specification's name of the field at fault, if one is (`invreq_amount`).
        offset: where the fault is in the bytes, if known: its record's start, or the place within the framing.
        text_offset: where the fault is in the text form, if known: the character's index in the string as it
            was given, with its `+` and white space, but without `lightning:` or a link around it.
        detail: what exactly is wrong, if the message does not say. Tracebacks show it as a note.
    """

    def __init__(  # noqa: PLR0913 - one parameter per attribute
        self,
        message: str,
        *,
        rule: RuleName,
        field: str | None = None,
        offset: int | None = None,
        text_offset: int | None = None,
        detail: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.rule = rule
        self.field = field
        self.offset = offset
        self.text_offset = text_offset
        self.detail = detail
        if detail:
            self.add_note(detail)

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(type(self), rule=self.rule), (self.message,), self.__dict__
