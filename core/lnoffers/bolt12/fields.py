"""The fields of BOLT 12 messages, one table per message, in the order in which Core Lightning's `decode` shows them.

Amounts are in millisatoshi and times in unix seconds unless a comment says otherwise. A message that mirrors another's
fields extends its table: an invoice_request may hold every field of an offer.
"""

from __future__ import annotations

from hashlib import sha256

from lnoffers.bolt12 import codecs
from lnoffers.bolt12.bip353 import bip_353_name
from lnoffers.bolt12.message import Field, Message
from lnoffers.bolt12.paths import blinded_paths
from lnoffers.bolt12.recurrence import recurrence, recurrence_base, recurrence_paywindow
from lnoffers.bolt12.tlv import INVOICE_REQUEST_SPAN, OFFER_SPAN, select


class OfferFields(Message):
    """The fields of an offer. BOLT 12, "TLV Fields for Offers"."""

    __slots__ = ()

    offer_chains = Field(2, codecs.chain_hashes)  # absent: bitcoin only
    offer_metadata = Field(4, codecs.byte_string)
    offer_currency = Field(6, codecs.utf8)  # ISO 4217, three letters
    offer_amount = Field(8, codecs.tu64)  # in minor units of the currency if there is one
    offer_description = Field(10, codecs.utf8)
    offer_issuer = Field(18, codecs.utf8)
    offer_features = Field(12, codecs.byte_string)
    offer_absolute_expiry = Field(14, codecs.tu64)
    offer_paths = Field(16, blinded_paths)
    offer_quantity_max = Field(20, codecs.tu64)  # 0: no limit
    offer_recurrence_compulsory = Field(1_000_000_024, recurrence)
    offer_recurrence_optional = Field(1_000_000_025, recurrence)
    offer_recurrence_base = Field(1_000_000_026, recurrence_base)
    offer_recurrence_paywindow = Field(1_000_000_027, recurrence_paywindow)
    offer_recurrence_limit = Field(1_000_000_029, codecs.tu32)  # the last period's index
    offer_issuer_id = Field(22, codecs.point)

    @property
    def offer_id(self) -> bytes | None:
        """SHA256 of the offer's records, 32 bytes; None if there is no offer (neither issuer id nor paths)."""
        if self.offer_issuer_id is None and self.offer_paths is None:
            return None
        return sha256(select(self.records, OFFER_SPAN)).digest()


class InvoiceRequestFields(OfferFields):
    """The fields of an invoice_request. BOLT 12, "TLV Fields for `invoice_request`"."""

    __slots__ = ()

    invreq_metadata = Field(0, codecs.byte_string)
    invreq_payer_id = Field(88, codecs.point)
    invreq_chain = Field(80, codecs.chain_hash)  # absent: bitcoin
    invreq_amount = Field(82, codecs.tu64, json_name="invreq_amount_msat")
    invreq_features = Field(84, codecs.byte_string)
    invreq_quantity = Field(86, codecs.tu64)
    invreq_payer_note = Field(89, codecs.utf8)
    invreq_paths = Field(90, blinded_paths)
    invreq_bip_353_name = Field(91, bip_353_name)
    invreq_recurrence_counter = Field(2_000_000_092, codecs.tu32)
    invreq_recurrence_start = Field(2_000_000_093, codecs.tu32)
    invreq_recurrence_cancel = Field(2_000_000_094, codecs.flag)
    signature = Field(240, codecs.signature)

    @property
    def invreq_id(self) -> bytes:
        """SHA256 of all records of the request but its signature, 32 bytes."""
        return sha256(select(self.records, INVOICE_REQUEST_SPAN)).digest()
