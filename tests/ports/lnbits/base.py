"""The interface of lnbits' wallets: the names and fields that lnbits uses.

Source: lnbits/lnbits 7d98c6b08, lnbits/wallets/base.py. Of `ok` and `paid`, None means pending; only False lets lnbits
give the user the money back.
"""

from __future__ import annotations

from typing import NamedTuple


class StatusResponse(NamedTuple):
    error_message: str | None
    balance_msat: int


class InvoiceResponse(NamedTuple):
    ok: bool
    checking_id: str | None = None
    payment_request: str | None = None
    error_message: str | None = None
    preimage: str | None = None


class PaymentResponse(NamedTuple):
    ok: bool | None = None
    checking_id: str | None = None
    fee_msat: int | None = None
    preimage: str | None = None
    error_message: str | None = None


class PaymentStatus(NamedTuple):
    paid: bool | None = None
    fee_msat: int | None = None
    preimage: str | None = None


class UnsupportedError(Exception):
    """The wallet cannot do what was asked."""
