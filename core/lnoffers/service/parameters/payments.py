"""Converters for the parameters of the commands about payments that have a syntax of their own in lightningd.

Source: Core Lightning, plugins/offers_proof.c.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from clnrpc.runtime.jsontext import JsonType, elements, json_type
from clnrpc.runtime.server.convert import BadToken, Converter, raw_text, unsigned
from lnoffers.bolt12 import Bip353Name, Bolt12Error, Invoice, Offer, PayerProof, without_scheme
from lnoffers.service.parameters.requests import name, note
from lnoffers.service.parameters.strings import MAX_INVOICE, one_of, string_to_read, with_text

_TO_PROVE: Final = "Expected bolt12 invoice (lni1...), offer (lno1...), or user@domain"


@dataclass(frozen=True, slots=True)
class ToProve:
    """What selects payments: an invoice, the id of an offer, or a BIP 353 name."""

    invoice: Invoice | None = None
    offer_id: bytes | None = None
    """32 bytes."""
    name: Bip353Name | None = None


def to_prove(text: str) -> ToProve:
    """Return what an invoice, an offer or a name selects."""
    string = without_scheme(text)
    lowered = string.lower()
    try:
        if lowered.startswith("lni1"):
            return ToProve(invoice=Invoice.parse(string))
        if lowered.startswith("lno1"):
            return ToProve(offer_id=Offer.parse(string).offer_id)
    except Bolt12Error as error:
        what = "invoice" if lowered.startswith("lni1") else "offer"
        raise BadToken(f"Invalid {what}: {error}") from None
    if "@" in string:
        return ToProve(name=name(string))
    raise BadToken(_TO_PROVE)


def to_pay(text: str) -> bytes:
    """Return the payment hash, 32 bytes, of an invoice, or the one that is given in hex."""
    string = without_scheme(text.strip())
    if _payment_hash(string):
        return bytes.fromhex(string)
    try:
        payment_hash = Invoice.parse(string).invoice_payment_hash
    except Bolt12Error as error:
        raise BadToken(f"Invalid invoice: {error}") from None
    if payment_hash is None:
        raise BadToken("Invalid invoice: missing invoice_payment_hash")
    return payment_hash


_payment_hash: Final = re.compile("[0-9A-Fa-f]{64}").fullmatch


def _to_pay(raw: bytes) -> str:
    text = str(string_to_read(MAX_INVOICE)(raw))
    to_pay(text)
    return text


def _to_prove(raw: bytes) -> str:
    string_to_read(MAX_INVOICE)(raw)
    text = note(raw)
    to_prove(text)
    return text


_number: Final = with_text("Expected name or number", unsigned(64))
_BY_NAME: Final = {field.name: field.number for field in Invoice.fields.values() if field.number in PayerProof.fields}
_SIGNATURE: Final = Invoice.signature.number
"""The signature of the invoice, which is in each proof."""


def _field(raw: bytes) -> int:
    """Convert the name or number of a field for a proof to show."""
    if json_type(raw) is JsonType.STRING:
        if raw_text(raw) not in _BY_NAME:
            raise BadToken("Unknown field name")
        return _BY_NAME[raw_text(raw)]
    number: int = _number(raw)
    try:
        return number if number == _SIGNATURE else PayerProof.provable_number(number)
    except Bolt12Error as error:
        raise BadToken(error.message) from None


def _fields(raw: bytes) -> list[int]:
    if json_type(raw) is not JsonType.ARRAY:
        raise BadToken("Expected array")
    found = set[int]()
    for index, token in enumerate(elements(raw)):
        try:
            found.add(_field(token))
        except BadToken as bad:
            raise BadToken(bad.why, f"[{index}]", token, names_place=False) from None
    return sorted(found - {_SIGNATURE})


OF_PAYMENTS: Final[Mapping[str, Mapping[str, Converter]]] = {
    "paybyhand": {"invoice": _to_pay},
    "listpays": {
        "bolt11": _to_pay,
        "status": one_of("pending", "complete", "failed"),
        "index": one_of("created", "updated", otherwise="unknown index"),
    },
    "xpay": {"invstring": string_to_read(MAX_INVOICE), "payer_note": note},
    "createproof": {"invstring": _to_prove, "note": note, "include": _fields},
}
"""Command -> parameter -> converter."""
