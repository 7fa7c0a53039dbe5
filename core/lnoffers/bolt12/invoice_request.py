"""invoice_request (`lnr`): a request for an invoice for an offer, or, without one, an offer to pay an invoice.

    request = InvoiceRequest.for_offer(
        offer, invreq_metadata=sixteen_random_bytes, invreq_payer_id=keys.payer_id(sixteen_random_bytes)
    ).sign(keys.payer_signer(sixteen_random_bytes))
    InvoiceRequest.parse(request.encode()).verify()

The types carry the state: `for_offer` and `without_offer` make an `UnsignedInvoiceRequest`, whose `sign` makes an
`InvoiceRequest`. Reading also makes an `InvoiceRequest`, whose signature may be missing or wrong until `verify` has
passed.

A request without an offer exists in two forms. The specification and LDK, which calls it a refund, do not sign it;
Core Lightning signs it and refuses others. `sign` makes the one form, `unsigned` the other, and `signed` tells them
apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from lnoffers.bolt12 import features as known
from lnoffers.bolt12.bip353 import Bip353Name
from lnoffers.bolt12.blinded_paths import BlindedPath
from lnoffers.bolt12.chains import BITCOIN
from lnoffers.bolt12.fields import InvoiceRequestFields
from lnoffers.bolt12.message import CheckedMessage
from lnoffers.bolt12.offer import Offer
from lnoffers.bolt12.rules import invoice_request as rules
from lnoffers.bolt12.signing import Signer
from lnoffers.bolt12.typecheck import typechecked


class _InvoiceRequestText(InvoiceRequestFields, CheckedMessage):
    """The base class of signed and unsigned requests."""

    __slots__ = ()
    prefix, kind, known_features = "lnr", "invoice_request", known.NONE
    _check_reading = rules.check_reading


class UnsignedInvoiceRequest(_InvoiceRequestText):
    """A request that is complete except for its signature. Made by `InvoiceRequest.for_offer` and `without_offer`."""

    __slots__ = ()

    @typechecked
    def sign(self, signer: Signer) -> InvoiceRequest:
        """Sign the request, verify the signature, and return the signed request.

        Raises:
            Bolt12Error: `signer-key` if the signer's key is not invreq_payer_id, `signer-signature` if what the signer
                returns does not verify, `signing-key-missing` or `already-signed` if there is nothing to sign for.
        """
        return self._signed(InvoiceRequest, signer)

    def unsigned(self) -> InvoiceRequest:
        """Return the request unsigned, as the specification requires for a request without an offer.

        Raises:
            Bolt12Error: `signature-missing` if it is for an offer, `already-signed` if it has a signature.
        """
        rules.check_unsigned(self)
        return InvoiceRequest(self._records, self._values)


class InvoiceRequest(_InvoiceRequestText):
    """An invoice_request as it is sent and received. It may be unsigned only if it has no offer.

    Parsing checks its encoding; `verify` checks the rest. Errors after those of the encoding: "wrong chain",
    "unknown feature bit N", "Invoice request N field outside invoice request range",
    "Invoice request contains an empty invreq_path".
    """

    __slots__ = ()

    @classmethod
    @typechecked
    def received(cls, data: bytes) -> InvoiceRequest:
        """Parse the TLV stream of a request that a payer has sent. Only its encoding is checked.

        The issuer checks the rest, because it must be able to answer a bad request, too
        (`lnoffers.bolt12.rules.issuer`).

        Raises:
            Bolt12Error: "invalid invreq data".
        """
        return cls._from_stream(data)

    @property
    def signed(self) -> bool:
        """Whether the request has a signature. Without an offer it may have none."""
        return self.signature is not None

    @staticmethod
    @typechecked
    def for_offer(  # noqa: PLR0913 - one parameter per field
        offer: Offer,
        *,
        invreq_metadata: bytes,
        invreq_payer_id: bytes,
        invreq_chain: bytes = BITCOIN,
        invreq_amount: int | None = None,
        invreq_features: bytes | None = None,
        invreq_quantity: int | None = None,
        invreq_payer_note: str | None = None,
        invreq_paths: Sequence[BlindedPath] | None = None,
        invreq_bip_353_name: Bip353Name | None = None,
        invreq_recurrence_counter: int | None = None,
        invreq_recurrence_start: int | None = None,
        invreq_recurrence_cancel: Literal[True] | None = None,
        features: frozenset[int] = known.NONE,
    ) -> UnsignedInvoiceRequest:
        """Return a request for an invoice for this offer, all records of which it repeats.

        Args:
            offer: the offer to pay.
            invreq_metadata: bytes from which the payer derives its key; at least one, unpredictable to others.
            invreq_payer_id: the compressed point, 33 bytes, that will sign: a new one for each request.
            invreq_chain: the hash of one of the offer's chains, 32 bytes; bitcoin's is left out of the string.
            invreq_amount: millisatoshi for all items; needed if the offer names no amount, else at least its price.
            invreq_features: a feature bitmap.
            invreq_quantity: how many items, if the offer has offer_quantity_max.
            invreq_payer_note: a note from the payer.
            invreq_paths: where to reach the payer.
            invreq_bip_353_name: the name by which the offer was found, if there is one.
            invreq_recurrence_counter: for a recurring offer: 0 for the payer's first period, 1 for the next.
            invreq_recurrence_start: for a recurring offer with a base: the index of the payer's first period.
            invreq_recurrence_cancel: for a recurring offer: no invoice is wanted for this or any later period.
            features: the feature bits of offers that are known, as for `Offer.parse`.

        Raises:
            Bolt12Error: with `field` set, for what a writer must not do (BOLT 12, "Invoice Requests") and what the
                offer does not allow: the rules of `rules.invoice_request.check_writing`, and the codecs'.
        """
        request = UnsignedInvoiceRequest._build(
            offer.records,
            invreq_metadata=invreq_metadata,
            invreq_chain=None if invreq_chain == BITCOIN else invreq_chain,
            invreq_amount=invreq_amount,
            invreq_features=invreq_features,
            invreq_quantity=invreq_quantity,
            invreq_payer_id=invreq_payer_id,
            invreq_payer_note=invreq_payer_note,
            invreq_paths=invreq_paths,
            invreq_bip_353_name=invreq_bip_353_name,
            invreq_recurrence_counter=invreq_recurrence_counter,
            invreq_recurrence_start=invreq_recurrence_start,
            invreq_recurrence_cancel=invreq_recurrence_cancel,
        )
        rules.check_writing(request, features)
        return request

    @staticmethod
    @typechecked
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
        invreq_paths: Sequence[BlindedPath] | None = None,
    ) -> UnsignedInvoiceRequest:
        """Return a request without an offer: anybody who has it may send an invoice and is paid, as at an ATM.

        Sign it for Core Lightning; leave it `unsigned` for LDK and by the specification.

        Args:
            invreq_metadata: bytes from which the payer derives its key or recognises the request; at least one,
                unpredictable to others.
            invreq_payer_id: the compressed point, 33 bytes, that will sign.
            invreq_amount: millisatoshi, 1 to 2^64-1.
            offer_description: the purpose of the payment.
            offer_issuer: the name of the payer, who makes the request.
            offer_absolute_expiry: Unix seconds, after which no invoice should be sent.
            invreq_chain: the hash of the chain's first block (`CHAINS`), 32 bytes; bitcoin's is left out of the string.
            invreq_payer_note: a note from the payer.
            invreq_paths: where to send the invoice, best first; without it, to the node invreq_payer_id.

        Raises:
            Bolt12Error: with `field` set, for what a writer must not do (BOLT 12, "Invoice Requests"): the rules of
                `rules.invoice_request.check_writing`, such as `amount-zero`, and the codecs', such as `number-range`,
                `text-nul`, `not-a-point`.
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
        rules.check_writing(request, known.NONE)
        return request

    @typechecked
    def verify(self, *, features: frozenset[int] = known.NONE, any_amount: bool = False) -> None:
        """Verify the request before it is acted on, as far as this is possible with the request alone.

        It must have metadata, a payer id and a signature by that id. Only a request without an offer may lack the
        signature. With an offer, the request must be valid for the offer that it repeats. Without one, it must have an
        amount and no field that only offers have.

        This does not check whether the offer is ours, nor the payer's earlier payments: that needs a store. Records of
        odd types from 241 to 1000 are not covered by the signature (BOLT 12, "Signature Calculation"): they may have
        been added or changed by others.

        Args:
            features: the known feature bits of offers, as for `Offer.parse`; `parse` has checked the request's own.
            any_amount: whether a request without an offer may be for zero millisatoshi, which Core Lightning allows.

        Raises:
            Bolt12Error: with Core Lightning's messages where it has them, such as "Missing invreq_payer_id", "Invalid
                signature", "Unexpected offer_chains"; the rules are those of `rules.invoice_request.check_verifying`.
        """
        rules.check_verifying(self, features, any_amount=any_amount)

    @typechecked
    def check_unexpired(self, now: int) -> None:
        """Check that the offer, or the request if it has no offer, has not expired at `now` (Unix seconds).

        Later payments of a recurring offer are allowed.

        Raises:
            Bolt12Error: "Offer expired", if `offer_absolute_expiry` is not after `now`.
        """
        rules.check_unexpired(self, now)
