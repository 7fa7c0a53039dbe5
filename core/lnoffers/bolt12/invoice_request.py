"""invoice_request (`lnr`): building and signing one that stands on its own, reading and verifying any.

The types carry the state: `without_offer` makes an `UnsignedInvoiceRequest`, whose `sign` makes an `InvoiceRequest`.
Reading also makes an `InvoiceRequest`, whose signature may be missing or wrong until `verify` has passed.
"""

from __future__ import annotations

from lnoffers.bolt12 import rules
from lnoffers.bolt12.chains import BITCOIN
from lnoffers.bolt12.errors import Bolt12Error
from lnoffers.bolt12.fields import InvoiceRequestFields
from lnoffers.bolt12.paths import BlindedPath
from lnoffers.bolt12.signing import Signer, sign
from lnoffers.bolt12.text import decode_text, encode_text

PREFIX = "lnr"


class UnsignedInvoiceRequest(InvoiceRequestFields):
    """A request that is complete but for its signature. Made by `InvoiceRequest.without_offer`."""

    __slots__ = ()

    def sign(self, signer: Signer) -> InvoiceRequest:
        """The signed request, its signature verified.

        Raises Bolt12Error: `signer-key` if the signer's key is not invreq_payer_id, `signer-signature` if what the
        signer returns does not verify, `payer-id-missing` or `already-signed` if there is nothing to sign for.
        """
        if self.invreq_payer_id is None:
            raise Bolt12Error("Missing invreq_payer_id", rule="payer-id-missing", field="invreq_payer_id")
        if self.signature is not None:
            raise Bolt12Error("the request has a signature", rule="already-signed", field="signature")
        signature = sign(signer, self.signing_request, public_key=self.invreq_payer_id)
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

        Raises Bolt12Error, its `field` set, for what a writer must not do (BOLT 12, "Invoice Requests"): the rules of
        `rules.WRITING`, such as `amount-zero`, and the codecs', such as `number-range`, `text-nul`, `not-a-point`.
        """
        request = UnsignedInvoiceRequest._build(
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
        rules.check_writing(request)
        return request

    @classmethod
    def parse(cls, text: str, *, chain: bytes | None = None) -> InvoiceRequest:
        """The request in an `lnr` string: its text form and encoding are checked; `verify` checks the rest.

        Args:
            text: the string, without `lightning:`.
            chain: if given, the 32-byte hash of the only chain to accept.

        Raises Bolt12Error with Core Lightning's messages, in its order: those of the text form, "invalid invreq data",
        "wrong chain", "unknown feature bit N", "Invoice request N field outside invoice request range",
        "Invoice request contains an empty invreq_path".
        """
        return cls.from_bytes(decode_text(text, PREFIX), chain=chain)

    @classmethod
    def from_bytes(cls, data: bytes | bytearray | memoryview, *, chain: bytes | None = None) -> InvoiceRequest:
        """The request in a TLV stream; otherwise like `parse`."""
        try:
            request = cls._read(bytes(data))
        except Bolt12Error as error:
            raise Bolt12Error(
                "invalid invreq data", rule=error.rule, field=error.field, offset=error.offset, detail=error.message
            ) from None
        if chain is not None and (request.invreq_chain or BITCOIN) != chain:
            raise Bolt12Error(
                "wrong chain",
                rule="wrong-chain",
                field="invreq_chain",
                offset=request.offset_of(cls.invreq_chain.number),
            )
        rules.check_reading(request)
        return request

    def verify(self) -> None:
        """Checks what a reader must before it acts on the request, as far as the request alone tells.

        That is: metadata, payer id and a signature by it; the offer that the request repeats, and that it asks for
        what that offer has; or, without an offer, that it names an amount and nothing that only offers have. Expiry,
        the offer's being ours, and the payer's past payments are left to whoever has a clock and a store. Records of
        odd types from 241 to 1000 are not covered by the signature (BOLT 12, "Signature Calculation"): they may have
        been added or changed on the way.

        Raises Bolt12Error with Core Lightning's messages where it has them, such as "Missing invreq_payer_id",
        "Invalid signature", "Unexpected offer_chains"; the rules are those of `rules.check_verifying`.
        """
        rules.check_verifying(self)

    def encode(self) -> str:
        """The `lnr` string, in lower case and one piece."""
        return encode_text(PREFIX, self.to_bytes())
