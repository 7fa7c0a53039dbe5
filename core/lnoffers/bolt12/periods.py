"""The start of each period of a recurring offer, and the time in which it can be paid. Times are Unix seconds.

Every period counts from the base, never from the period before it, so that a recurrence from the 31st returns to the
31st after a shorter month. Months are counted in UTC.
"""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from lnoffers.bolt12.errors import Bolt12Error
from lnoffers.bolt12.recurrence import DAYS, MONTHS, SECONDS, Recurrence, RecurrenceBase, RecurrencePaywindow
from lnoffers.bolt12.rule_names import RuleName
from lnoffers.bolt12.typecheck import typechecked

_DAY = 86_400
_FIRST_GRACE = 60
"""The shortest time for a first payment, in seconds: its period begins with it."""


class Paywindow(NamedTuple):
    """The first and last time (Unix seconds) at which a period's invoice may be requested."""

    start: int
    end: int


@typechecked
def period_start(recurrence: Recurrence, basetime: int, index: int) -> int:
    """Return the start of period `index` (from 0), if period 0 begins at `basetime`.

    A month later is the same day and time of day, or the month's last day if that is earlier.

    Raises:
        Bolt12Error: `recurrence-unit` for a unit that is not known, `period-too-late` after the year 9999.
    """
    units = recurrence.period * index
    if recurrence.time_unit == SECONDS:
        return basetime + units
    if recurrence.time_unit == DAYS:
        return basetime + units * _DAY
    if recurrence.time_unit == MONTHS:
        return _months_later(basetime, units)
    raise Bolt12Error(f"no period has the time_unit {recurrence.time_unit}", rule=RuleName.RECURRENCE_UNIT)


@typechecked
def paywindow(
    recurrence: Recurrence,
    window: RecurrencePaywindow | None,
    base: RecurrenceBase | None,
    basetime: int,
    index: int,
) -> Paywindow:
    """Return the time in which period `index` can be paid.

    Args:
        recurrence: the offer's period.
        window: the offer's paywindow; without it, a period can be paid from the start of the one before to its own end.
        base: the offer's base; without it, period 0 begins with the first payment, which then has a minute at least.
        basetime: when period 0 begins: `base.basetime`, or the first invoice's invoice_created_at.
        index: the period's index, from 0.

    Raises:
        Bolt12Error: see `period_start`.
    """
    start = period_start(recurrence, basetime, index)
    if window is None:
        earliest = period_start(recurrence, basetime, index - 1) if index else 0
        return Paywindow(earliest, period_start(recurrence, basetime, index + 1) - 1)
    after = window.seconds_after
    if base is None and index == 0:
        after = max(after, _FIRST_GRACE)
    return Paywindow(start - window.seconds_before, start + after)


def _months_later(basetime: int, months: int) -> int:
    try:
        base = datetime.fromtimestamp(basetime, UTC)
        years, month = divmod(base.month - 1 + months, 12)
        year = base.year + years
        day = min(base.day, calendar.monthrange(year, month + 1)[1])
        days = date(year, month + 1, day) - base.date()
    except (OverflowError, ValueError):  # raised by datetime after its last year
        raise Bolt12Error("the period begins after the year 9999", rule=RuleName.PERIOD_TOO_LATE) from None
    return basetime + days // timedelta(days=1) * _DAY
