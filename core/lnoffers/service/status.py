"""The life of a stored request: which states there are and what leads from one to another.

The numbers are the ones that Core Lightning stores, for offers and invoice_requests alike: bit 1 active, 2 single
use, 4 used. Of the eight combinations seven occur; `TRANSITIONS` is all that ever changes one.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, IntFlag
from typing import Final


class Status(IntFlag):
    """The three bits of a stored request's state."""

    ACTIVE = 1
    SINGLE_USE = 2
    USED = 4

    @classmethod
    def created(cls, *, single_use: bool) -> Status:
        """The state that a new request begins in."""
        return cls.ACTIVE | cls.SINGLE_USE if single_use else cls.ACTIVE


class Event(Enum):
    """What can happen to a stored request."""

    DISABLED = "disabled by its owner"
    PAID = "an invoice for it was paid"


_ACTIVE, _SINGLE, _USED = Status.ACTIVE, Status.SINGLE_USE, Status.USED

TRANSITIONS: Final[Mapping[Event, Mapping[Status, Status]]] = {
    Event.DISABLED: {
        _ACTIVE: Status(0),
        _ACTIVE | _USED: _USED,
        _ACTIVE | _SINGLE: _SINGLE,
    },
    Event.PAID: {
        _ACTIVE: _ACTIVE | _USED,
        _ACTIVE | _USED: _ACTIVE | _USED,
        _ACTIVE | _SINGLE: _SINGLE | _USED,
    },
}
"""For each event, the states it can happen in and the one it leads to; in any other state it is refused."""
