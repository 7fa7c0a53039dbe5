"""The asyncio client that pays an invoice once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import ClientError, RpcError
from ..aio import BaseAsyncClient

if TYPE_CHECKING:
    from .steps import Paid


class PayingAsyncClient(BaseAsyncClient):
    """A client with `pay_once`, which pays an invoice exactly once."""

    async def pay_once(
        self,
        invoice: str,
        *,
        amount_msat: int | None = None,
        maxfee: int | None = None,
        label: str | None = None,
        retry_for: int = 60,
        within: float = 300,
        again: bool = False,
    ) -> Paid:
        """Pay an invoice, and return the payment with its preimage.

        Like `Client.pay_once`, which states its guarantees, parameters and errors. If it is cancelled, the outcome is
        unknown: call it later with `again`.
        """
        from asyncio import sleep
        from time import monotonic

        from .steps import Call, Order, pay

        client = self._rpc_changed(filter=None)
        order = Order(
            invoice=invoice,
            amount_msat=amount_msat,
            maxfee=maxfee,
            label=label,
            retry_for=retry_for,
            within=within,
            again=again,
        )
        steps = pay(order, monotonic)
        try:
            step = next(steps)
            while True:
                if not isinstance(step, Call):
                    await sleep(step.seconds)
                    step = next(steps)
                    continue
                try:
                    timed = client.rpc_with(timeout=step.timeout_of(self._rpc_settings.timeout))
                    answer = await timed.rpc_call(step.method, step.params)
                except (RpcError, ClientError) as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(answer)
        except StopIteration as end:
            paid: Paid = end.value
            return paid
