"""For each rule that is in no table, a call that breaks it: of encodings, signers, and values to be written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import lnoffers
from lnoffers.bolt12 import (
    Bip353Name,
    BlindedHop,
    BlindedPath,
    CallbackSigner,
    ChannelEnd,
    InvoiceRequest,
    Offer,
    PayerProof,
    Recurrence,
    UnsignedInvoiceRequest,
    parse_currency_amount,
    period_start,
)

from .samples import METADATA, OTHER_SIGNER, PREIMAGE, SIGNER, invoice, offer, raw_stream, request, unsigned


@dataclass(frozen=True)
class Example:
    """A call that breaks a rule."""

    rule: str
    call: Callable[[], object]

    def __str__(self) -> str:
        return self.rule


def _text(rule: str, text: str) -> Example:
    return Example(rule, lambda: lnoffers.decode(text))


def _stream(rule: str, data: bytes) -> Example:
    return Example(rule, lambda: Offer.from_bytes(data))


def _built(rule: str, **values: Any) -> Example:
    return Example(rule, lambda: offer(**values))


def _reached_by(rule: str, path: BlindedPath) -> Example:
    return _built(rule, offer_paths=[path])


POINT = OTHER_SIGNER.public_key
LONG_HOP = BlindedHop(POINT, bytes(0x10000))

FAULTS = [
    _text("text-separator", "lnr"),
    _text("text-case", "lno1qQ"),
    _text("text-character", "lno1b"),
    _text("text-padding", "lno1q"),
    _text("text-unfinished", "lno1q+ \n"),
    Example("text-prefix", lambda: Offer.parse("lnr1")),
    _text("unknown-kind", "lnx1qq"),
    _text("text-empty", " \n"),
    _text("link-without-string", "bitcoin:bc1qq?amount=1"),
    _text("name-needs-lookup", "alice@example.com"),
    Example("name-form", lambda: Bip353Name.parse("alice")),
    _stream("bigsize-truncated", b"\xfd\1"),
    _stream("bigsize-not-minimal", b"\xfd\0\1\0"),
    _stream("record-order", raw_stream((10, b""), (8, b"\1"))),
    _stream("record-unknown-even", raw_stream((24, b""))),
    _stream("record-truncated", b"\x0a\2a"),
    _stream("value-truncated", raw_stream((16, POINT))),
    Example("value-too-long", lambda: BlindedPath.from_bytes(BlindedPath(POINT, POINT, ()).to_bytes() + b"\0")),
    _stream("wrong-length", raw_stream((2, b"\0"))),
    _stream("number-too-long", raw_stream((8, b"\1" * 9))),
    _stream("number-not-minimal", raw_stream((8, b"\0"))),
    _built("number-range", offer_amount=2**64),
    _stream("text-not-utf8", raw_stream((10, b"\xff"))),
    _stream("text-nul", raw_stream((10, b"\0"))),
    _stream("not-a-point", raw_stream((22, bytes(33)))),
    Example("flag-value", lambda: InvoiceRequest._build(invreq_recurrence_cancel=False)),
    _reached_by("channel-end", BlindedPath(ChannelEnd(2, 1), POINT, ())),
    _reached_by("hop-too-long", BlindedPath(POINT, POINT, (LONG_HOP,))),
    _reached_by("path-too-long", BlindedPath(POINT, POINT, (BlindedHop(POINT, b""),) * 256)),
    Example("name-too-long", lambda: InvoiceRequest._build(invreq_bip_353_name=Bip353Name(b"a" * 256, b"b"))),
    Example("signing-key-missing", lambda: UnsignedInvoiceRequest._build(invreq_metadata=METADATA).sign(SIGNER)),
    Example("already-signed", lambda: UnsignedInvoiceRequest.from_bytes(request().to_bytes()).sign(SIGNER)),
    Example("signer-key", lambda: unsigned().sign(OTHER_SIGNER)),
    Example("signer-signature", lambda: unsigned().sign(CallbackSigner(SIGNER.public_key, lambda _: bytes(64)))),
    Example("period-too-late", lambda: period_start(Recurrence(2, 12), 0, 9_999)),
    Example("currency-unknown", lambda: parse_currency_amount("1XQQ")),
    Example("currency-decimals", lambda: parse_currency_amount("1.5EUR")),
    Example("currency-number", lambda: parse_currency_amount("oneEUR")),
    Example("field-unknown", lambda: PayerProof.for_invoice(invoice(), proof_preimage=PREIMAGE, include=["tea"])),
    Example("field-not-provable", lambda: PayerProof.for_invoice(invoice(), proof_preimage=PREIMAGE, include=[0])),
]
