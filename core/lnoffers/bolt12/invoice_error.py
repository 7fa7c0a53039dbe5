"""invoice_error: why a request or an invoice was rejected. It is sent in onion messages only and has no text form."""

from __future__ import annotations

from typing import Self

from lnoffers.bolt12.bigsize import encode_bigsize, read_bigsize
from lnoffers.bolt12.errors import Bolt12Error
from lnoffers.bolt12.fields import InvoiceErrorFields
from lnoffers.bolt12.rules import invoice_error as rules
from lnoffers.bolt12.typecheck import typechecked


class InvoiceError(InvoiceErrorFields):
    """An invoice_error."""

    __slots__ = ()

    @classmethod
    @typechecked
    def build(
        cls, *, error: str, erroneous_field: int | None = None, suggested_value: bytes | None = None
    ) -> InvoiceError:
        """Return a new error.

        Args:
            error: what is wrong, in words.
            erroneous_field: the number of the field at fault.
            suggested_value: the bytes that the record of that field should hold.

        Raises:
            Bolt12Error: the rules of `rules.invoice_error.WRITING`, and the codecs'.
        """
        message = cls._build(error=error, erroneous_field=erroneous_field, suggested_value=suggested_value)
        rules.check_writing(message)
        return message

    @classmethod
    @typechecked
    def from_bytes(cls, data: bytes) -> Self:
        """Parse the error in a TLV stream. LDK writes the stream's length before it, which is skipped.

        Raises:
            Bolt12Error: if it is malformed, whether or not a length is skipped.
        """
        try:
            message = super().from_bytes(data)
        except Bolt12Error:
            bare = _without_length(data)
            if bare is None:
                raise
            return super().from_bytes(bare)
        bare = None if message.error is not None else _without_length(data)
        return message if bare is None else super().from_bytes(bare)

    def to_ldk_bytes(self) -> bytes:
        """Return the TLV stream with its length before it, which LDK writes and expects."""
        stream = self.to_bytes()
        return encode_bigsize(len(stream)) + stream


def _without_length(data: bytes) -> bytes | None:
    """Return the data without its length prefix, or None if it does not begin with its length."""
    try:
        length, start = read_bigsize(data, 0)
    except Bolt12Error:
        return None
    return data[start:] if length == len(data) - start else None
