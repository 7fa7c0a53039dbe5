"""A BOLT 11 invoice, parsed and checked as strictly as Core Lightning does."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from lnoffers import bech32
from lnoffers.bolt11.chains import Chain
from lnoffers.bolt11.errors import Bolt11Error
from lnoffers.bolt11.fallbacks import Fallback
from lnoffers.bolt11.fields import TAGS, RouteHop
from lnoffers.bolt11.prefix import read_prefix
from lnoffers.bolt12.curve import ecdsa_recover, ecdsa_to_der, ecdsa_verify
from lnoffers.bolt12.typecheck import typechecked

DEFAULT_EXPIRY: Final = 3600
DEFAULT_CLTV: Final = 18

_TIMESTAMP_SYMBOLS: Final = 7
_HEADER_SYMBOLS: Final = 3  # a tag, and a length of two symbols
_SIGNATURE_SYMBOLS: Final = 104


@typechecked
@dataclass(frozen=True, slots=True)
class UnknownField:
    """A field that is not known, is a repetition, or has a form that must be skipped.

    `tag` is its letter, `data` its symbols as written in the string.
    """

    tag: str
    data: str


@typechecked
@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """A BOLT 11 invoice whose signature is valid.

    Attributes:
        chain: the chain of the amount.
        amount_msat: millisatoshi; None if the payer chooses.
        timestamp: when it was made, Unix time in seconds.
        expiry: seconds after that.
        payee: the node's public key, a compressed point: named by the invoice, or recovered from the signature.
        payment_hash, payment_secret: 32 bytes each.
        description, description_hash: at least one is present; the hash is SHA256 of a text sent separately.
        min_final_cltv_expiry: blocks, u32.
        features: a bitmap, big-endian; empty if there is none.
        payment_metadata: to be sent with the payment.
        fallbacks: on-chain outputs, the most preferred first.
        routes: routes over private channels to the payee.
        unknown_fields: in their order.
        signature: ECDSA, r and s, 64 bytes.
    """

    chain: Chain
    amount_msat: int | None
    timestamp: int
    expiry: int = DEFAULT_EXPIRY
    payee: bytes
    payment_hash: bytes
    payment_secret: bytes
    description: str | None = None
    description_hash: bytes | None = None
    min_final_cltv_expiry: int = DEFAULT_CLTV
    features: bytes = b""
    payment_metadata: bytes | None = None
    fallbacks: tuple[Fallback, ...] = ()
    routes: tuple[tuple[RouteHop, ...], ...] = ()
    unknown_fields: tuple[UnknownField, ...] = ()
    signature: bytes

    @classmethod
    @typechecked
    def parse(cls, text: str) -> Invoice:
        """Parse a string, all in lower or all in upper case, without `lightning:`.

        Raises:
            Bolt11Error: if the string, a field or the signature is not valid, the payment hash, payment secret or
                description is missing, or a required feature is not known.
        """
        form = bech32.decode(text)
        if form is None or form.constant != bech32.BECH32:
            raise Bolt11Error("Bad bech32 string")
        chain, amount = read_prefix(form.prefix)
        timestamp = _read_timestamp(form.symbols)
        fields, end = _read_fields(form.symbols, len(form.prefix) + 1)
        _require(fields)
        digest = sha256(form.prefix.encode() + bech32.padded_bytes(form.symbols[:end])).digest()
        signature, payee = _check_signature(form.symbols[end:], digest, fields.pop("payee", None))
        return cls(chain=chain, amount_msat=amount, timestamp=timestamp, payee=payee, signature=signature, **fields)


def _read_timestamp(symbols: bytes) -> int:
    if len(symbols) < _TIMESTAMP_SYMBOLS:
        raise Bolt11Error("Can't get 35-bit timestamp: truncated")
    return bech32.number(symbols[:_TIMESTAMP_SYMBOLS])


def _read_fields(symbols: bytes, text_offset: int) -> tuple[dict[str, Any], int]:
    """Return the fields between timestamp and signature, by attribute, and the position after them.

    `text_offset` is the position of the symbols in the string, for errors.
    """
    single: dict[str, Any] = {}
    several: dict[str, list[Any]] = defaultdict(list)
    position = _TIMESTAMP_SYMBOLS
    while len(symbols) - position > _SIGNATURE_SYMBOLS:
        letter = bech32.ALPHABET[symbols[position]]
        start = position + _HEADER_SYMBOLS
        end = start + bech32.number(symbols[position + 1 : start])
        if end > len(symbols):
            raise Bolt11Error(f"{letter}: truncated")
        content, tag = symbols[start:end], TAGS.get(letter)
        try:
            value = None if tag is None or tag.attribute in single else tag.read(content)
        except Bolt11Error as error:
            where = f"field {letter} at character {text_offset + position}"
            raise Bolt11Error(error.message, f"{error.detail}, in {where}" if error.detail else f"in {where}") from None
        if tag is None or value is None:
            several["unknown_fields"].append(UnknownField(letter, bech32.letters(content)))
        elif tag.repeats:
            several[tag.attribute].append(value)
        else:
            single[tag.attribute] = value
        position = end
    return single | {attribute: tuple(values) for attribute, values in several.items()}, position


def _require(fields: dict[str, Any]) -> None:
    if "payment_hash" not in fields:
        raise Bolt11Error("No valid 'p' field found")
    if "payment_secret" not in fields:
        raise Bolt11Error("Missing required payment secret (s field)")
    if "description" not in fields and "description_hash" not in fields:
        raise Bolt11Error("must have either 'd' or 'h' field")


def _check_signature(symbols: bytes, digest: bytes, payee: bytes | None) -> tuple[bytes, bytes]:
    """Verify the signature; return it and the payee, who is recovered from it if the invoice names none."""
    data = bech32.whole_bytes(symbols) if len(symbols) == _SIGNATURE_SYMBOLS else None
    if data is None:
        raise Bolt11Error("can't read signature: truncated")
    signature, recovery_id = data[:-1], data[-1]
    if recovery_id > 3:
        raise Bolt11Error(f"invalid recovery ID: {recovery_id}")
    if ecdsa_to_der(signature) is None:
        raise Bolt11Error("signature invalid")
    if payee is not None:
        if not ecdsa_verify(payee, digest, signature):
            raise Bolt11Error("invalid signature")
        return signature, payee
    recovered = ecdsa_recover(digest, signature, recovery_id)
    if recovered is None:
        raise Bolt11Error("signature recovery failed")
    return signature, recovered
