"""invoice_request (`lnr`): building and signing one that stands on its own, reading and verifying any.

The types carry the state: `without_offer` makes an `UnsignedInvoiceRequest`, whose `sign` makes an `InvoiceRequest`.
Reading also makes an `InvoiceRequest`, whose signature may be missing or wrong until `verify` has passed.
"""

from __future__ import annotations

from lnoffers.bolt12 import curve
from lnoffers.bolt12.chains import BITCOIN
from lnoffers.bolt12.errors import Bolt12Error
from lnoffers.bolt12.features import first_required_bit
from lnoffers.bolt12.fields import InvoiceRequestFields
from lnoffers.bolt12.merkle import merkle_root, signature_digest
from lnoffers.bolt12.paths import BlindedPath, first_empty_path
from lnoffers.bolt12.signing import Signer, sign_digest
from lnoffers.bolt12.text import decode_text, encode_text
from lnoffers.bolt12.tlv import INVOICE_REQUEST_SPAN, SIGNATURE_TYPES, in_span

PREFIX = "lnr"


class UnsignedInvoiceRequest(InvoiceRequestFields):
    """A request that is complete but for its signature. Made by `InvoiceRequest.without_offer`."""

    __slots__ = ()

    def sign(self, signer: Signer) -> InvoiceRequest:
        """The signed request, its signature verified.

        Raises Bolt12Error: `signer-key` if the signer's key is not invreq_payer_id, `signer-signature` if what the
        signer returns does not verify.
        """
        if self.invreq_payer_id is None:
            raise _missing("invreq_payer_id")
        signature = sign_digest(signer, _digest(self), public_key=self.invreq_payer_id)
        record = InvoiceRequest.signature.encode(signature)
        return InvoiceRequest(
            tuple(sorted((*self._records, record), key=lambda each: each.type)),
            {**self._values, record.type: signature},
        )


class InvoiceRequest(InvoiceRequestFields):
    """An invoice_request as it travels."""

    __slots__ = ()

    @staticmethod
    def without_offer(  # noqa: PLR0913 - one parameter per field
        *,
        invreq_metadata: bytes,
        invreq_payer_id: bytes,
        invreq_amount: int,
        offer_description: str,
        offer_issuer: str | None = None,
        offer_absolute_expiry: int | None = None,
        invreq_chain: bytes = BITCOIN,
        invreq_payer_note: str | None = None,
        invreq_paths: tuple[BlindedPath, ...] | None = None,
    ) -> UnsignedInvoiceRequest:
        """A request that answers no offer: whoever holds it may send an invoice and gets paid, as at an ATM.

        Args:
            invreq_metadata: what the payer derives its key from, or otherwise knows the request by; at least one byte,
                unpredictable to others.
            invreq_payer_id: the compressed point, 33 bytes, that will sign.
            invreq_amount: millisatoshi, 1 to 2^64-1.
            offer_description: what the payment is for.
            offer_issuer: who makes the request.
            offer_absolute_expiry: unix seconds, after which no invoice should be sent.
            invreq_chain: the hash of the chain's first block (`CHAINS`), 32 bytes; bitcoin's is left out of the string.
            invreq_payer_note: a note from the payer.
            invreq_paths: where to send the invoice, best first; without it, to the node invreq_payer_id.

        Raises Bolt12Error, its `field` set, for what a writer must not do (BOLT 12, "Invoice Requests"):
        `metadata-empty`, `amount-zero`, `path-without-hops`, and the codecs' rules, such as `number-range`,
        `text-nul`, `not-a-point`, `wrong-length`.
        """
        if not invreq_metadata:
            raise Bolt12Error("invreq_metadata must not be empty", rule="metadata-empty", field="invreq_metadata")
        if invreq_amount == 0:
            raise Bolt12Error("invreq_amount must be positive", rule="amount-zero", field="invreq_amount")
        _refuse_empty_path(invreq_paths)
        return UnsignedInvoiceRequest.build(
            invreq_metadata=invreq_metadata,
            offer_description=offer_description,
            offer_absolute_expiry=offer_absolute_expiry,
            offer_issuer=offer_issuer,
            invreq_chain=None if invreq_chain == BITCOIN else invreq_chain,
            invreq_amount=invreq_amount,
            invreq_payer_id=invreq_payer_id,
            invreq_payer_note=invreq_payer_note,
            invreq_paths=invreq_paths,
        )

    @classmethod
    def parse(cls, text: str, *, chain: bytes | None = None) -> InvoiceRequest:
        """The request in an `lnr` string: its text form, encoding and rules are checked, its signature is not.

        Args:
            text: the string, without `lightning:`.
            chain: if given, the 32-byte hash of the only chain to accept.

        Raises Bolt12Error with Core Lightning's messages, in its order: those of the text form, "invalid invreq data",
        "wrong chain", "unknown feature bit N", "Invoice request N field outside invoice request range",
        "Invoice request contains an empty invreq_path".
        """
        return cls.from_bytes(decode_text(text, PREFIX), chain=chain)

    @classmethod
    def from_bytes(cls, data: bytes, *, chain: bytes | None = None) -> InvoiceRequest:
        """The request in a TLV stream; otherwise like `parse`."""
        try:
            request = cls.read(data)
        except Bolt12Error as error:
            raise Bolt12Error(
                "invalid invreq data", rule=error.rule, field=error.field, offset=error.offset, detail=error.message
            ) from None
        request._check_reader_rules(chain)
        return request

    def verify(self) -> None:
        """Checks what a reader must before it answers: metadata, payer id, and a signature by the payer id.

        Raises Bolt12Error: "Missing F" (rule `missing-field`), "Invalid signature" (rule `signature-invalid`).
        """
        if self.invreq_payer_id is None:
            raise _missing("invreq_payer_id")
        if self.invreq_metadata is None:
            raise _missing("invreq_metadata")
        if self.signature is None:
            raise _missing("signature")
        if not self.has_valid_signature():
            raise Bolt12Error("Invalid signature", rule="signature-invalid", field="signature")

    def has_valid_signature(self) -> bool:
        """Whether there is a signature, and it is invreq_payer_id's of this request."""
        if self.signature is None or self.invreq_payer_id is None:
            return False
        return curve.verify(self.invreq_payer_id, _digest(self), self.signature)

    def encode(self) -> str:
        """The `lnr` string, in lower case and one piece."""
        return encode_text(PREFIX, self.to_bytes())

    def _check_reader_rules(self, chain: bytes | None) -> None:
        if chain is not None and (self.invreq_chain or BITCOIN) != chain:
            raise Bolt12Error("wrong chain", rule="wrong-chain", field="invreq_chain")
        bit = first_required_bit(self.invreq_features or b"")
        if bit is not None:
            raise Bolt12Error(f"unknown feature bit {bit}", rule="unknown-feature", field="invreq_features")
        for record in self.records:
            if record.type not in SIGNATURE_TYPES and not in_span(record.type, INVOICE_REQUEST_SPAN):
                raise Bolt12Error(
                    f"Invoice request {record.type} field outside invoice request range", rule="field-out-of-range"
                )
        _refuse_empty_path(self.invreq_paths)


def _digest(request: InvoiceRequestFields) -> bytes:
    return signature_digest("invoice_request", "signature", merkle_root(request.records))


def _refuse_empty_path(paths: tuple[BlindedPath, ...] | None) -> None:
    if first_empty_path(paths) is not None:
        raise Bolt12Error(
            "Invoice request contains an empty invreq_path", rule="path-without-hops", field="invreq_paths"
        )


def _missing(field: str) -> Bolt12Error:
    return Bolt12Error(f"Missing {field}", rule="missing-field", field=field)
