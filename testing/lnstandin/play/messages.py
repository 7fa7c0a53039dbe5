"""The two messages between payer and payee: TLV streams in messages of odd types.

The payer repeats `Pay` until a `Result` comes. A payee that is not sure yet sends nothing. Both messages name the
attempt: each payment hash has a new one only after the payee has refused the one before for good, so a late copy of an
old message pays nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Self

from lnoffers.bolt12 import codecs
from lnoffers.bolt12.bigsize import encode_bigsize
from lnoffers.bolt12.message import Field, Message
from lnoffers.net.messages import CustomMessage

PAY_TYPE: Final = 44_201
RESULT_TYPE: Final = 44_203
FEATURE: Final = 443
"""The feature bit by which a node says in its `init` that it plays."""


MAX_NUMBER: Final = 2**63 - 1
"""The largest number that a ledger can store."""


class UnusableError(ValueError):
    """A field that a message must have is missing, or larger than any ledger can store."""


class _PayTlvs(Message):
    __slots__ = ()

    payment_hash = Field(1, codecs.sha256)
    attempt = Field(3, codecs.tu64)
    amount_msat = Field(5, codecs.tu64)
    path_key = Field(7, codecs.point)
    recipient_data = Field(9, codecs.byte_string)
    payment_secret = Field(11, codecs.sha256)


class _ResultTlvs(Message):
    __slots__ = ()

    payment_hash = Field(1, codecs.sha256)
    attempt = Field(3, codecs.tu64)
    preimage = Field(5, codecs.preimage)
    reason = Field(7, codecs.utf8)


@dataclass(frozen=True, slots=True)
class Pay:
    """The payer gives an amount to the payee, who recognises its invoice by the end of a path, or by a secret."""

    payment_hash: bytes
    """32 bytes."""
    attempt: int
    """From 1 on."""
    amount_msat: int
    path_key: bytes | None = None
    """A compressed point, 33 bytes."""
    recipient_data: bytes | None = None
    """Encrypted: the path_id."""
    payment_secret: bytes | None = field(default=None, repr=False)
    """32 bytes, for an invoice of BOLT 11."""

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Parse the payload.

        Raises:
            Bolt12Error: if it is malformed.
            UnusableError: if a field is missing, or a number too large.
        """
        tlvs = _PayTlvs._read(data)
        if tlvs.payment_hash is None or tlvs.attempt is None or tlvs.amount_msat is None:
            raise UnusableError("a payment has a payment hash, an attempt and an amount")
        path = (tlvs.path_key, tlvs.recipient_data)
        if (None in path) if tlvs.payment_secret is None else path != (None, None):
            raise UnusableError("a payment has either both fields of a path or a payment secret")
        if max(tlvs.attempt, tlvs.amount_msat) > MAX_NUMBER:
            raise UnusableError(f"a number is larger than {MAX_NUMBER}")
        return cls(tlvs.payment_hash, tlvs.attempt, tlvs.amount_msat, *path, tlvs.payment_secret)

    def message(self) -> CustomMessage:
        """Return the message to send."""
        numbers = [codecs.tu64.encode(self.attempt), codecs.tu64.encode(self.amount_msat)]
        ends = (self.path_key, self.recipient_data, self.payment_secret)
        return CustomMessage(PAY_TYPE, _stream(self.payment_hash, *numbers, *ends))


@dataclass(frozen=True, slots=True)
class Result:
    """The payee has the amount, and gives the preimage; or it has refused this attempt for good, for a reason."""

    payment_hash: bytes
    """32 bytes."""
    attempt: int
    preimage: bytes | None = field(default=None, repr=False)
    """32 bytes."""
    reason: str | None = None
    """Without a preimage."""

    @classmethod
    def read(cls, data: bytes) -> Self:
        """Parse the payload.

        Raises:
            Bolt12Error: if it is malformed.
            UnusableError: if a field is missing.
        """
        tlvs = _ResultTlvs._read(data)
        if tlvs.payment_hash is None or tlvs.attempt is None or (tlvs.preimage is None) == (tlvs.reason is None):
            raise UnusableError("a result has a payment hash, an attempt, and either a preimage or a reason")
        return cls(tlvs.payment_hash, tlvs.attempt, tlvs.preimage, tlvs.reason)

    def message(self) -> CustomMessage:
        """Return the message to send."""
        reason = None if self.reason is None else codecs.utf8.encode(self.reason)
        stream = _stream(self.payment_hash, codecs.tu64.encode(self.attempt), self.preimage, reason)
        return CustomMessage(RESULT_TYPE, stream)


def _stream(*values: bytes | None) -> bytes:
    """Return the stream of records with the types 1, 3, 5 and so on; None leaves one out.

    `Record.build` checks its arguments, and would take six times as long for each payment.
    """
    given = [(2 * place + 1, value) for place, value in enumerate(values) if value is not None]
    return b"".join([encode_bigsize(type_) + encode_bigsize(len(value)) + value for type_, value in given])
