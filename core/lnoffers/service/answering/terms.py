"""The price of an invoice for an offer, and how long it can be paid. All amounts are exact; times are Unix seconds.

Source: BOLT 12, "Requirements for Invoice Requests" and "Requirements" of invoices; Core Lightning's
plugins/offers_invreq_hook.c, whose proportional amounts differ (decision 0080).
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import ceil
from typing import Final

from lnoffers.bolt12 import InvoiceRequest, Paywindow, minor_unit, period_start
from lnoffers.bolt12.fields import DEFAULT_RELATIVE_EXPIRY

MSAT: Final = 100_000_000_000
"""Millisatoshi of one bitcoin."""
EXCESS: Final = 5
"""How many times the price a payer may offer."""
CURRENCY_SECONDS: Final = 600
"""How long an invoice can be paid whose price was converted from a currency."""

_U32_MAX: Final = 2**32 - 1


def in_currency(request: InvoiceRequest) -> Fraction | None:
    """Return the price of all items in whole units of the offer's currency (dollars, not cents).

    Returns None if the currency is not known. The offer has an amount and a currency.
    """
    assert request.offer_currency is not None
    decimals = minor_unit(request.offer_currency)
    return None if decimals is None else Fraction(_total(request), 10**decimals)


def converted(price: Fraction, rate: Decimal) -> int:
    """Return a price in a currency as millisatoshi, rounded up; `rate` is what one bitcoin costs in the currency."""
    return ceil(price * MSAT / Fraction(rate))


def price(request: InvoiceRequest, converted: int | None, now: int) -> int | None:
    """Return the least amount for a request in millisatoshi; None if the offer has no amount.

    Args:
        request: a request that fits its offer.
        converted: the price that was converted from the offer's currency, if it has one.
        now: a payer that joins within a period of an offer with proportional_amount pays for the rest of the period.

    Raises:
        Bolt12Error: as `period_start`.
    """
    if request.offer_amount is None:
        return None
    full = _total(request) if converted is None else converted
    base, recurrence = request.offer_recurrence_base, request.offer_recurrence
    if base is None or not base.proportional_amount or recurrence is None:
        return full
    start, end = (period_start(recurrence, base.basetime, request.period_index + more) for more in (0, 1))
    left = min(max(end - now, 0), end - start)
    return max(ceil(Fraction(full * left, end - start)), 1)


def amount_for(request: InvoiceRequest, price: int | None) -> int | str:
    """Return the amount of the invoice in millisatoshi, or why the request is refused."""
    offered, least = request.invreq_amount, 1 if price is None else price
    if offered is None:
        return price or 0  # 0 only at the end of a recurrence, which needs no amount
    if offered < least:
        return f"Amount must be at least {least}msat"
    if price is not None and offered // EXCESS > price:
        return f"Amount vastly exceeds {price}msat"
    return offered


def relative_expiry(request: InvoiceRequest, window: Paywindow | None, now: int) -> int:
    """Return for how many seconds the invoice can be paid; `window` is the time for payments of a recurring offer."""
    seconds = DEFAULT_RELATIVE_EXPIRY
    if window is not None:
        seconds = min(max(window.end - now, 1), _U32_MAX)  # 0 would record a cancellation
    elif request.offer_absolute_expiry is not None:
        seconds = min(seconds, request.offer_absolute_expiry - now)
    return seconds if request.offer_currency is None else min(seconds, CURRENCY_SECONDS)


def _total(request: InvoiceRequest) -> int:
    quantity = 1 if request.invreq_quantity is None else request.invreq_quantity
    return (request.offer_amount or 0) * quantity
