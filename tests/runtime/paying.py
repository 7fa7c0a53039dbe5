"""A payment for the tests of paying once."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

PREIMAGE = "42" * 32
HASH = sha256(bytes.fromhex(PREIMAGE)).hexdigest()


def listed(status: str) -> dict[str, Any]:
    """Return the payment as `listpays` lists it."""
    row = {"payment_hash": HASH, "status": status, "created_at": 1, "amount_msat": 5, "amount_sent_msat": 6}
    return row | ({"preimage": PREIMAGE} if status == "complete" else {})
