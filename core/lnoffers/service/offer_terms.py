"""Convert a request of `offer` to fields of an offer, with lightningd's checks of its parameters against each other.

This uses no store, keys or randomness, so the command `check` can use it too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from clnrpc.runtime.server.bind import BadParameter
from clnrpc.runtime.server.convert import BadToken
from lnoffers.bolt12 import Recurrence, RecurrenceBase, RecurrencePaywindow
from lnoffers.service.parameters import offers as parameters
from lnoffers.service.parameters.offers import Price

if TYPE_CHECKING:
    from clnrpc.types import OfferRequest


class Terms(TypedDict):
    """The fields of an offer that its issuer decides, as `Offer.build` takes them."""

    offer_amount: int | None
    offer_currency: str | None
    offer_description: str | None
    offer_issuer: str | None
    offer_quantity_max: int | None
    offer_absolute_expiry: int | None
    offer_recurrence_compulsory: Recurrence | None
    offer_recurrence_optional: Recurrence | None
    offer_recurrence_base: RecurrenceBase | None
    offer_recurrence_paywindow: RecurrencePaywindow | None
    offer_recurrence_limit: int | None


def terms_of(request: OfferRequest) -> Terms:
    """Return the fields for a request, checked in lightningd's order (plugins/offers_offer.c).

    Raises:
        BadParameter: for the first parameter that is wrong.
    """
    price, recurrence, paywindow = _parse(request)
    if recurrence is None:
        for name in ("recurrence_limit", "recurrence_base", "recurrence_paywindow"):
            if getattr(request, name) is not None:
                raise _refused(name, "needs recurrence")
    if price.amount is not None and request.description is None:
        raise _refused("description", "description is required for the user to know what it was they paid for")
    base = request.recurrence_base
    if request.proportional_amount and base is None:
        raise _refused("proportional_amount", "proportional_amount needs recurrence_base")
    if request.optional_recurrence and base is not None:
        raise _refused("optional_recurrence", "incompatible with recurrence_base")
    return Terms(
        offer_amount=price.amount,
        offer_currency=price.currency,
        offer_description=request.description,
        offer_issuer=request.issuer,
        offer_quantity_max=request.quantity_max,
        offer_absolute_expiry=request.absolute_expiry,
        offer_recurrence_compulsory=None if request.optional_recurrence else recurrence,
        offer_recurrence_optional=recurrence if request.optional_recurrence else None,
        offer_recurrence_base=None if base is None else RecurrenceBase(int(request.proportional_amount), base),
        offer_recurrence_paywindow=paywindow,
        offer_recurrence_limit=request.recurrence_limit,
    )


def _parse(request: OfferRequest) -> tuple[Price, Recurrence | None, RecurrencePaywindow | None]:
    """Parse the parameters that are not just a number or a text."""
    name = "amount"
    try:
        price = parameters.price(request.amount)
        name = "recurrence"
        recurrence = None if request.recurrence is None else parameters.recurrence(request.recurrence)
        name = "recurrence_paywindow"
        window = request.recurrence_paywindow
        return price, recurrence, None if window is None else parameters.paywindow(window)
    except BadToken as bad:
        raise _refused(name, bad.why) from bad


def _refused(parameter: str, why: str) -> BadParameter:
    """Return the error with lightningd's short text."""
    return BadParameter(parameter, BadToken(why))
