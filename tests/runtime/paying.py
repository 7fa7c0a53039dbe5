"""A payment for the tests of paying once, and a node without a connection that steps call."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import Any, Protocol

from clnrpc import ClientError, Paid, RpcError
from clnrpc.runtime.client.paying.steps import Call, Order, Pause, pay

PREIMAGE = "42" * 32
HASH = sha256(bytes.fromhex(PREIMAGE)).hexdigest()
DECODED = {"type": "bolt12 invoice", "invoice_payment_hash": HASH}
SUCCESS = {"payment_preimage": PREIMAGE, "amount_msat": 5, "amount_sent_msat": 6}
PAID = Paid(payment_hash=HASH, preimage=PREIMAGE, amount_msat=5, amount_sent_msat=6)


class Answering(Protocol):
    """A node with a clock of its own, in seconds, which only pauses and slow answers move."""

    now: float

    def answer(self, call: Call) -> Any:
        """Return the answer to a call, or raise an RpcError or a ClientError."""
        ...


def paid_by(node: Answering, order: Order) -> Paid:
    """Take the steps that pay an invoice."""
    steps = pay(order, lambda: node.now)
    send: Callable[[], Call | Pause] = partial(next, steps)
    try:
        while True:
            step = send()
            if isinstance(step, Pause):
                node.now += step.seconds
                send = partial(next, steps)
                continue
            try:
                send = partial(steps.send, node.answer(step))
            except (RpcError, ClientError) as error:
                send = partial(steps.throw, error)
    except StopIteration as end:
        paid: Paid = end.value
        return paid


def listed(status: str) -> dict[str, Any]:
    """Return the payment as `listpays` lists it."""
    row = {"payment_hash": HASH, "status": status, "created_at": 1, "amount_msat": 5, "amount_sent_msat": 6}
    return row | ({"preimage": PREIMAGE} if status == "complete" else {})
