"""The fields of BOLT 12 messages as tables, in the order of Core Lightning's `decode`.

Amounts are in millisatoshi and times in Unix seconds unless a comment says otherwise. A table is made of groups, in
that order, and of fields of its own: a message that mirrors others' fields names the groups that it may hold.
"""

from __future__ import annotations

from hashlib import sha256

from lnoffers.bolt12 import codecs
from lnoffers.bolt12.bip353 import bip_353_name
from lnoffers.bolt12.blinded_paths import BlindedPath, BlindedPayinfo, blinded_paths, blinded_payinfos
from lnoffers.bolt12.fallbacks import fallback_addresses
from lnoffers.bolt12.features import NONE, first_unknown_bit
from lnoffers.bolt12.message import Field, Message, TlvStream
from lnoffers.bolt12.recurrence import Recurrence, recurrence, recurrence_base, recurrence_paywindow
from lnoffers.bolt12.signing import SignedMessage
from lnoffers.bolt12.tlv import INVOICE_REQUEST_SPAN, OFFER_SPAN, select

DEFAULT_RELATIVE_EXPIRY = 7200
"""Seconds from creation to expiry of an invoice without invoice_relative_expiry (BOLT 12, "Invoices")."""


class OfferTerms(Message):
    """The terms of an offer. BOLT 12, "TLV Fields for Offers", as for the next two classes."""

    __slots__ = ()

    offer_chains = Field(2, codecs.hashes)  # absent: bitcoin only
    offer_metadata = Field(4, codecs.byte_string)
    offer_currency = Field(6, codecs.utf8)  # ISO 4217, three letters
    offer_amount = Field(8, codecs.tu64)  # in minor units of the currency if there is one
    offer_description = Field(10, codecs.utf8)
    offer_issuer = Field(18, codecs.utf8)
    offer_features = Field(12, codecs.byte_string)
    offer_absolute_expiry = Field(14, codecs.tu64)
    offer_paths = Field(16, blinded_paths)
    offer_quantity_max = Field(20, codecs.tu64)  # 0: no limit


class OfferRecurrence(Message):
    """The recurrence of an offer. A payer proof does not contain it."""

    __slots__ = ()

    offer_recurrence_compulsory = Field(1_000_000_024, recurrence)
    offer_recurrence_optional = Field(1_000_000_025, recurrence)
    offer_recurrence_base = Field(1_000_000_026, recurrence_base)
    offer_recurrence_paywindow = Field(1_000_000_027, recurrence_paywindow)
    offer_recurrence_limit = Field(1_000_000_029, codecs.tu32)  # the last period's index

    @property
    def offer_recurrence(self) -> Recurrence | None:
        """The period after which the offer is paid again, whether compulsory or optional; None for a single payment."""
        return self.offer_recurrence_compulsory or self.offer_recurrence_optional


class OfferIssuer(Message):
    """The issuer of an offer, who answers requests."""

    __slots__ = ()

    offer_issuer_id = Field(22, codecs.point)


class OfferFields(OfferTerms, OfferRecurrence, OfferIssuer):
    """The fields of an offer."""

    __slots__ = ()

    @property
    def answers_offer(self) -> bool:
        """Whether the message has an offer, that is, the issuer id or the paths of one."""
        return self.offer_issuer_id is not None or self.offer_paths is not None

    @property
    def offer_path_ends(self) -> frozenset[bytes]:
        """The last blinded_node_id, 33 bytes, of each of the offer's paths. Without an issuer id, one of them signs."""
        return frozenset(path.hops[-1].blinded_node_id for path in self.offer_paths or () if path.hops)

    @property
    def offer_id(self) -> bytes | None:
        """SHA256 of the offer's records, 32 bytes; None if there is no offer."""
        return sha256(select(self.records, OFFER_SPAN)).digest() if self.answers_offer else None


class RequestMetadata(Message):
    """The payer's own metadata. A payer proof hides it."""

    __slots__ = ()

    invreq_metadata = Field(0, codecs.byte_string)


class RequestTerms(Message):
    """The terms of a request. BOLT 12, "TLV Fields for `invoice_request`", as for the next class."""

    __slots__ = ()

    invreq_payer_id = Field(88, codecs.point)
    invreq_chain = Field(80, codecs.chain_hash)  # absent: bitcoin
    invreq_amount = Field(82, codecs.tu64, json_name="invreq_amount_msat")
    invreq_features = Field(84, codecs.byte_string)
    invreq_quantity = Field(86, codecs.tu64)
    invreq_payer_note = Field(89, codecs.utf8)
    invreq_paths = Field(90, blinded_paths)
    invreq_bip_353_name = Field(91, bip_353_name)


class RequestRecurrence(Message):
    """The period of a recurring offer that a request is for."""

    __slots__ = ()

    invreq_recurrence_counter = Field(2_000_000_092, codecs.tu32)
    invreq_recurrence_start = Field(2_000_000_093, codecs.tu32)


class MirroredRequestFields(OfferFields, RequestMetadata, RequestTerms, RequestRecurrence):
    """The fields of an invoice_request that its invoice repeats."""

    __slots__ = ()

    @property
    def expected_amount(self) -> int | None:
        """The offer's price for all requested items, in millisatoshi.

        None if the offer has no amount, or if the request alone does not determine the price: a price in a currency
        needs the exchange rate, and a price for the rest of a period needs the time.
        """
        base = self.offer_recurrence_base
        return None if base and base.proportional_amount else self.full_price

    @property
    def full_price(self) -> int | None:
        """The offer's price for all requested items and a whole period, in millisatoshi.

        None if the offer has no amount, or one in a currency.
        """
        if self.offer_amount is None or self.offer_currency is not None:
            return None
        return self.offer_amount * (1 if self.invreq_quantity is None else self.invreq_quantity)

    @property
    def period_index(self) -> int:
        """The requested period of a recurring offer, counted from its base; 0 if the offer does not recur."""
        return (self.invreq_recurrence_counter or 0) + (self.invreq_recurrence_start or 0)

    @property
    def invreq_id(self) -> bytes:
        """SHA256 of all records of the request except its signature, 32 bytes."""
        return sha256(select(self.records, INVOICE_REQUEST_SPAN)).digest()


class InvoiceRequestFields(MirroredRequestFields, SignedMessage):
    """The fields of an invoice_request."""

    __slots__ = ()
    signed_in, signed_by = "signature", "invreq_payer_id"

    invreq_recurrence_cancel = Field(2_000_000_094, codecs.flag)  # no invoice answers such a request
    signature = Field(240, codecs.signature)


class InvoiceTerms(Message):
    """The terms of an invoice. BOLT 12, "Invoices"."""

    __slots__ = ()

    invoice_paths = Field(160, blinded_paths)
    invoice_blindedpay = Field(162, blinded_payinfos)  # one for each path, in their order
    invoice_created_at = Field(164, codecs.tu64)
    invoice_relative_expiry = Field(166, codecs.tu32)  # seconds; absent: 7200
    invoice_payment_hash = Field(168, codecs.sha256)
    invoice_amount = Field(170, codecs.tu64, json_name="invoice_amount_msat")
    invoice_fallbacks = Field(172, fallback_addresses)
    invoice_features = Field(174, codecs.byte_string)
    invoice_node_id = Field(176, codecs.point)


class InvoiceRecurrence(Message):
    """The start of a recurring offer's first period. A payer proof does not contain it."""

    __slots__ = ()

    invoice_recurrence_basetime = Field(3_000_000_177, codecs.tu64)


class InvoiceSignature(Message):
    """The signature of an invoice, which its payer proof repeats."""

    __slots__ = ()

    signature = Field(240, codecs.signature)


class InvoiceFields(MirroredRequestFields, InvoiceTerms, InvoiceRecurrence, InvoiceSignature, SignedMessage):
    """The fields of an invoice."""

    __slots__ = ()
    signed_in, signed_by = "signature", "invoice_node_id"

    @property
    def relative_expiry(self) -> int:
        """Seconds from creation to expiry."""
        return DEFAULT_RELATIVE_EXPIRY if self.invoice_relative_expiry is None else self.invoice_relative_expiry

    @property
    def usable_paths(self) -> tuple[tuple[BlindedPath, BlindedPayinfo], ...]:
        """The paths for a payment, best first, each with its fees. Paths that require unknown features are left out."""
        pairs = zip(self.invoice_paths or (), self.invoice_blindedpay or (), strict=False)
        return tuple([pair for pair in pairs if first_unknown_bit(pair[1].features, NONE) is None])

    @property
    def expires_at(self) -> int:
        """The Unix time (seconds) after which the invoice must not be paid."""
        return (self.invoice_created_at or 0) + self.relative_expiry


class PayerProofFields(OfferTerms, OfferIssuer, RequestTerms, InvoiceTerms, InvoiceSignature, SignedMessage):
    """The fields of a payer proof: the shown fields of the invoice, and the proof that they were in it.

    BOLT 12, "Payer Proofs".
    """

    __slots__ = ()
    signed_in, signed_by = "proof_signature", "invreq_payer_id"

    proof_preimage = Field(1001, codecs.preimage)
    proof_omitted_tlvs = Field(1002, codecs.bigsizes)  # a marker for each record that is not shown
    proof_missing_hashes = Field(1003, codecs.hashes)
    proof_leaf_hashes = Field(1004, codecs.hashes)  # the nonces of the records that are shown
    proof_note = Field(1005, codecs.utf8)
    proof_signature = Field(241, codecs.signature)


class InvoiceErrorFields(TlvStream):
    """The fields of an invoice_error. BOLT 12, "Invoice Errors"."""

    __slots__ = ()

    erroneous_field = Field(1, codecs.tu64)  # the number of the field at fault
    suggested_value = Field(3, codecs.byte_string)  # a value that would be accepted
    error = Field(5, codecs.utf8)
