"""Pay invoices through the node, with `xpay`, and learn from `listpays` what has become of them.

`xpay` runs in the node. It goes on if its caller dies, and sends one part after the other, for `retry_for` seconds and
until the routing that began before has ended. Between two parts `listpays` says `failed`, and before the first one,
some 20 ms after the call, it is empty. So these answers alone do not mean that the payment has failed.

Two things end this. An answer of `xpay` does: it sends no part any more, but for those whose routes it had reserved
already, which leave at once. Without an answer, as after a restart of this process, time does: `Failed` is
returned only when the node has answered `listpays` for as long as a call can go on, counted by this process's
monotonic clock from the first answer, and nothing was pending in several prompt answers in a row after that. If the
node ever fails to answer, the count begins anew. That the node itself was restarted does not matter: it ends the call,
and its parts stay `pending` until they are settled, or for ever (`parts`).

Assumed is that the node gives a call to its plugins within that time. A plugin that holds `xpay` back for minutes, in
the hook `rpc_command` or in a signer that asks a person, breaks this.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clnrpc.runtime.errors import CannotConnectError, ClientError, RpcError
from lnoffers.bolt12 import Bolt12Error, Invoice
from lnoffers.service.payments.backend import BackendError, Failed, Outcome, Uncertain
from lnoffers.service.payments.cln import parts
from lnoffers.service.payments.cln.outcomes import ALREADY_PAID, ENDED, may_move, paid, success

if TYPE_CHECKING:
    from clnrpc.types import ListsendpaysPayment
    from lnoffers.service.payments.cln.client import NodeClient

RETRY_SECONDS: Final = 60
"""How long the node tries to pay an invoice: the default of `xpay`."""
ROUTING_SECONDS: Final = 30
"""How long a call may take to send its first part: its routing is given up after 10 seconds (`askrene-timeout`)."""
MARGIN_SECONDS: Final = 10
FIND_SECONDS: Final = 60.0
"""How long `find` waits for the outcome."""
PART_SECONDS: Final = 20
"""How long it waits for one part before it looks again."""
PAUSE: Final = 0.5
"""Seconds between two looks."""
PROMPT: Final = 1.0
"""Seconds within which a look is answered by a node that is not held up."""
LOOKS: Final = 3
"""How many prompt looks in a row must show nothing pending, at the end."""
LEAST_FEE_MSAT: Final = 5_000
"""What `xpay` allows as a fee for the smallest payments."""
PAGE: Final = 1000
"""How many parts are listed at a time."""
NOT_TRYING: Final = "the node has given up"

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Payment:
    """The parts of one payment, added up."""

    bolt12: str
    preimage: str | None = None
    sent_msat: int = 0
    is_pending: bool = False

    def add(self, part: ListsendpaysPayment) -> None:
        if part.status == "complete":
            self.preimage = part.payment_preimage
            self.sent_msat += part.amount_sent_msat
        elif part.status != "failed":
            self.is_pending = True


class Sending:
    """The payments through one node. Use it within one event loop.

    Args:
        client: connects to the node.
        max_fee: the fee limit of each payment, in millisatoshi; None for that of `xpay`, the higher one of 1 % and
            5 sat.
        retry_for: for how many seconds the node tries to pay an invoice.
        at_most: how long a call can go on without an answer, and a part without a stored HTLC, in seconds; None derives
            it from the longest `retry_for`, and from what the node allows.
    """

    def __init__(
        self, client: NodeClient, max_fee: int | None, retry_for: int = RETRY_SECONDS, at_most: float | None = None
    ) -> None:
        self._client = client
        self._max_fee = max_fee
        self._retry_for = retry_for
        self._given = at_most
        self._at_most = 0.0
        self._commit_within = parts.COMMIT_SECONDS if at_most is None else at_most
        self._ends: dict[str, float] = {}
        """Payment hash -> when no call can send a part any more, by the event loop's clock."""
        self._lost_from: dict[str, float] = {}
        """Payment hash -> since when its pending parts have no HTLC."""
        self._node_id = b""
        self._all_end: float | None = None
        """The same for all calls of an earlier process, counted from the first answer to this one."""

    def begin(self, node_id: bytes, longest_retry: int) -> None:
        """Take note that the node has answered for the first time, and of its id, 33 bytes.

        `longest_retry` is the longest `retry_for` of this process and earlier ones.
        """
        self._node_id = node_id
        if self._given is None:
            self._at_most = max(longest_retry, ROUTING_SECONDS) + MARGIN_SECONDS
        else:
            self._at_most = self._given
        self._all_end = _now() + self._at_most

    def fee_limit(self, amount_msat: int) -> int:
        """Return the highest fee for an amount, both in millisatoshi: without a choice, the default of `xpay`."""
        return max(amount_msat // 100, LEAST_FEE_MSAT) if self._max_fee is None else self._max_fee

    async def pay(self, invoice: Invoice) -> Outcome:
        """Pay an invoice, and wait until it is paid, or `xpay` has given up."""
        payment_hash = _hash(invoice)
        try:
            answer = await self._client.patient.xpay(invoice.encode(), maxfee=self._max_fee, retry_for=self._retry_for)
            return success(answer.payment_preimage, payment_hash, answer.amount_sent_msat)
        except CannotConnectError as error:
            logger.warning("The node cannot be reached: %s", error)
            return Failed("the node that pays cannot be reached")
        except ClientError as error:
            return Uncertain(str(error))
        except RpcError as error:
            logger.info("The node does not pay %s: %s", payment_hash, error)
            return await self._refused(invoice, error)

    async def _refused(self, invoice: Invoice, error: RpcError) -> Outcome:
        if error.code == ALREADY_PAID:
            return await self.find(invoice)
        if error.code not in ENDED:
            return Uncertain(str(error))
        self._ends[_hash(invoice)] = _now()
        outcome = await self.find(invoice)
        return ENDED[error.code] if isinstance(outcome, Failed) else outcome

    async def find(self, invoice: Invoice) -> Outcome:
        """Return the outcome of an invoice that an earlier call may have paid; wait a while if it is uncertain."""
        payment_hash = _hash(invoice)
        try:
            outcome = await self._find(invoice, _now() + FIND_SECONDS)
        except (ClientError, RpcError) as error:
            self._forget(payment_hash)
            return Uncertain(f"the node does not answer: {error}")
        if not isinstance(outcome, Uncertain):
            self._forget(payment_hash)
        return outcome

    def _forget(self, payment_hash: str) -> None:
        self._ends.pop(payment_hash, None)
        self._lost_from.pop(payment_hash, None)

    async def _find(self, invoice: Invoice, until: float) -> Outcome:
        payment_hash, quiet = _hash(invoice), 0
        while quiet < LOOKS:
            asked = _now()
            if asked > until:
                return Uncertain("the node may still be paying")
            pays = (await self._client.quick.listpays(payment_hash=payment_hash)).pays
            found = paid(pays)
            if found is not None:
                return found
            answered = _now()
            end = self._ends.setdefault(payment_hash, answered + self._at_most)
            is_over = not may_move(pays) or await self._is_lost(invoice)
            quiet = quiet + 1 if is_over and asked >= end and answered - asked < PROMPT else 0
            await asyncio.sleep(PAUSE)
        return Failed(NOT_TRYING)

    async def _is_lost(self, invoice: Invoice) -> bool:
        """Return whether the node has lost the HTLCs of all pending parts; else wait a while until one is settled."""
        payment_hash, client = _hash(invoice), self._client.quick
        pending = await parts.pending(client, payment_hash)
        if not pending or await parts.have_htlcs(client, payment_hash):
            self._lost_from.pop(payment_hash, None)
            if pending:
                await self._await(pending[0])
            return False
        is_new = payment_hash not in self._lost_from
        since = self._lost_from.setdefault(payment_hash, _now())
        if is_new:
            logger.warning("The node lists a part of %s as pending, and has no HTLC for it", payment_hash)
        is_long = _now() - since >= self._commit_within
        is_sure = is_long and parts.are_young(pending) and not self._may_end_here(invoice)
        return is_sure and not await parts.had_htlcs(client, payment_hash)

    def _may_end_here(self, invoice: Invoice) -> bool:
        """Return whether a payment may need no HTLC, because its path begins at the node that pays."""
        firsts = [path.first_node_id for path in invoice.invoice_paths or ()]
        return not all(isinstance(first, bytes) and first != self._node_id for first in firsts)

    async def _await(self, part: ListsendpaysPayment) -> None:
        with suppress(RpcError):  # it says that the time is over, or how the part has failed
            await self._client.patient.waitsendpay(
                part.payment_hash, timeout=PART_SECONDS, partid=part.partid or 0, groupid=part.groupid
            )

    async def payments(self) -> AsyncIterator[tuple[Invoice, Outcome]]:
        """Return all payments of BOLT 12 invoices that have succeeded or may still do so.

        Raises:
            BackendError: if the node does not answer.
        """
        try:
            found = await self._list()
        except (ClientError, RpcError) as error:
            raise BackendError(f"the node does not list its payments: {error}") from error
        for payment_hash, payment in found.items():
            try:
                invoice = Invoice.parse(payment.bolt12)
            except Bolt12Error as error:
                logger.warning("The node has paid what is not a valid invoice, %s: %s", payment_hash, error)
                continue
            if payment.preimage is not None:
                yield invoice, success(payment.preimage, payment_hash, payment.sent_msat)
            elif payment.is_pending:
                yield invoice, Uncertain("the node is still paying")

    async def _list(self) -> dict[str, _Payment]:
        """Return the sums by payment hash, once no call of an earlier process can begin a payment any more."""
        if self._all_end is None:
            raise BackendError("the node has not been reached yet")
        await asyncio.sleep(self._all_end - _now())
        found: dict[str, _Payment] = {}
        start = 1
        while True:
            page = (await self._client.quick.listsendpays(index="created", start=start, limit=PAGE)).payments
            for part in page:
                if part.bolt12 is not None:
                    found.setdefault(part.payment_hash, _Payment(part.bolt12)).add(part)
            if not page:
                return found
            start = page[-1].created_index + 1


def _hash(invoice: Invoice) -> str:
    assert invoice.invoice_payment_hash is not None  # it was verified
    return invoice.invoice_payment_hash.hex()


def _now() -> float:
    return asyncio.get_running_loop().time()
