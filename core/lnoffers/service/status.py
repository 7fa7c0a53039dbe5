"""The states of a stored offer or invoice_request, and the transitions between them.

The numbers are those that Core Lightning stores: bit 1 active, 2 single use, 4 used. Bit 8 is ours: a payment is in
progress and has reserved the single use. All changes of state are in `TRANSITIONS`.
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
        """Return the state of a new record."""
        return cls.ACTIVE | cls.SINGLE_USE if single_use else cls.ACTIVE


class StatusChange(Enum):
    """An event that changes the state of a record."""

    DISABLED = "disabled by its owner"
    ENABLED = "enabled again by its owner; offers only"
    CLAIMED = "reserved for one payment attempt"
    RELEASED = "that attempt failed"
    PAID = "an invoice for it was paid"


_ACTIVE, _SINGLE, _USED, _CLAIMED = Status

TRANSITIONS: Final[Mapping[StatusChange, Mapping[Status, Status]]] = {
    StatusChange.DISABLED: {
        _ACTIVE: Status(0),
        _ACTIVE | _USED: _USED,
        _ACTIVE | _SINGLE: _SINGLE,
        _ACTIVE | _SINGLE | _CLAIMED: _SINGLE | _CLAIMED,
    },
    StatusChange.ENABLED: {
        Status(0): _ACTIVE,
        _USED: _ACTIVE | _USED,
        _SINGLE: _ACTIVE | _SINGLE,
        _SINGLE | _CLAIMED: _ACTIVE | _SINGLE | _CLAIMED,
    },
    StatusChange.CLAIMED: {
        _ACTIVE: _ACTIVE,
        _ACTIVE | _USED: _ACTIVE | _USED,
        _ACTIVE | _SINGLE: _ACTIVE | _SINGLE | _CLAIMED,
    },
    StatusChange.RELEASED: {
        _ACTIVE | _SINGLE | _CLAIMED: _ACTIVE | _SINGLE,
        _SINGLE | _CLAIMED: _SINGLE,
    },
    StatusChange.PAID: {
        Status(0): _USED,  # disabled during the payment
        _USED: _USED,
        _ACTIVE: _ACTIVE | _USED,
        _ACTIVE | _USED: _ACTIVE | _USED,
        _ACTIVE | _SINGLE: _SINGLE | _USED,
        _ACTIVE | _SINGLE | _CLAIMED: _SINGLE | _USED,
        _SINGLE | _CLAIMED: _SINGLE | _USED,
    },
}
"""For each event, the states in which it may happen and the state after it. In all other states it is refused."""
