"""A BOLT 11 invoice: built and signed, or parsed and checked as strictly as Core Lightning does.

The types carry the state: `Invoice.build` makes an `UnsignedInvoice`, whose `sign` makes an `Invoice`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from lnoffers import bech32
from lnoffers.bolt11.chains import Chain
from lnoffers.bolt11.errors import Bolt11Error
from lnoffers.bolt11.fallbacks import Fallback
from lnoffers.bolt11.fields import TAGS, RouteHop, field_symbols, write_field
from lnoffers.bolt11.prefix import read_prefix, write_prefix
from lnoffers.bolt11.signing import InvoiceSigner, invoice_digest, verified_signature
from lnoffers.bolt12.curve import ecdsa_recover, ecdsa_to_der, ecdsa_verify
from lnoffers.bolt12.features import bitmap
from lnoffers.bolt12.typecheck import typechecked

DEFAULT_EXPIRY: Final = 3600
DEFAULT_CLTV: Final = 18

_TIMESTAMP_SYMBOLS: Final = 7
_HEADER_SYMBOLS: Final = 3  # a tag, and a length of two symbols
_SIGNATURE_SYMBOLS: Final = 104
_TIMESTAMP_BITS: Final = 5 * _TIMESTAMP_SYMBOLS
_VAR_ONION: Final = 8
_PAYMENT_SECRET: Final = 14
_PAYMENT_METADATA: Final = 48


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
    _text: str = field(repr=False)
    """The string, whose other forms would not have the same signature."""

    @staticmethod
    @typechecked
    def build(  # noqa: PLR0913 - one parameter per field
        *,
        chain: Chain,
        timestamp: int,
        payment_hash: bytes,
        payment_secret: bytes,
        amount_msat: int | None = None,
        description: str | None = None,
        description_hash: bytes | None = None,
        expiry: int = DEFAULT_EXPIRY,
        min_final_cltv_expiry: int = DEFAULT_CLTV,
        payment_metadata: bytes | None = None,
        features: bytes | None = None,
        fallbacks: Sequence[Fallback] = (),
        routes: Sequence[Sequence[RouteHop]] = (),
        payee: bytes | None = None,
        unknown_fields: Sequence[UnknownField] = (),
    ) -> UnsignedInvoice:
        """Return an invoice to sign. The parameters are the attributes of `Invoice`.

        Args:
            chain: one of `CHAINS`.
            timestamp: Unix seconds, 35 bits.
            payment_hash: SHA256 of the preimage, 32 bytes.
            payment_secret: 32 bytes that nobody can guess.
            amount_msat: positive millisatoshi; without it, the payer chooses.
            description, description_hash: exactly one of them; a field holds 639 bytes.
            expiry: seconds; 3600 is left out of the string.
            min_final_cltv_expiry: blocks, u32; always in the string.
            payment_metadata: to be sent with the payment.
            features: without it, those that the other fields need: variable-length onions, payment secrets, and payment
                metadata if there is some.
            fallbacks, routes: the most preferred first.
            payee: the compressed point, 33 bytes, that will sign. Readers recover it from the signature if it is left
                out, which makes a shorter string.
            unknown_fields: fields of other kinds, at the end.

        Raises:
            Bolt11Error: for a value that readers would refuse or skip, or that BOLT 11 forbids to writers.
        """
        if (description is None) == (description_hash is None):
            raise Bolt11Error("an invoice has either a description or a description_hash: pass exactly one of them")
        if timestamp < 0 or timestamp.bit_length() > _TIMESTAMP_BITS:
            raise Bolt11Error(f"timestamp: {timestamp} does not fit into {_TIMESTAMP_BITS} bits")
        values: dict[str, object] = {
            "payment_secret": payment_secret,
            "payment_hash": payment_hash,
            "description_hash": description_hash,
            "description": description,
            "payment_metadata": payment_metadata,
            "payee": payee,
            "expiry": None if expiry == DEFAULT_EXPIRY else expiry,
            "min_final_cltv_expiry": min_final_cltv_expiry,
            "fallbacks": fallbacks,
            "routes": routes,
            "features": _features(features, payment_metadata),
        }
        data = bech32.from_number(timestamp, length=_TIMESTAMP_SYMBOLS)
        data += b"".join((*_written(values), *map(_unknown_symbols, unknown_fields)))
        return UnsignedInvoice(write_prefix(chain, amount_msat), data)

    def encode(self) -> str:
        """Return the string, in lower case. The inverse of `parse`."""
        return self._text

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
        values, end = _read(form.prefix, form.symbols, len(form.symbols) - _SIGNATURE_SYMBOLS)
        digest = invoice_digest(form.prefix, form.symbols[:end])
        signature, payee = _check_signature(form.symbols[end:], digest, values.pop("payee", None))
        return cls(**values, payee=payee, signature=signature, _text=text.lower())


@typechecked
@dataclass(frozen=True, slots=True)
class UnsignedInvoice:
    """An invoice that is complete except for its signature. Made by `Invoice.build`.

    Attributes:
        prefix: the string before its last `1`: chain and amount.
        data: timestamp and fields, as symbols below 32, one a byte.
    """

    prefix: str
    data: bytes

    @property
    def digest(self) -> bytes:
        """The 32 bytes to sign."""
        return invoice_digest(self.prefix, self.data)

    @typechecked
    def sign(self, signer: InvoiceSigner) -> Invoice:
        """Sign the invoice, verify the signature, and return the signed invoice.

        Raises:
            Bolt11Error: if the invoice names another payee than the signer, or the signer's signature is wrong.
        """
        values, _ = _read(self.prefix, self.data, len(self.data))
        signature = verified_signature(signer, self.digest, payee=values.pop("payee", None))
        return Invoice(
            **values,
            payee=signer.public_key,
            signature=signature[:-1],
            _text=bech32.encode(self.prefix, self.data + bech32.from_bytes(signature), bech32.BECH32),
        )


def _features(features: bytes | None, payment_metadata: bytes | None) -> bytes:
    if features is None:
        return bitmap({_VAR_ONION, _PAYMENT_SECRET} | ({_PAYMENT_METADATA} if payment_metadata is not None else set()))
    number = int.from_bytes(features, "big")
    for bit, name in ((_VAR_ONION, "variable-length onions"), (_PAYMENT_SECRET, "payment secrets")):
        if not number >> bit & 0b11:
            raise Bolt11Error(f"features: set bit {bit} or {bit + 1}, {name}: every invoice has a payment secret")
    return features


def _written(values: dict[str, Any]) -> Iterator[bytes]:
    """Yield the fields with these values, by attribute; None is left out."""
    for letter, tag in TAGS.items():
        value = values[tag.attribute]
        for each in value if tag.repeats else () if value is None else (value,):
            yield write_field(letter, each)


def _unknown_symbols(unknown: UnknownField) -> bytes:
    content = bech32.from_letters(unknown.data.encode())
    if len(unknown.tag) != 1 or unknown.tag not in bech32.ALPHABET or content is None:
        raise Bolt11Error(f"unknown_fields: {unknown} has characters that bech32 does not have")
    tag = TAGS.get(unknown.tag)
    if tag is not None and tag.read(content) is not None:
        raise Bolt11Error(f"unknown_fields: readers know the field {unknown.tag}; pass {tag.attribute}")
    return field_symbols(unknown.tag, content)


def _read(prefix: str, symbols: bytes, limit: int) -> tuple[dict[str, Any], int]:
    """Return the attributes of the part that is signed, and where in the symbols it ends, at `limit` or later."""
    chain, amount = read_prefix(prefix)
    timestamp = _read_timestamp(symbols)
    fields, end = _read_fields(symbols, limit, len(prefix) + 1)
    _require(fields)
    return {"chain": chain, "amount_msat": amount, "timestamp": timestamp, **fields}, end


def _read_timestamp(symbols: bytes) -> int:
    if len(symbols) < _TIMESTAMP_SYMBOLS:
        raise Bolt11Error("Can't get 35-bit timestamp: truncated")
    return bech32.number(symbols[:_TIMESTAMP_SYMBOLS])


def _read_fields(symbols: bytes, limit: int, text_offset: int) -> tuple[dict[str, Any], int]:
    """Return the fields between timestamp and signature, by attribute, and the position after them.

    No field starts at `limit`. `text_offset` is the position of the symbols in the string, for errors.
    """
    single: dict[str, Any] = {}
    several: dict[str, list[Any]] = defaultdict(list)
    position = _TIMESTAMP_SYMBOLS
    while position < limit:
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
