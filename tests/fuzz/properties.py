"""What must hold for whatever anybody sends: a message, or a Bolt12Error that names a rule; anything else escapes.

What is read is written again as it came, even without the bytes that it was read from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from lnoffers.bolt12 import (
    BlindedPath,
    Bolt12,
    Bolt12Error,
    Invoice,
    InvoiceError,
    InvoiceRequest,
    Offer,
    PayerProof,
    decode,
    decode_leniently,
    describe,
    without_scheme,
)
from lnoffers.bolt12.encoding import split_text
from lnoffers.bolt12.pasted import unwrap
from tests.bolt12.samples import SIGNER, resigned

A = TypeVar("A")
T = TypeVar("T")

KINDS: Final[tuple[type[Bolt12], ...]] = (Offer, InvoiceRequest, Invoice, PayerProof)


def check(data: bytes) -> None:
    """Check the properties of any bytes, as a string and as a stream. Raises whatever breaks one."""
    check_text(data.decode("utf-8", "surrogateescape"))
    check_stream(data)


def check_text(text: str) -> None:
    """Check a string, by all ways from strings to messages."""
    decoded, shown = _attempt(decode, text), _attempt(decode_leniently, without_scheme(text))
    assert decoded is None or decoded == decode_leniently(unwrap(text)), (
        "what is good in full is good enough to be shown"
    )
    for kind in KINDS:
        parsed = _attempt(kind.parse, text)
        assert parsed is None or parsed.encode() == kind.parse(parsed.encode()).encode()
    if shown is not None:
        assert shown.to_bytes() == split_text(without_scheme(text))[1]
        assert decode_leniently(shown.encode()) == shown
        check_message(shown)


def check_stream(data: bytes) -> None:
    """Check a TLV stream, and whatever else comes in bytes."""
    for kind in KINDS:
        message = _attempt(kind.from_bytes, data)
        if message is not None:
            assert message.to_bytes() == data
            check_message(message)
    path = _attempt(BlindedPath.from_bytes, data)
    assert path is None or path.to_bytes() == data
    error = _attempt(InvoiceError.from_bytes, data)
    assert error is None or data.endswith(error.to_bytes())


def check_message(message: Bolt12) -> None:
    """Check a message that can be read."""
    values = {field.name: getattr(message, field.name) for field in message.fields.values()}
    assert type(message)._build(message.unknown_records, **values).to_bytes() == message.to_bytes()
    describe(message)
    repr(message)
    if not isinstance(message, Offer):
        _attempt(type(message).verify, message)
        _check_behind_signature(message)


def _check_behind_signature(message: InvoiceRequest | Invoice | PayerProof) -> None:
    """Check the rules behind the signature, with a valid one, because no fuzzer guesses it."""
    key = message.fields[getattr(type(message), message.signed_by).number]
    kept = [record for record in message.records if record.type != key.number]
    records = resigned(type(message), [*kept, key.encode(SIGNER.public_key)], SIGNER)
    signed = type(message)(tuple(records), {})
    again = type(message).from_bytes(signed.to_bytes())
    shown = describe(again)
    try:
        again.verify()
    except Bolt12Error:
        return
    # Payers pass over fallback addresses that mean nothing.
    assert shown["valid"] or "invoice_fallbacks" in shown, "what is good in full is described as valid"


def _attempt(read: Callable[[A], T], argument: A) -> T | None:
    try:
        return read(argument)
    except Bolt12Error as error:
        if not error.rule:
            raise
        return None
