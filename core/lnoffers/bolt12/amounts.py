"""Amounts in currencies: minor units by ISO 4217, and amounts as people write them (`12.50EUR`).

Which currencies there are, and how many decimals each has, is the business of the package `iso4217`, which carries the
standard's own list.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from lnoffers.bolt12.errors import Bolt12Error
from lnoffers.bolt12.rule_names import RuleName
from lnoffers.bolt12.typecheck import typechecked

_U64_MAX = 2**64 - 1
_CODE_LENGTH = 3
_DIGITS = re.compile("[0-9]+")


class CurrencyAmount(NamedTuple):
    """An amount of an offer, in minor units (cents) of the currency with this ISO 4217 code."""

    offer_amount: int
    offer_currency: str


@typechecked
def minor_unit(code: str) -> int | None:
    """Return a currency's number of decimals: 0 for precious metals and the like, None for a code not in ISO 4217."""
    from iso4217 import Currency  # noqa: PLC0415 # 0085: slow

    try:
        return Currency(code).exponent or 0
    except ValueError:
        return None


@typechecked
def parse_currency_amount(text: str) -> CurrencyAmount:
    """Parse an amount such as `10USD` or `10.00USD`. After a point, all decimals of the currency must follow.

    Raises:
        Bolt12Error: with the messages of Core Lightning's `offer`.
    """
    if len(text) < _CODE_LENGTH:
        raise _error(RuleName.CURRENCY_UNKNOWN, "Not a number, and too short for currency")
    number, code = text[:-_CODE_LENGTH], text[-_CODE_LENGTH:]
    decimals = minor_unit(code)
    if decimals is None:
        raise _error(RuleName.CURRENCY_UNKNOWN, f"Unknown currency suffix {code}")
    whole, point, minor = number.partition(".")
    if point and len(minor) != decimals:
        raise _error(RuleName.CURRENCY_DECIMALS, f"Currency {code} requires {decimals} minor units")
    if point and not _DIGITS.fullmatch(minor):
        raise _error(RuleName.CURRENCY_DECIMALS, "Bad minor units number")
    if not _DIGITS.fullmatch(whole) or len(whole) > len(str(_U64_MAX)) or int(whole) > _U64_MAX:
        raise _error(RuleName.CURRENCY_NUMBER, "Not a valid number")
    amount = int(whole) * 10**decimals + int(minor or 0)
    if amount > _U64_MAX:
        raise _error(RuleName.NUMBER_RANGE, "excessively large value")
    return CurrencyAmount(amount, code)


def _error(rule: RuleName, message: str) -> Bolt12Error:
    return Bolt12Error(message, rule=rule, field="offer_amount")
