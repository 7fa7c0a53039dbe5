"""A script for `lnstandin mock --socket PATH --script docs/examples/mock_script.py`: a node that pays invoices once.

Functions that are named as commands answer them. `script` adds rules for all else.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from lnstandin.mock import Mock, RpcError

_paid: dict[str, dict[str, Any]] = {}


def script(mock: Mock) -> None:
    """Make the first call of getinfo slow, and let the node have no money on chain."""
    mock.on("getinfo").times(1).delay(0.5)
    mock.on("listfunds").answer(outputs=[])


def xpay(params: Mapping[str, Any]) -> dict[str, Any]:
    """Pay an invoice, unless it was paid or costs more than the caller allows."""
    invoice = params["invstring"]
    if invoice in _paid:
        return _paid[invoice]
    fee = 1_000
    if params.get("maxfee", fee) < fee:
        raise RpcError(206, "Route too expensive")
    amount = params.get("amount_msat", 10_000)
    _paid[invoice] = {
        "payment_preimage": sha256(invoice.encode()).hexdigest(),
        "failed_parts": 0,
        "successful_parts": 1,
        "amount_msat": amount,
        "amount_sent_msat": amount + fee,
    }
    return _paid[invoice]
