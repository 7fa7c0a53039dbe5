"""invoice (`lni`): the answer to an invoice_request, with the amount to pay, signed by the payee.

    invoice = Invoice.for_request(
        request,
        invoice_created_at=now,
        invoice_payment_hash=sha256(preimage).digest(),
        invoice_paths=paths,
        invoice_blindedpay=payinfos,
    ).sign(keys.node_signer)
    Invoice.parse(invoice.encode()).verify_answer(request)  # the payer, before it pays

The types carry the state: `for_request` makes an `UnsignedInvoice`, whose `sign` makes an `Invoice`. Reading also makes
an `Invoice`, whose signature may be missing or wrong until `verify` or `verify_answer` has passed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from lnoffers.bolt12 import features as known
from lnoffers.bolt12.blinded_paths import BlindedPath, BlindedPayinfo
from lnoffers.bolt12.fallbacks import FallbackAddress
from lnoffers.bolt12.fields import DEFAULT_RELATIVE_EXPIRY, InvoiceFields
from lnoffers.bolt12.invoice_request import InvoiceRequest
from lnoffers.bolt12.message import CheckedMessage
from lnoffers.bolt12.rules import invoice as rules
from lnoffers.bolt12.signing import Signer
from lnoffers.bolt12.tlv import INVOICE_REQUEST_SPAN, in_span
from lnoffers.bolt12.typecheck import typechecked

_CANCEL = InvoiceRequest.invreq_recurrence_cancel.number


class _InvoiceText(InvoiceFields, CheckedMessage):
    """The base class of signed and unsigned invoices."""

    __slots__ = ()
    prefix, kind, known_features = "lni", "invoice", known.INVOICE
    _check_reading = rules.check_reading


class UnsignedInvoice(_InvoiceText):
    """An invoice that is complete except for its signature. Made by `Invoice.for_request`, or parsed."""

    __slots__ = ()

    @typechecked
    def with_paths(self, paths: Sequence[BlindedPath], payinfos: Sequence[BlindedPayinfo]) -> Self:
        """Return the same invoice with these paths, best first, and their payinfos in the same order.

        Raises:
            Bolt12Error: if a path or a payinfo does not fit its field.
        """
        replaced = {InvoiceFields.invoice_paths.number, InvoiceFields.invoice_blindedpay.number}
        kept = (record for record in self.records if record.type not in replaced)
        return self._build(kept, invoice_paths=paths, invoice_blindedpay=payinfos)

    @typechecked
    def sign(self, signer: Signer) -> Invoice:
        """Sign the invoice, verify the signature, and return the signed invoice.

        Raises:
            Bolt12Error: `signer-key` if the signer's key is not invoice_node_id, `signer-signature` if what the signer
                returns does not verify, `signing-key-missing` or `already-signed` if there is nothing to sign for.
        """
        return self._signed(Invoice, signer)


class Invoice(_InvoiceText):
    """An invoice as it is sent and received.

    Parsing checks its encoding; `verify` and `verify_answer` check the rest. Errors after those of the encoding:
    "wrong chain", "unknown feature bit N".
    """

    __slots__ = ()

    @staticmethod
    @typechecked
    def for_request(  # noqa: PLR0913 - one parameter per field
        request: InvoiceRequest,
        *,
        invoice_created_at: int,
        invoice_payment_hash: bytes,
        invoice_paths: Sequence[BlindedPath],
        invoice_blindedpay: Sequence[BlindedPayinfo],
        invoice_node_id: bytes | None = None,
        invoice_amount: int | None = None,
        invoice_relative_expiry: int | None = None,
        invoice_fallbacks: Sequence[FallbackAddress] | None = None,
        invoice_features: bytes | None = None,
        invoice_recurrence_basetime: int | None = None,
        features: frozenset[int] = known.NONE,
        any_amount: bool = False,
    ) -> UnsignedInvoice:
        """Verify a request and return an invoice for it, which repeats its records except the signature.

        A request that ends a recurrence gets no invoice. But its end can be recorded as one with
        invoice_relative_expiry 0, which is kept and never sent, and lacks invreq_recurrence_cancel. Core Lightning does
        so.

        Args:
            request: the request to answer.
            invoice_created_at: Unix seconds.
            invoice_payment_hash: SHA256 of the preimage, 32 bytes.
            invoice_paths: paths to the payee, best first; at least one.
            invoice_blindedpay: the fees and limits of each path, in the same order.
            invoice_node_id: the compressed point, 33 bytes, that will sign. It follows from the offer if that has an
                issuer id; if it has only paths, it is the end of the one that the request came along.
            invoice_amount: millisatoshi. It follows from the request, or from an offer whose price is in millisatoshi.
            invoice_relative_expiry: seconds from creation to its end; 7200 is left out of the string.
            invoice_fallbacks: outputs to pay on the chain if Lightning fails, best first.
            invoice_features: a feature bitmap, such as `bitmap([MPP_OPTIONAL])`.
            invoice_recurrence_basetime: when period 0 of a recurring offer began, Unix seconds.
            features: the feature bits of offers that are known, as for `InvoiceRequest.verify`.
            any_amount: whether invoice_amount may be another amount than the request asks for, and that may be zero.
                Core Lightning's sendinvoice allows it, and its payers pay less than they were asked for.

        Raises:
            Bolt12Error: with `field` set: those of `InvoiceRequest.verify`; `cancelled` for a request to end a
                recurrence; what a writer must not do (BOLT 12, "Invoices"), by the rules of
                `rules.invoice.check_writing`.
        """
        request.verify(features=features, any_amount=any_amount)
        if invoice_relative_expiry != 0:
            rules.check_answerable(request)
        asked = request.expected_amount if request.invreq_amount is None else request.invreq_amount
        invoice = UnsignedInvoice._build(
            (each for each in request.records if in_span(each.type, INVOICE_REQUEST_SPAN) and each.type != _CANCEL),
            invoice_paths=invoice_paths,
            invoice_blindedpay=invoice_blindedpay,
            invoice_created_at=invoice_created_at,
            invoice_relative_expiry=None
            if invoice_relative_expiry == DEFAULT_RELATIVE_EXPIRY
            else invoice_relative_expiry,
            invoice_payment_hash=invoice_payment_hash,
            invoice_amount=asked if invoice_amount is None else invoice_amount,
            invoice_fallbacks=invoice_fallbacks,
            invoice_features=invoice_features,
            invoice_node_id=request.offer_issuer_id if invoice_node_id is None else invoice_node_id,
            invoice_recurrence_basetime=invoice_recurrence_basetime,
        )
        rules.check_writing(invoice, any_amount=any_amount)
        return invoice

    def verify(self) -> None:
        """Verify an invoice without its request: its signature, required fields and paths.

        It must also fit the request that it repeats. If you have the request, use `verify_answer`.

        Records of odd types from 241 to 1000 are not covered by the signature. Invalid fallback addresses are allowed,
        and payers ignore them (BOLT 12, "Invoices"), although `describe`, like Core Lightning, calls such an invoice
        not valid.

        Raises:
            Bolt12Error: with Core Lightning's messages, in its order: "Missing node_id", "Missing signature", "Invalid
                signature", "missing invoice_amount", "missing invoice_created_at", "missing invoice_payment_hash",
                "missing/empty invoice_paths", "zero num_hops in path I/N", "expected N payinfo but found M"; then the
                rules of `rules.invoice.PAYABLE` and `REPEATING`.
        """
        rules.check_verifying(self)

    @typechecked
    def verify_answer(
        self, request: InvoiceRequest, *, sent_to: bytes | None = None, max_amount: int | None = None
    ) -> None:
        """Verify an invoice before it is paid: its signature, that it can be paid, and that it answers `request`.

        Args:
            request: the request that was sent.
            sent_to: for an offer with paths and no issuer id: the last blinded_node_id, 33 bytes, of the path on which
                the request was sent. Without it, the last id of any of the paths may have signed.
            max_amount: the largest amount, in millisatoshi. Without it the amount must be that of the request; if the
                request has none, the price of the offer, which then must be in millisatoshi.

        Raises:
            Bolt12Error: those of `verify` except `rules.invoice.REPEATING`, then `request-not-mirrored`,
                `node-id-unexpected`, `amount-unexpected`.
        """
        rules.check_answering(self, request, sent_to=sent_to, max_amount=max_amount)

    def verify_asked(self) -> None:
        """Verify an invoice for a request that the caller knows as its own by `invreq_id`, before it is paid.

        The id covers all records that the invoice repeats, so this checks what `verify_answer` does, without the
        request: the signature, that the invoice can be paid, and that it is for the amount that was asked for.

        Raises:
            Bolt12Error: those of `verify_answer` except `request-not-mirrored`.
        """
        rules.check_asked(self)

    @typechecked
    def check_unexpired(self, now: int) -> None:
        """Check that the invoice has not expired at `now` (Unix seconds).

        Raises:
            Bolt12Error: "Expired invoice", if `expires_at` is before `now`.
        """
        rules.check_unexpired(self, now)
