"""Periods of recurring offers: where they begin, and when they can be paid."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lnoffers.bolt12 import (
    Bolt12Error,
    Recurrence,
    RecurrenceBase,
    RecurrencePaywindow,
    paywindow,
    period_start,
)

MONTHLY = Recurrence(2, 1)
WEEKLY = Recurrence(1, 7)
HOURLY = Recurrence(0, 3600)


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    return int(datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp())


def test_counts_seconds_and_days_from_the_base() -> None:
    assert period_start(HOURLY, 1_000, 0) == 1_000
    assert period_start(HOURLY, 1_000, 5) == 19_000
    assert period_start(WEEKLY, at(2026, 12, 28, 10), 1) == at(2027, 1, 4, 10)


@pytest.mark.parametrize(
    ("recurrence", "base", "index", "expected"),
    [
        (MONTHLY, (2026, 1, 15), 1, (2026, 2, 15)),
        (MONTHLY, (2026, 1, 31), 1, (2026, 2, 28)),
        (MONTHLY, (2026, 1, 31), 2, (2026, 3, 31)),
        (MONTHLY, (2026, 1, 31), 3, (2026, 4, 30)),
        (MONTHLY, (2028, 1, 31), 1, (2028, 2, 29)),
        (MONTHLY, (2026, 12, 1), 1, (2027, 1, 1)),
        (MONTHLY, (2026, 11, 30), 3, (2027, 2, 28)),
        (Recurrence(2, 12), (2028, 2, 29), 1, (2029, 2, 28)),
        (Recurrence(2, 12), (2028, 2, 29), 4, (2032, 2, 29)),
        (Recurrence(2, 3), (2026, 8, 31), 1, (2026, 11, 30)),
        (MONTHLY, (1970, 1, 1), 2_400, (2170, 1, 1)),
    ],
)
def test_a_month_ends_on_its_last_day_at_the_latest(
    recurrence: Recurrence, base: tuple[int, int, int], index: int, expected: tuple[int, int, int]
) -> None:
    assert period_start(recurrence, at(*base, 13, 37), index) == at(*expected, 13, 37)


@given(st.integers(0, 4_000_000_000), st.integers(1, 24), st.integers(0, 200))
def test_periods_of_months_ascend_and_keep_the_time_of_day(basetime: int, months: int, index: int) -> None:
    recurrence = Recurrence(2, months)
    start, following = period_start(recurrence, basetime, index), period_start(recurrence, basetime, index + 1)
    assert 28 * 86_400 * months <= following - start <= 31 * 86_400 * months
    assert start % 86_400 == basetime % 86_400


def test_refuses_what_no_calendar_has() -> None:
    with pytest.raises(Bolt12Error) as caught:
        period_start(Recurrence(3, 1), 0, 0)
    assert caught.value.rule == "recurrence-unit"
    for recurrence, basetime, index in (
        (MONTHLY, at(2026, 1, 1), 12 * 8_000),
        (MONTHLY, 2**64 - 1, 0),
        (Recurrence(2, 2**32 - 1), 0, 2**32 - 1),
    ):
        with pytest.raises(Bolt12Error, match="after the year 9999") as caught:
            period_start(recurrence, basetime, index)
        assert caught.value.rule == "period-too-late"


def test_a_window_opens_before_and_closes_after_a_start() -> None:
    window, base = RecurrencePaywindow(60, 30), RecurrenceBase(0, 10_000)
    assert paywindow(HOURLY, window, base, 10_000, 0) == (9_940, 10_030)
    assert paywindow(HOURLY, window, base, 10_000, 2) == (17_140, 17_230)


def test_a_first_payment_without_a_base_has_a_minute() -> None:
    assert paywindow(HOURLY, RecurrencePaywindow(60, 30), None, 10_000, 0) == (9_940, 10_060)
    assert paywindow(HOURLY, RecurrencePaywindow(60, 90), None, 10_000, 0) == (9_940, 10_090)
    assert paywindow(HOURLY, RecurrencePaywindow(60, 30), None, 10_000, 1) == (13_540, 13_630)


def test_without_a_window_a_period_can_be_paid_from_the_one_before_to_its_end() -> None:
    assert paywindow(HOURLY, None, None, 10_000, 0) == (0, 13_599)
    assert paywindow(HOURLY, None, None, 10_000, 1) == (10_000, 17_199)
    assert paywindow(MONTHLY, None, None, at(2026, 1, 31), 2) == (at(2026, 2, 28), at(2026, 4, 30) - 1)
