"""Record the payments that arrive for this node's invoices, as its backend reports them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from lnoffers.service.store import invoices
from lnoffers.service.store.invoices import InvoiceStatus

if TYPE_CHECKING:
    from lnoffers.service.node import Node

MAX_EXCESS: Final = 2
"""How many times the amount of its invoice a payment may have (BOLT 4, "Failure Messages")."""


class Collector:
    """The invoices of a node, as far as they are paid. Use it within the server's event loop."""

    def __init__(self, node: Node) -> None:
        self._node = node

    async def received(self, payment_hash: bytes, amount_msat: int, at: int) -> bytes | str:
        """Record durably that a payment has arrived, and return its preimage, 32 bytes, or why it is not accepted.

        Args:
            payment_hash: 32 bytes.
            amount_msat: the amount that has arrived.
            at: Unix seconds.

        Raises:
            RpcError: if the store fails, so that nobody knows.
        """
        return await self._record(payment_hash, amount_msat, at, is_settled=False)

    async def settled(self, payment_hash: bytes, amount_msat: int, at: int) -> bytes | str:
        """Do the same for a payment that has been taken already. Only one for an unknown invoice is not accepted."""
        return await self._record(payment_hash, amount_msat, at, is_settled=True)

    async def _record(self, payment_hash: bytes, amount_msat: int, at: int, *, is_settled: bool) -> bytes | str:
        record = partial(self._received, payment_hash, amount_msat, at, is_settled=is_settled)
        return await self._node.changes.run(record)

    def _received(self, payment_hash: bytes, amount_msat: int, at: int, *, is_settled: bool) -> bytes | str:
        with self._node.store.transaction() as connection:
            stored = invoices.by_payment_hash(connection, payment_hash)
            if stored is None:
                return "no invoice has this payment_hash"
            if stored.status is InvoiceStatus.PAID:
                return stored.payment_preimage
            if not is_settled:
                if amount_msat < stored.amount_msat:
                    return f"{amount_msat}msat are less than the invoice's {stored.amount_msat}msat"
                if 0 < MAX_EXCESS * stored.amount_msat < amount_msat:
                    return f"{amount_msat}msat are more than {MAX_EXCESS} times the invoice's {stored.amount_msat}msat"
            paid = invoices.pay(connection, payment_hash, amount_msat, at, is_settled=is_settled)
        if paid is None:
            return "the invoice has expired"
        self._node.changes.tell()
        return paid.payment_preimage
