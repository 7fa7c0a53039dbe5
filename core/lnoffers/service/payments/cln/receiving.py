"""Be paid through the node: a BOLT 11 invoice of the node stands for each invoice of this node.

Their payment hashes are the same, and so are their amounts and expiries. The string of the node's invoice is never
published. The node collects the parts of a payment, checks the sum, and stores it; here it is only noticed.

No payment is missed: at the start all of the node's invoices are read, with the number of the last payment, and
`waitanyinvoice` continues from there. The number is kept only in memory, because whoever restores an old store must see
older payments again. Invoices of this node are found by their labels.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

from clnrpc.runtime.errors import ClientError, RpcError
from clnrpc.types import DecodeBolt11InvoiceResponse
from lnoffers.net.blinding import PATH_KEY_BYTES
from lnoffers.service.payments.backend import BackendError, Destination, Incoming
from lnoffers.service.payments.cln.destinations import (
    IncomingChannel,
    PathEnd,
    destination,
    forwards_blinded,
    incoming_channels,
)
from lnoffers.service.tasks import ended_in_bug, growing_pauses
from lnoffers.service.warner import Warner

if TYPE_CHECKING:
    from clnrpc.types import ListinvoicesInvoice, WaitanyinvoiceResponse
    from lnoffers.service.payments.cln.client import NodeClient

MAX_INVOICES: Final = 10_000
"""How many of this node's invoices the node keeps at a time, expired ones included until they are deleted."""
MAX_DESCRIPTION: Final = 639
"""The bytes of a description that fit into a BOLT 11 invoice."""
ID_DIGITS: Final = 20
"""How much of this node's id is in the labels, which may have 128 bytes."""
BLOCK_SECONDS: Final = 600
PAGE: Final = 1000
"""How many invoices are listed at a time."""
SWEEP_SECONDS: Final = 60.0
"""The interval at which expired invoices are deleted."""
FIRST_PAUSE: Final = 0.5
"""Seconds until a node that fails is asked again; the pause grows with each time."""
LONGEST_PAUSE: Final = 30.0

_LABEL_EXISTS: Final = 900
_HASH_EXISTS: Final = 901
_NOT_FOUND: Final = 905

Settled: TypeAlias = Callable[[bytes, int, int], Awaitable[bytes | str]]
"""`Host.settled`."""

logger = logging.getLogger(__name__)


class Receiving:
    """The payments that arrive through one node. Use it within one event loop.

    Args:
        client: connects to the node.
        node_id: of the node, 33 bytes.
        own_id: of this service's node, 33 bytes.
        settled: records a payment.
        max_invoices: how many invoices the node may keep.
    """

    def __init__(
        self,
        client: NodeClient,
        node_id: bytes,
        own_id: bytes,
        settled: Settled,
        max_invoices: int = MAX_INVOICES,
    ) -> None:
        self._client = client
        self._node_id = node_id
        self._prefix = f"lnoffers/{own_id.hex()[:ID_DIGITS]}/"
        self._settled = settled
        self._max_invoices = max_invoices
        self._unpaid: dict[bytes, int] = {}
        """Payment hash -> when it expires, in Unix seconds, of this node's invoices that the node keeps."""
        self._warner = Warner(logger)
        self._tasks: list[asyncio.Task[None]] = []

    def begin(self) -> None:
        """Begin to watch for payments."""
        for work in (self._watch(), self._sweep()):
            task = asyncio.get_running_loop().create_task(work)
            task.add_done_callback(partial(ended_in_bug, "Payments are not noticed any more because of a bug"))
            self._tasks.append(task)

    async def close(self) -> None:
        """Stop watching."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ---- invoices

    async def receive(self, incoming: Incoming) -> Destination:
        """Make the node's invoice for a payment, in place of the oldest if there are too many; return the path to it.

        Raises:
            BackendError: if the node does not make it, or cannot receive the amount.
        """
        try:
            return await self._receive(incoming)
        except (ClientError, RpcError) as error:
            raise BackendError(f"the node makes no invoice: {error}") from error

    async def _receive(self, incoming: Incoming) -> Destination:
        channel = (
            None if await self._is_announced(self._node_id) else await self._incoming_channel(incoming.amount_msat)
        )
        if len(self._unpaid) >= self._max_invoices:
            await self._delete_expired()
        if len(self._unpaid) >= self._max_invoices:
            # As in the store, so that the requests for one offer cannot keep those for all others out.
            await self.forget(min(self._unpaid, key=self._unpaid.__getitem__))
        invoice = await self._decoded(await self._bolt11(incoming))
        height = (await self._client.quick.getinfo()).blockheight
        end = PathEnd(
            self._node_id,
            bytes.fromhex(invoice.payment_secret or ""),
            invoice.min_final_cltv_expiry,
            height + incoming.expiry // BLOCK_SECONDS,
        )
        return destination(secrets.token_bytes(PATH_KEY_BYTES), end, channel)

    async def _bolt11(self, incoming: Incoming) -> str:
        """Return the string of the node's invoice; make it, unless an earlier call has."""
        label = self._label(incoming.payment_hash)
        self._unpaid[incoming.payment_hash] = int(time.time()) + incoming.expiry  # it may exist even if the call fails
        try:
            made = await self._client.quick.invoice(
                incoming.amount_msat,
                label,
                _shortened(incoming.description),
                expiry=incoming.expiry,
                preimage=incoming.preimage.hex(),
            )
        except RpcError as error:
            if error.code not in {_LABEL_EXISTS, _HASH_EXISTS}:
                raise
            found = (await self._client.quick.listinvoices(label=label)).invoices
            if not found or found[0].bolt11 is None:
                raise
            return found[0].bolt11
        return made.bolt11

    async def _decoded(self, bolt11: str) -> DecodeBolt11InvoiceResponse:
        found = await self._client.quick.decode(bolt11)
        if not isinstance(found, DecodeBolt11InvoiceResponse) or found.payment_secret is None:
            raise BackendError("the node's invoice has no payment_secret")
        return found

    async def _is_announced(self, node_id: bytes) -> bool:
        return bool((await self._client.quick.listnodes(id=node_id.hex())).nodes)

    async def _incoming_channel(self, amount_msat: int) -> IncomingChannel:
        """Return the channel through which the node, which is not announced, can receive an amount."""
        for channel in incoming_channels((await self._client.quick.listpeerchannels()).channels, amount_msat):
            peers = (await self._client.quick.listpeers(id=channel.peer_id.hex())).peers
            features = bytes.fromhex(peers[0].features or "") if peers else b""
            if forwards_blinded(features) and await self._is_announced(channel.peer_id):
                return channel
        raise BackendError(
            f"the node has no public channel, and no connected peer with blinded paths and room for {amount_msat} msat"
        )

    async def forget(self, payment_hash: bytes) -> None:
        """Delete the node's invoice, if it is not paid."""
        for status in ("unpaid", "expired"):
            if await self._delete(payment_hash, status):
                return

    async def _delete(self, payment_hash: bytes, status: str) -> bool:
        """Delete an invoice in this state, and return whether there is none any more that can be deleted."""
        try:
            await self._client.quick.rpc_call("delinvoice", {"label": self._label(payment_hash), "status": status})
        except (ClientError, RpcError) as error:
            logger.debug("The node does not delete the invoice %s: %s", payment_hash.hex(), error)
            if not isinstance(error, RpcError) or error.code != _NOT_FOUND:
                return False
        self._unpaid.pop(payment_hash, None)
        return True

    def _label(self, payment_hash: bytes) -> str:
        return self._prefix + payment_hash.hex()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            await self._delete_expired()

    async def _delete_expired(self) -> None:
        now = time.time()
        for payment_hash in [each for each, expires_at in self._unpaid.items() if expires_at < now]:
            await self._delete(payment_hash, "expired")

    # ---- payments

    async def _watch(self) -> None:
        position: int | None = None
        pauses = growing_pauses(FIRST_PAUSE, LONGEST_PAUSE)
        while True:
            try:
                if position is None:
                    position = await self._catch_up()
                paid = await self._client.patient.waitanyinvoice(lastpay_index=position)
                await self._take(paid)
                position, pauses = paid.pay_index or position, growing_pauses(FIRST_PAUSE, LONGEST_PAUSE)
            except (ClientError, RpcError) as error:
                self._warner.warn(f"The node does not say which invoices are paid: {error}")
                await asyncio.sleep(next(pauses))

    async def _catch_up(self) -> int:
        """Record what is paid so far, delete what has expired, and return the number of the last payment of the node.

        What changes while all invoices are read, page by page, is read again in one piece. So every payment up to that
        number was seen.
        """
        changes = (await self._client.quick.rpc_call("wait", ["invoices", "updated", 0]))["updated"]
        last, start = 0, 1
        while page := (await self._client.quick.listinvoices(index="created", start=start, limit=PAGE)).invoices:
            last = max(last, await self._take_all(page))
            start = page[-1].created_index + 1
        changed = (await self._client.quick.listinvoices(index="updated", start=changes + 1)).invoices
        return max(last, await self._take_all(changed))

    async def _take_all(self, invoices: Iterable[ListinvoicesInvoice]) -> int:
        """Take note of invoices, and return the highest number of a payment among them."""
        last = 0
        for invoice in invoices:
            last = max(last, invoice.pay_index or 0)
            if not invoice.label.startswith(self._prefix):
                continue
            if invoice.status == "paid":
                await self._take(invoice)
                continue
            payment_hash = bytes.fromhex(invoice.payment_hash)
            self._unpaid[payment_hash] = invoice.expires_at
            if invoice.status == "expired":
                await self._delete(payment_hash, "expired")
        return last

    async def _take(self, paid: ListinvoicesInvoice | WaitanyinvoiceResponse) -> None:
        """Record a payment, if it is for this node.

        Raises:
            RpcError: if it could not be recorded.
        """
        if not paid.label.startswith(self._prefix) or paid.amount_received_msat is None or paid.paid_at is None:
            return
        payment_hash = bytes.fromhex(paid.payment_hash)
        self._unpaid.pop(payment_hash, None)
        known = await self._settled(payment_hash, paid.amount_received_msat, paid.paid_at)
        if isinstance(known, str):
            logger.warning(
                "The node has received %d msat for %s, which this service does not want: %s",
                paid.amount_received_msat,
                paid.payment_hash,
                known,
            )


def _shortened(description: str) -> str:
    """Return what the node accepts of a description: it refuses control characters, and what does not fit."""
    shown = "".join(character if character.isprintable() else " " for character in description)
    return shown.encode()[:MAX_DESCRIPTION].decode(errors="ignore")
