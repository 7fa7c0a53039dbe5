"""What both ports need to know: what became of a payment whose result they do not have."""

from __future__ import annotations

import time
from typing import Final, Literal, TypeAlias

from clnrpc import AsyncClient
from clnrpc.types import ListpaysPay

PaymentState: TypeAlias = Literal["complete", "pending", "failed", "absent"]
SETTLING_SECONDS: Final = 120
"""For how long after its first part a payment that is listed as failed may still send another part.

`xpay` and `pay` try for 60 seconds, and complete the routing that began before.
"""


async def find_payment(client: AsyncClient, payment_hash: str) -> tuple[PaymentState, ListpaysPay | None]:
    """Return what became of a payment, and the entry of the node that says so.

    It has failed only if no command can send a part of it any more. Raises RpcError and ClientError.
    """
    pays = (await client.listpays(payment_hash=payment_hash)).pays
    by_state = {pay.status: pay for pay in pays}
    if "complete" in by_state:
        return "complete", by_state["complete"]
    if "pending" in by_state or any(pay.created_at + SETTLING_SECONDS > time.time() for pay in pays):
        return "pending", None
    return ("failed" if pays else "absent"), None
