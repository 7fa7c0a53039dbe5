"""The error of this package."""

from __future__ import annotations


class Bolt11Error(ValueError):
    """A string is not a valid BOLT 11 invoice.

    `str(error)` is the message: Core Lightning's short text, which callers of its RPC know.

    Attributes:
        message: the same text.
        detail: where the fault is, if the message does not say. Tracebacks print it as a note.
    """

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message, detail)
        self.message = message
        self.detail = detail
        if detail:
            self.add_note(detail)

    def __str__(self) -> str:
        return self.message
