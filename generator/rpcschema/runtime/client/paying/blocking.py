"""The blocking client that pays an invoice once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import ClientError, RpcError
from ..blocking import BaseClient

if TYPE_CHECKING:
    from .steps import Paid


class PayingClient(BaseClient):
    """A client with `pay_once`, which pays an invoice exactly once."""

    def pay_once(
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

        Calls `xpay`, or `pay` on a node without it. If its outcome is unknown, because the connection was lost or parts
        are on their way, asks `listpays`, over a new connection if need be, until the outcome is certain. This takes at
        most 40 seconds longer than the payment, or `retry_for` + 10 if that is more.

        It guarantees:

        - The invoice is never paid twice, however often this is called: the node pays a payment hash once.
        - If it returns, the invoice is paid: the preimage's SHA-256 is the payment hash.
        - If it raises an error with the outcome `failed` or `retry`, this call has not paid the invoice and never will.
          With `again`, the same is true of all earlier calls.
        - With any other error, the outcome is unknown. Call it again later, with `again`.

        That holds if connections are lost and the node is killed and restarted at any moment. If your process may have
        died during an earlier call for this invoice, pass `again`. It assumes that the node keeps its database, that
        nobody else has it pay this invoice or deletes its payments, and that it hands a call to its plugins within
        seconds. A plugin that holds `xpay` back for longer, in the hook `rpc_command` or in a signer that asks a
        person, breaks this. A node that is killed right after it stored a part may list it as pending for ever; then
        the outcome stays unknown. Over REST, the rune must permit `decode`, `listpays`, and `xpay` or `pay`.

        Args:
            invoice: a BOLT 11 or BOLT 12 invoice. For an offer, call `fetchinvoice` first, and store the invoice.
            amount_msat: the amount in millisatoshi, if the invoice has none.
            maxfee: the highest fee in millisatoshi. Default: that of the node.
            label: your own name for the payment.
            retry_for: for how many seconds the node tries to pay; the highest of all calls for this invoice.
            within: how long all of this may take, in seconds, plus up to 10 for a last `listpays`. If it is less than
                70, or `retry_for` + 10, a lost answer may leave the outcome unknown.
            again: whether an earlier call for this invoice may exist whose outcome is unknown.

        Raises:
            RpcError: The node did not pay; `outcome` is failed, retry, or, if the node has paid this hash but does not
                list the preimage, done.
            PayOnceError: It was not paid (failed), or that is not certain (unknown).
            ClientError: Nothing was sent, or not in full (failed).
        """
        from time import monotonic, sleep

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
                    sleep(step.seconds)
                    step = next(steps)
                    continue
                try:
                    timed = client.rpc_with(timeout=step.timeout_of(self._rpc_settings.timeout))
                    answer = timed.rpc_call(step.method, step.params)
                except (RpcError, ClientError) as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(answer)
        except StopIteration as end:
            paid: Paid = end.value
            return paid
