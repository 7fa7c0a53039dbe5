"""The fields of BOLT 12 messages, in tables, in the order in which Core Lightning's `decode` shows them.

Amounts are in millisatoshi and times in unix seconds unless a comment says otherwise. A table is made of groups, in
that order, and of fields of its own: a message that mirrors others' fields names the groups that it may hold.
"""

from __future__ import annotations

from hashlib import sha256

from lnoffers.bolt12 import codecs, curve
from lnoffers.bolt12.bip353 import bip_353_name
from lnoffers.bolt12.merkle import merkle_root
from lnoffers.bolt12.message import Field, Message
from lnoffers.bolt12.paths import blinded_paths
from lnoffers.bolt12.recurrence import recurrence, recurrence_base, recurrence_paywindow
from lnoffers.bolt12.signing import SigningRequest
from lnoffers.bolt12.tlv import INVOICE_REQUEST_SPAN, OFFER_SPAN, select


class OfferTerms(Message):
    """What an offer says of itself. BOLT 12, "TLV Fields for Offers"; so the next two."""

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
    """How an offer recurs; a payer proof has none of it."""

    __slots__ = ()

    offer_recurrence_compulsory = Field(1_000_000_024, recurrence)
    offer_recurrence_optional = Field(1_000_000_025, recurrence)
    offer_recurrence_base = Field(1_000_000_026, recurrence_base)
    offer_recurrence_paywindow = Field(1_000_000_027, recurrence_paywindow)
    offer_recurrence_limit = Field(1_000_000_029, codecs.tu32)  # the last period's index

    @property
    def recurs(self) -> bool:
        """Whether the offer is for one payment a period."""
        return self.offer_recurrence_compulsory is not None or self.offer_recurrence_optional is not None


class OfferIssuer(Message):
    """Who answers requests for an offer."""

    __slots__ = ()

    offer_issuer_id = Field(22, codecs.point)


class OfferFields(OfferTerms, OfferRecurrence, OfferIssuer):
    """The fields of an offer."""

    __slots__ = ()

    @property
    def answers_offer(self) -> bool:
        """Whether there is an offer: its issuer id or its paths."""
        return self.offer_issuer_id is not None or self.offer_paths is not None

    @property
    def offer_id(self) -> bytes | None:
        """SHA256 of the offer's records, 32 bytes; None if there is no offer."""
        return sha256(select(self.records, OFFER_SPAN)).digest() if self.answers_offer else None


class RequestMetadata(Message):
    """What only the payer knows the reason of; a payer proof hides it."""

    __slots__ = ()

    invreq_metadata = Field(0, codecs.byte_string)


class RequestTerms(Message):
    """What a payer asks for. BOLT 12, "TLV Fields for `invoice_request`"; so the next one."""

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
    """Which period of a recurring offer a payer asks to pay."""

    __slots__ = ()

    invreq_recurrence_counter = Field(2_000_000_092, codecs.tu32)
    invreq_recurrence_start = Field(2_000_000_093, codecs.tu32)


class MirroredRequestFields(OfferFields, RequestMetadata, RequestTerms, RequestRecurrence):
    """The fields of an invoice_request that its invoice repeats."""

    __slots__ = ()

    @property
    def invreq_id(self) -> bytes:
        """SHA256 of all records of the request but its signature, 32 bytes."""
        return sha256(select(self.records, INVOICE_REQUEST_SPAN)).digest()


class InvoiceRequestFields(MirroredRequestFields):
    """The fields of an invoice_request."""

    __slots__ = ()

    invreq_recurrence_cancel = Field(2_000_000_094, codecs.flag)  # of which there is no invoice
    signature = Field(240, codecs.signature)

    @property
    def signing_request(self) -> SigningRequest:
        """What the payer signs. Raises ValueError if there is no record to sign."""
        return SigningRequest("invoice_request", "signature", merkle_root(self.records))

    def has_valid_signature(self) -> bool:
        """Whether there is a signature, and it is invreq_payer_id's of this request."""
        if self.signature is None or self.invreq_payer_id is None:
            return False
        return curve.verify(self.invreq_payer_id, self.signing_request.digest, self.signature)
