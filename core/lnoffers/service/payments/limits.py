"""How much may be paid without asking anybody: for one payment, and in 24 hours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lnoffers.service.errors import ServiceError
from lnoffers.service.store import payments

if TYPE_CHECKING:
    from lnoffers.service.store import Connection

DAY: Final = 86_400
"""Seconds."""


class LimitError(ServiceError):
    """A payment would exceed a limit; the message says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Amounts in millisatoshi; None means no limit."""

    payment_msat: int | None = None
    """The largest amount of one payment, without fees."""
    daily_msat: int | None = None
    """The sum of what is paid in 24 hours, with fees, and of what may still be paid."""
    fee_msat: int | None = None
    """The largest fee of one payment; the backend enforces it."""

    def check(self, connection: Connection, amount_msat: int, now: int) -> None:
        """Check that an amount may be paid now (Unix seconds).

        Raises:
            LimitError: if not.
        """
        if self.payment_msat is not None and amount_msat > self.payment_msat:
            raise LimitError(f"{amount_msat}msat are more than one payment may have ({self.payment_msat}msat)")
        if self.daily_msat is None:
            return
        spent = payments.spent_since(connection, now - DAY)
        if spent + amount_msat > self.daily_msat:
            raise LimitError(
                f"{amount_msat}msat would exceed the limit of 24 hours ({self.daily_msat}msat), "
                f"of which {spent}msat are used"
            )
