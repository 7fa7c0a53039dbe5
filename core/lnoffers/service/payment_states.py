"""The states of a payment for an invoice, and the transitions between them.

A payment begins as a claim: one transaction reserves the request for one invoice, and stores which. From then on the
invoice may be paid. Only a definite failure, or a success, ends the claim. While nobody knows whether the money has
moved, no other invoice is paid for the request.

                   BEGUN            PAID
    CLAIMED ----> claimed ----> paying ----> paid
                     |          |  ^ |         ^
              FAILED |   FAILED |  | | LOST    |
                     v          v  | v         | PAID
                   failed <------ unknown -----+
                           FAILED  (AGAIN: back to paying)

Before its claim an invoice is nowhere but in memory, so that invoices which are refused leave nothing behind.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, StrEnum
from typing import Final


class PaymentState(StrEnum):
    """The state of a payment."""

    CLAIMED = "claimed"
    PAYING = "paying"
    UNKNOWN = "unknown"
    PAID = "paid"
    FAILED = "failed"


MEANINGS: Final[Mapping[PaymentState, str]] = {
    PaymentState.CLAIMED: "the request is reserved for this invoice, and nobody has been told to pay it yet",
    PaymentState.PAYING: "the owner of the claim pays it: the backend may have been told",
    PaymentState.UNKNOWN: "the backend may have been told, and its answer is lost; it is asked until it knows",
    PaymentState.PAID: "the payee has the money, and this node the preimage",
    PaymentState.FAILED: "it is certain that this attempt moves no money any more",
}


class PaymentEvent(Enum):
    """What changes the state of a payment."""

    BEGUN = "the backend is about to be told"
    AGAIN = "the backend is certain that no money moves, and is about to be told once more"
    LOST = "the backend's answer is lost, or the owner of the claim has ended"
    PAID = "the backend has the preimage"
    FAILED = "the backend is certain that no money moves, or it was never told"


_CLAIMED, _PAYING, _UNKNOWN, _PAID, _FAILED = PaymentState

STEPS: Final[Mapping[PaymentEvent, Mapping[PaymentState, PaymentState]]] = {
    PaymentEvent.BEGUN: {_CLAIMED: _PAYING},
    PaymentEvent.AGAIN: {_UNKNOWN: _PAYING},
    PaymentEvent.LOST: {_PAYING: _UNKNOWN, _UNKNOWN: _UNKNOWN},
    PaymentEvent.PAID: {_PAYING: _PAID, _UNKNOWN: _PAID},
    PaymentEvent.FAILED: {_CLAIMED: _FAILED, _PAYING: _FAILED, _UNKNOWN: _FAILED},
}
"""For each event, the states in which it may happen and the state after it. In all other states it is refused."""

OPEN: Final = frozenset({_CLAIMED, _PAYING, _UNKNOWN})
"""The states in which a payment holds its claim."""
