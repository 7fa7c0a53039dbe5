"""How people read amounts, times and bytes."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Final

from lnoffers.service.escaping import escape

_SPANS: Final = (("year", 31_557_600), ("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_LONG_HEX: Final = 66
"""Digits of a point. Longer hex is cut: it is for programs, which read JSON."""


def amount(msat: int) -> str:
    """An amount in sat, with msat behind it: `1,500.250 sat (1,500,250 msat)`."""
    sat, rest = divmod(msat, 1000)
    return f"{sat:,}{f'.{rest:03}' if rest else ''} sat ({msat:,} msat)"


def currency_amount(amount: int, currency: str, minor_unit: int | None) -> str:
    """An amount of a currency: `12.50 EUR`. Without `minor_unit`, the number of decimals, it stays a whole number."""
    if minor_unit is None:
        return f"{amount:,} of the smallest unit of {escape(currency)}"
    whole, rest = divmod(amount, 10**minor_unit)
    return f"{whole:,}{f'.{rest:0{minor_unit}}' if minor_unit else ''} {escape(currency)}"


def moment(time: int, now: int) -> str:
    """A time (unix seconds) by the local clock and calendar, and how far from `now` that is."""
    try:
        local = datetime.fromtimestamp(time).astimezone()
    except (ValueError, OverflowError, OSError):
        return f"{time}, which no calendar has"
    distance = span(abs(time - now))
    return f"{local:%Y-%m-%d %H:%M:%S %Z} ({f'in {distance}' if time >= now else f'{distance} ago'})"


def span(seconds: int) -> str:
    """A span in its largest unit and the next smaller one, if that is not zero: `2 days 3 hours`."""
    for (unit, size), (smaller, smaller_size) in pairwise(_SPANS):
        if seconds >= size:
            count, rest = divmod(seconds, size)
            more = rest // smaller_size
            return _counted(count, unit) + (f" {_counted(more, smaller)}" if more else "")
    return _counted(seconds, "second")


def bytes_in_hex(digits: str) -> str:
    """Hex as it is, or its ends if it is long: `a1b2c3d4e5f6a7b8…a1b2c3d4e5f6a7b8 (64 bytes)`."""
    return digits if len(digits) <= _LONG_HEX else f"{digits[:16]}…{digits[-16:]} ({len(digits) // 2:,} bytes)"


def _counted(count: int, unit: str) -> str:
    return f"{count:,} {unit}{'' if count == 1 else 's'}"
