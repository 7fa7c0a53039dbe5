"""How much may be paid without asking anybody: for one payment, and in 24 hours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lnoffers.service.errors import ServiceError
from lnoffers.service.store import payments

if TYPE_CHECKING:
    from lnoffers.service.store import Connection
    from lnoffers.service.store.payments import NewPayment

DAY: Final = 86_400
"""Seconds."""


class LimitError(ServiceError):
    """A payment would exceed a limit; the message says which, with its figures.

    Attributes:
        which: the limit, without figures, which are none of the payee's business.
    """

    def __init__(self, which: str, message: str) -> None:
        super().__init__(message)
        self.which = which


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Amounts in millisatoshi; None means no limit."""

    payment_msat: int | None = None
    """The largest amount of one payment, without fees."""
    daily_msat: int | None = None
    """The sum of what is paid in 24 hours, with fees, and of what may still be paid."""

    def check(self, connection: Connection, new: NewPayment) -> None:
        """Check that a payment may be made when it is created.

        Raises:
            LimitError: if not.
        """
        if self.payment_msat is not None and new.amount_msat > self.payment_msat:
            raise LimitError(
                "for one payment", f"{new.amount_msat}msat are more than one payment may have ({self.payment_msat}msat)"
            )
        if self.daily_msat is None:
            return
        spent = payments.spent_since(connection, new.created_at - DAY)
        if spent + new.limit_msat > self.daily_msat:
            raise LimitError(
                "of 24 hours",
                f"{new.limit_msat}msat, with fees, would exceed the limit of 24 hours ({self.daily_msat}msat), "
                f"of which {spent}msat are used",
            )
