"""The values of recurring offers: their period, its start, and the time for payments.

The specification has them in a draft only. Until it is final, Core Lightning uses the draft's field numbers plus 10^9
for an offer's fields and plus 2·10^9 for an invoice_request's own.
"""

from __future__ import annotations

from dataclasses import dataclass

from lnoffers.bolt12.codecs import Codec, Json
from lnoffers.bolt12.cursor import numbers
from lnoffers.bolt12.typecheck import typechecked

SECONDS, DAYS, MONTHS = range(3)
"""The numbers of the known units of time."""
_UNIT_NAMES = ("seconds", "days", "months")


@typechecked
@dataclass(frozen=True, slots=True)
class Recurrence:
    """The period: `period` (u32) times `time_unit`, which is 0 for seconds, 1 for days, 2 for months."""

    time_unit: int
    period: int

    @property
    def time_unit_name(self) -> str | None:
        """The name of the unit, or None if it is not known."""
        return _UNIT_NAMES[self.time_unit] if self.time_unit < len(_UNIT_NAMES) else None


@typechecked
@dataclass(frozen=True, slots=True)
class RecurrenceBase:
    """The start of period 0.

    Attributes:
        proportional_amount: one byte; if not 0, a payer that joins within a period pays only for the rest of it.
        basetime: Unix time in seconds, u64.
    """

    proportional_amount: int
    basetime: int


@typechecked
@dataclass(frozen=True, slots=True)
class RecurrencePaywindow:
    """The seconds (u32 each) before and after a period's start in which its payment is accepted."""

    seconds_before: int
    seconds_after: int


def recurrence_to_json(recurrence: Recurrence) -> dict[str, Json]:
    """Return the JSON members of a period, as in the result of `decode`; an unknown unit has no name."""
    unit = recurrence.time_unit_name
    name: dict[str, Json] = {} if unit is None else {"time_unit_name": unit}
    return {"time_unit": recurrence.time_unit, **name, "period": recurrence.period}


def base_to_json(base: RecurrenceBase) -> dict[str, Json]:
    """Return the JSON members of a base, as in the result of `decode`."""
    proportional: dict[str, Json] = {"proportional_amount": True} if base.proportional_amount else {}
    return {"basetime": base.basetime, **proportional}


def paywindow_to_json(window: RecurrencePaywindow) -> dict[str, Json]:
    """Return the JSON members of a paywindow, as in the result of `decode`."""
    return {"seconds_before": window.seconds_before, "seconds_after": window.seconds_after}


recurrence: Codec[Recurrence] = numbers(Recurrence, (1,), 4, recurrence_to_json)
recurrence_base: Codec[RecurrenceBase] = numbers(RecurrenceBase, (1,), 8, base_to_json)
recurrence_paywindow: Codec[RecurrencePaywindow] = numbers(RecurrencePaywindow, (4,), 4, paywindow_to_json)
