"""offer (`lno`): a reusable invitation to request invoices, for goods, a service or a donation.

offer = Offer.build(offer_issuer_id=keys.node_id, offer_amount=1_000, offer_description="coffee")
text = offer.encode()
Offer.parse(text).check_unexpired(now)
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

from lnoffers.bolt12 import features as known
from lnoffers.bolt12.blinded_paths import BlindedPath
from lnoffers.bolt12.chains import BITCOIN
from lnoffers.bolt12.fields import OfferFields
from lnoffers.bolt12.message import CheckedMessage
from lnoffers.bolt12.recurrence import Recurrence, RecurrenceBase, RecurrencePaywindow
from lnoffers.bolt12.rules import offer as rules
from lnoffers.bolt12.tlv import OFFER_SPAN, select
from lnoffers.bolt12.typecheck import typechecked


class Offer(OfferFields, CheckedMessage):
    """An offer. It has no signature: a request for an invoice repeats it, and its issuer recognises it.

    Parsing checks it completely, except for its expiry. Errors after those of the encoding: "wrong chain" or
    "offer_chains with zero entries", "unknown feature bit N", and those of `rules.offer.READING`, such as
    "Offer contains a zero amount".
    """

    __slots__ = ()
    prefix, kind, known_features = "lno", "offer", known.NONE
    _check_reading = rules.check_reading

    @classmethod
    @typechecked
    def build(  # noqa: PLR0913 - one parameter per field
        cls,
        *,
        offer_issuer_id: bytes | None = None,
        offer_paths: Sequence[BlindedPath] | None = None,
        offer_description: str | None = None,
        offer_amount: int | None = None,
        offer_currency: str | None = None,
        offer_chains: Sequence[bytes] = (BITCOIN,),
        offer_metadata: bytes | None = None,
        offer_features: bytes | None = None,
        offer_absolute_expiry: int | None = None,
        offer_issuer: str | None = None,
        offer_quantity_max: int | None = None,
        offer_recurrence_compulsory: Recurrence | None = None,
        offer_recurrence_optional: Recurrence | None = None,
        offer_recurrence_base: RecurrenceBase | None = None,
        offer_recurrence_paywindow: RecurrencePaywindow | None = None,
        offer_recurrence_limit: int | None = None,
    ) -> Offer:
        """Return a new offer.

        Args:
            offer_issuer_id: the compressed point, 33 bytes, of the issuer, who answers requests and is paid.
            offer_paths: paths to the issuer, best first; without offer_issuer_id, the last ids of the paths sign.
            offer_description: the goods or service; needed if there is an amount.
            offer_amount: the price of one item, at least 1: in millisatoshi, or in minor units of offer_currency.
            offer_currency: an ISO 4217 code.
            offer_chains: hashes of the chains (`CHAINS`) that it can be paid on; left out if it is only bitcoin's.
            offer_metadata: bytes for the issuer's own use.
            offer_features: a feature bitmap.
            offer_absolute_expiry: Unix seconds, after which no invoice should be requested.
            offer_issuer: the name of the issuer, `user@domain` or `domain` first if a domain is named.
            offer_quantity_max: the most items in one request, 0 for any number; None for exactly one.
            offer_recurrence_compulsory: the period, if only payers that support recurrence may pay.
            offer_recurrence_optional: the period, if other payers may pay once.
            offer_recurrence_base: the start of the first period; without it, each payer's first payment.
            offer_recurrence_paywindow: the time in which a period can be paid.
            offer_recurrence_limit: the last period's index, at least 1.

        Raises:
            Bolt12Error: with `field` set, for what a writer must not do (BOLT 12, "Requirements For Offers"):
                `rules.offer.READING` and `WRITING`, and the codecs' rules, such as `number-range`, `text-nul`,
                `not-a-point`.
        """
        offer = cls._build(
            offer_chains=None if tuple(offer_chains) == (BITCOIN,) else offer_chains,
            offer_metadata=offer_metadata,
            offer_currency=offer_currency,
            offer_amount=offer_amount,
            offer_description=offer_description,
            offer_features=offer_features,
            offer_absolute_expiry=offer_absolute_expiry,
            offer_paths=offer_paths,
            offer_issuer=offer_issuer,
            offer_quantity_max=offer_quantity_max,
            offer_issuer_id=offer_issuer_id,
            offer_recurrence_compulsory=offer_recurrence_compulsory,
            offer_recurrence_optional=offer_recurrence_optional,
            offer_recurrence_base=offer_recurrence_base,
            offer_recurrence_paywindow=offer_recurrence_paywindow,
            offer_recurrence_limit=offer_recurrence_limit,
        )
        rules.check_writing(offer)
        return offer

    @typechecked
    def with_paths(self, offer_paths: Sequence[BlindedPath]) -> Offer:
        """Return this offer with these paths, best first. Its id changes.

        Without paths, the field is present and empty. Core Lightning writes it so, and readers accept it.

        Raises:
            Bolt12Error: if a path does not fit the field, or has no hops.
        """
        others = (record for record in self.records if record.type != Offer.offer_paths.number)
        offer = type(self)._build(others, offer_paths=offer_paths)
        rules.check_reading(offer, None, known.NONE)
        return offer

    @typechecked
    def check_unexpired(self, now: int) -> None:
        """Check that the offer has not expired at `now` (Unix seconds).

        Raises:
            Bolt12Error: "Offer expired", if `offer_absolute_expiry` is before `now`.
        """
        rules.check_unexpired(self, now)

    @property
    def offer_id(self) -> bytes:
        """SHA256 of the offer's records, 32 bytes."""
        return sha256(select(self.records, OFFER_SPAN)).digest()
