"""The backend that uses a Core Lightning node: it puts the parts together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lnoffers.service.payments.backend import Backend, BackendError, Destination, Host, Incoming, Outcome
from lnoffers.service.payments.cln.client import NodeClient
from lnoffers.service.payments.cln.receiving import MAX_INVOICES, Receiving
from lnoffers.service.payments.cln.sending import RETRY_SECONDS, Sending
from lnoffers.service.payments.cln.witness import LONGEST_RETRY, NodeWitness

if TYPE_CHECKING:
    from lnoffers.bolt12 import Invoice


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What can be chosen."""

    max_fee: int | None = None
    """The fee limit of each payment, in millisatoshi; None for that of `xpay`."""
    retry_for: int = RETRY_SECONDS
    """For how many seconds the node tries to pay an invoice."""
    at_most: float | None = None
    """How many seconds a call without an answer can go on; None derives it from `retry_for`."""
    max_invoices: int = MAX_INVOICES
    """How many invoices for this node the node keeps at a time."""


class CoreLightning(Backend):
    """A Core Lightning node, whose socket is at `path`, moves the money. Use it within one event loop."""

    collects = True

    def __init__(self, path: Path, host: Host, settings: Settings) -> None:
        self._host = host
        self._client = NodeClient(path)
        self._sending = Sending(self._client, settings.max_fee, settings.retry_for, settings.at_most)
        self._retry_for = settings.retry_for
        self._max_invoices = settings.max_invoices
        self._receiving: Receiving | None = None

    async def start(self) -> None:
        """Check the node, and begin to watch for payments.

        Raises:
            BackendError: if the node cannot be used.
        """
        node = self._host.node
        try:
            self.identity = await self._client.check(node.keys.node_id, node.options.network)
        except BackendError:
            await self._client.close()
            raise
        own_id, node_id = node.keys.node_id, bytes.fromhex(self.identity)
        self._sending.begin(node_id, await self._longest_retry(own_id))
        self._receiving = Receiving(self._client, node_id, own_id, self._host.settled, self._max_invoices)
        self._receiving.begin()

    async def _longest_retry(self, own_id: bytes) -> int:
        """Return the longest `retry_for` with which this service has ever let the node pay."""
        stored = NodeWitness(self._client.quick, own_id, LONGEST_RETRY)
        await stored.write(self._retry_for)
        return max(await stored.read() or 0, self._retry_for)

    async def pay(self, invoice: Invoice) -> Outcome:
        """Pay an invoice with `xpay`."""
        return await self._sending.pay(invoice)

    async def find(self, invoice: Invoice) -> Outcome:
        """Return the outcome by `listpays`; wait a while if it is uncertain."""
        return await self._sending.find(invoice)

    def fee_limit(self, amount_msat: int) -> int:
        """Return the highest fee, in millisatoshi: what was chosen, else that of `xpay`."""
        return self._sending.fee_limit(amount_msat)

    def payments(self) -> AsyncIterator[tuple[Invoice, Outcome]]:
        """Return all payments of BOLT 12 invoices that have succeeded or may still do so.

        Raises:
            BackendError: if the node does not answer.
        """
        return self._sending.payments()

    async def receive(self, incoming: Incoming) -> Destination:
        """Make an invoice of the node for a payment, and return the path to it.

        Raises:
            BackendError: if the node does not make it.
        """
        return await self._started().receive(incoming)

    async def forget(self, payment_hash: bytes) -> None:
        """Delete the node's invoice, if it is not paid."""
        await self._started().forget(payment_hash)

    def witness(self) -> NodeWitness:
        """Return the counter in the node's datastore."""
        return NodeWitness(self._client.quick, self._host.node.keys.node_id)

    async def close(self) -> None:
        """Stop watching, and close the connections. What the node is paying goes on."""
        if self._receiving is not None:
            await self._receiving.close()
        await self._client.close()

    def _started(self) -> Receiving:
        assert self._receiving is not None
        return self._receiving


def make(argument: str, host: Host) -> CoreLightning:
    """Return the backend for the node whose socket the argument names.

    Raises:
        BackendError: if it names none.
    """
    if not argument:
        raise BackendError(
            "the backend cln needs the node's socket: --backend cln:<lightning-dir>/<network>/lightning-rpc"
        )
    options = host.node.options
    settings = Settings(max_fee=options.max_fee_msat, retry_for=options.retry_for)
    return CoreLightning(Path(argument).expanduser(), host, settings)
