"""The life of a stored offer or invoice_request: which states there are and what leads from one to another.

The numbers are the ones that Core Lightning stores: bit 1 active, 2 single use, 4 used. Bit 8 is ours: somebody is
paying and holds the one use there is. `TRANSITIONS` is all that ever changes a state.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, IntFlag
from typing import Final


class Status(IntFlag):
    """The bits of a record's state."""

    ACTIVE = 1
    SINGLE_USE = 2
    USED = 4
    CLAIMED = 8

    @classmethod
    def created(cls, *, single_use: bool) -> Status:
        """The state that a new record begins in."""
        return cls.ACTIVE | cls.SINGLE_USE if single_use else cls.ACTIVE


class Event(Enum):
    """What can happen to a record."""

    DISABLED = "disabled by its owner"
    ENABLED = "enabled again by its owner; offers only"
    CLAIMED = "reserved for one attempt to pay"
    RELEASED = "that attempt failed"
    PAID = "an invoice for it was paid"


_ACTIVE, _SINGLE, _USED, _CLAIMED = Status

TRANSITIONS: Final[Mapping[Event, Mapping[Status, Status]]] = {
    Event.DISABLED: {
        _ACTIVE: Status(0),
        _ACTIVE | _USED: _USED,
        _ACTIVE | _SINGLE: _SINGLE,
        _ACTIVE | _SINGLE | _CLAIMED: _SINGLE | _CLAIMED,
    },
    Event.ENABLED: {
        Status(0): _ACTIVE,
        _USED: _ACTIVE | _USED,
        _SINGLE: _ACTIVE | _SINGLE,
        _SINGLE | _CLAIMED: _ACTIVE | _SINGLE | _CLAIMED,
    },
    Event.CLAIMED: {
        _ACTIVE: _ACTIVE,
        _ACTIVE | _USED: _ACTIVE | _USED,
        _ACTIVE | _SINGLE: _ACTIVE | _SINGLE | _CLAIMED,
    },
    Event.RELEASED: {
        _ACTIVE | _SINGLE | _CLAIMED: _ACTIVE | _SINGLE,
        _SINGLE | _CLAIMED: _SINGLE,
    },
    Event.PAID: {
        _ACTIVE: _ACTIVE | _USED,
        _ACTIVE | _USED: _ACTIVE | _USED,
        _ACTIVE | _SINGLE: _SINGLE | _USED,
        _ACTIVE | _SINGLE | _CLAIMED: _SINGLE | _USED,
        _SINGLE | _CLAIMED: _SINGLE | _USED,
    },
}
"""For each event, the states it can happen in and the one it leads to; in any other state it is refused."""
