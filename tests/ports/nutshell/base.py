"""The interface of nutshell's backends: the names and fields that its mint uses.

Source: cashubtc/nutshell 3282be2f, cashu/lightning/base.py and cashu/core/base.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Literal


class Unit(Enum):
    """What an amount counts; the value is its size in millisatoshi."""

    sat = 1000
    msat = 1


@dataclass(frozen=True)
class Amount:
    """A number of units."""

    unit: Unit
    amount: int

    def to(self, unit: Unit, rounding: Literal["up", "down"] = "down") -> Amount:
        """Return the same amount in another unit."""
        up = unit.value - 1 if rounding == "up" else 0
        return Amount(unit, (self.amount * self.unit.value + up) // unit.value)


@dataclass(frozen=True)
class MeltQuote:
    """A payment that a wallet asks the mint for."""

    request: str
    unit: str
    amount: int


@dataclass(frozen=True)
class PostMeltQuoteRequest:
    """A question what a payment costs. `mpp_amount` is in millisatoshi, if other mints pay the rest."""

    request: str
    unit: str
    mpp_amount: int | None = None


class PaymentResult(Enum):
    """What became of a payment or an invoice. Only FAILED allows the mint to give the wallet its money back."""

    SETTLED = auto()
    FAILED = auto()
    PENDING = auto()
    UNKNOWN = auto()


@dataclass(frozen=True)
class StatusResponse:
    balance: Amount
    error_message: str | None = None


@dataclass(frozen=True)
class InvoiceResponse:
    ok: bool
    checking_id: str | None = None
    payment_request: str | None = None
    error_message: str | None = None


@dataclass(frozen=True)
class PaymentResponse:
    result: PaymentResult
    checking_id: str | None = None
    fee: Amount | None = None
    preimage: str | None = None
    error_message: str | None = None


@dataclass(frozen=True)
class PaymentStatus:
    result: PaymentResult
    fee: Amount | None = None
    preimage: str | None = None
    error_message: str | None = None


@dataclass(frozen=True)
class PaymentQuoteResponse:
    checking_id: str
    fee: Amount
    amount: Amount


class Unsupported(Exception):  # noqa: N818 - its name there
    """The backend cannot do what was asked."""
