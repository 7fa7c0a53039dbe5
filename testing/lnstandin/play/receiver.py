"""The payments of others to this node.

The payee recognises its invoice by the path_id, or with BOLT 11 by the payment secret. It writes down who pays before
its store has the payment, and answers after that. So the same payer always gets the same answer, and the preimage is
sold once.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from functools import partial
from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING, Final

from clnrpc.runtime.errors import RpcError
from lnoffers.bolt12 import Bolt12Error
from lnoffers.net.blinding import unblind
from lnoffers.net.errors import RemoteProtocolError
from lnoffers.net.hop_data import HopData
from lnoffers.service.payment_paths import payment_path_id
from lnoffers.service.payments.backend import BackendError
from lnoffers.service.tasks import ended_in_bug
from lnstandin.play.ledger import Received, State
from lnstandin.play.messages import Pay, Result, UnusableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lnoffers.bolt12.keys import NodeKeys
    from lnoffers.service.payments.backend import Host
    from lnoffers.service.peers import Link
    from lnstandin.play.ledger import Ledger
    from lnstandin.play.wire import Wire

MAX_AT_ONCE: Final = 256
"""Payments that are looked at at a time; further ones are dropped, and come again."""

logger = logging.getLogger(__name__)


class Receiver:
    """The payments that are being looked at. Use it within one event loop."""

    def __init__(self, host: Host, ledger: Ledger, wire: Wire) -> None:
        self._host = host
        self._ledger = ledger
        self._wire = wire
        self._tasks: dict[tuple[bytes, bytes], asyncio.Task[None]] = {}
        """What answers each payment, by payer and payment hash. Copies that come meanwhile are dropped."""
        self._arriving: dict[tuple[bytes, bytes], Pay] = {}
        """The payments of these tasks."""

    async def resume(self) -> None:
        """Take or refuse the payments that had arrived when this node ended.

        Raises:
            BackendError: if the ledger or the store cannot be used.
        """
        try:
            for payment in await self._ledger.unanswered():
                await self._take(payment)
        except RpcError as error:
            raise BackendError(f"payments that have arrived cannot be recorded: {error.message}") from error

    def receive(self, link: Link, data: bytes) -> None:
        """Answer a payment, unless it cannot be read, or it or too many others are being looked at."""
        try:
            pay = Pay.read(data)
        except (Bolt12Error, UnusableError) as error:
            logger.debug("Ignored a payment from %s: %s", link, error)
            return
        key = link.node_id, pay.payment_hash
        if key not in self._tasks and len(self._tasks) < MAX_AT_ONCE:
            self._arriving[key] = pay
            task = self._tasks[key] = asyncio.get_running_loop().create_task(self._answer(link, pay))
            task.add_done_callback(lambda _: (self._tasks.pop(key), self._arriving.pop(key)))
            task.add_done_callback(partial(ended_in_bug, "A payment to this node ended in a bug"))

    def arriving(self, payer: bytes) -> Sequence[Pay]:
        """Return the payments of a node (33 bytes) that are not answered yet."""
        return [pay for (node_id, _), pay in self._arriving.items() if node_id == payer]

    async def close(self) -> None:
        """Answer nothing any more. The payers will ask again."""
        tasks = [*self._tasks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _answer(self, link: Link, pay: Pay) -> None:
        await self._wire.may_take.wait()
        try:
            result = await self._result(link.node_id, pay)
        except BackendError as error:
            logger.warning("A payment from %s waits: %s", link, error)
        except RpcError as error:  # nobody knows whether the store has it
            logger.warning("A payment from %s waits: %s", link, error.message)
        else:
            if result is not None:
                await self._wire.send(link, result.message())

    async def _result(self, payer: bytes, pay: Pay) -> Result | None:
        """Return the answer to a payment; None if there is none yet."""
        refused = partial(Result, pay.payment_hash, pay.attempt, None)
        if not self._is_for_us(pay):
            return refused("this node has made no such invoice")
        new = Received(pay.payment_hash, payer, pay.attempt, pay.amount_msat)
        if self._wire.refuses():
            new = replace(new, state=State.FAILED, reason="refused on purpose, by the fault `fail`")
        payment = await self._ledger.arrive(new)
        if payment.state is State.PENDING and payment.payer == payer:
            payment = await self._take(payment)
        match payment.state:
            case State.PENDING:
                return None
            case State.FAILED:
                return refused(payment.reason)
            case State.PAID:
                return Result(pay.payment_hash, pay.attempt, payment.preimage)

    async def _take(self, payment: Received) -> Received:
        """Have the store record a payment; return it as paid, or as failed if the store does not want it."""
        answer = await self._host.received(payment.payment_hash, payment.amount_msat, self._host.node.clock.now())
        if isinstance(answer, bytes):
            self._ledger.settle(payment, answer)
            return replace(payment, state=State.PAID, preimage=answer)
        self._ledger.turn_away(payment)
        return replace(payment, state=State.FAILED, reason=answer)

    def _is_for_us(self, pay: Pay) -> bool:
        """Return whether a payment came along the path in an invoice of this node, or has its payment secret."""
        keys = self._host.node.keys
        if pay.path_key is None or pay.recipient_data is None:
            return compare_digest(pay.payment_secret or b"", payment_secret(keys, pay.payment_hash))
        try:
            data = HopData.from_bytes(unblind(keys.key_pair.shared_secret(pay.path_key), pay.recipient_data))
        except (Bolt12Error, RemoteProtocolError):
            return False
        return compare_digest(data.path_id or b"", payment_path_id(keys, pay.payment_hash))


def payment_secret(keys: NodeKeys, payment_hash: bytes) -> bytes:
    """Return the payment secret, 32 bytes, in this node's BOLT 11 invoice with a payment hash."""
    return sha256(keys.named_secret("bolt11-invoice-base") + payment_hash).digest()
