"""The parts of a payment that are on their way, and their HTLCs.

A node that is killed right after it has stored a part as `pending` loses the part's HTLC, because that is stored only
with the commitment that contains it. The part is then `pending` for ever, and nothing can become of it. Such a part is
found by three facts together: no channel has its HTLC for longer than the node waits for a commitment (30 seconds), the
node has never stored one, and the part is too young for the HTLC of a channel that has been closed and forgotten. A
payment to the node itself has no HTLC, so none of this is said of it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from clnrpc import AsyncClient
    from clnrpc.types import ListsendpaysPayment

COMMIT_SECONDS: Final = 40
"""How long an HTLC that is not stored may be unknown: 10 seconds more than the node waits for its commitment."""
YOUNG: Final = 6 * 3600
"""Seconds within which the node forgets no channel: it keeps them for 100 blocks."""
PAGE: Final = 1000
"""How many HTLCs are listed at a time."""


async def pending(client: AsyncClient, payment_hash: str) -> list[ListsendpaysPayment]:
    """Return the parts that are on their way."""
    parts = (await client.listsendpays(payment_hash=payment_hash)).payments
    return [part for part in parts if part.status == "pending"]


async def have_htlcs(client: AsyncClient, payment_hash: str) -> bool:
    """Return whether a channel has an outgoing HTLC for this payment hash."""
    channels = (await client.listpeerchannels()).channels
    htlcs = [htlc for channel in channels for htlc in channel.htlcs or ()]
    return any(htlc.payment_hash == payment_hash and htlc.direction == "out" for htlc in htlcs)


async def had_htlcs(client: AsyncClient, payment_hash: str) -> bool:
    """Return whether a channel ever had an outgoing HTLC for this payment hash. The list may be long."""
    start = 1
    while page := (await client.listhtlcs(index="created", start=start, limit=PAGE)).htlcs:
        if any(htlc.payment_hash == payment_hash and htlc.direction == "out" for htlc in page):
            return True
        start = page[-1].created_index + 1
    return False


def are_young(parts: list[ListsendpaysPayment]) -> bool:
    """Return whether the HTLCs of these parts would still be listed, if there had been any."""
    return all(part.created_at > time.time() - YOUNG for part in parts)
