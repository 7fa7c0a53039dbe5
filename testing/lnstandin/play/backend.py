"""What the server calls: the payment backend `play`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from lnoffers.bolt12 import Invoice
from lnoffers.service.payments.backend import Backend, BackendError, Host, Outcome, Paid, Uncertain
from lnstandin.play.faults import Faults
from lnstandin.play.ledger import NAME, Ledger
from lnstandin.play.messages import FEATURE, PAY_TYPE, RESULT_TYPE
from lnstandin.play.receiver import Receiver
from lnstandin.play.sender import Sender
from lnstandin.play.target import is_bolt11
from lnstandin.play.wire import Wire

NETWORK: Final = "regtest"


class Play(Backend):
    """Pays other nodes that play, and is paid by them.

    It keeps the promises of `lnoffers.service.payments.backend`: what may have left is in the ledger, and only the
    payee can make it fail.
    """

    def __init__(self, faults: Faults, host: Host) -> None:
        self._host = host
        self.ledger = Ledger(host.node.options.network_dir / NAME)
        self.wire = Wire(host.peers, faults)
        self.sender = Sender(host.peers, self.ledger, self.wire, self._now)
        self.receiver = Receiver(host, self.ledger, self.wire)

    async def start(self) -> None:
        """Open the ledger, and take part."""
        await self.ledger.open()
        self.identity = f"play {self.ledger.identity}"
        try:
            await self.receiver.resume()
        except BackendError:
            await self.ledger.close()
            raise
        self._host.peers.offer(FEATURE)
        self._host.peers.handle_custom(PAY_TYPE, self.receiver.receive)
        self._host.peers.handle_custom(RESULT_TYPE, self.sender.receive)
        await self.sender.resume()

    async def pay(self, invoice: Invoice, /) -> Outcome:
        """Pay an invoice."""
        return await self.sender.pay(invoice)

    async def find(self, invoice: Invoice, /) -> Outcome:
        """Return what has become of a payment; the payee is asked if it is not known."""
        return await self.sender.find(invoice)

    async def payments(self) -> AsyncIterator[tuple[Invoice, Outcome]]:
        """Return what is in the ledger."""
        for sent in await self.ledger.all_sent():
            if is_bolt11(sent.invoice):
                continue
            paid = None if sent.preimage is None else Paid(sent.preimage, sent.amount_msat)
            yield Invoice.from_bytes(sent.invoice), paid or Uncertain("the payee has not answered yet")

    def witness(self) -> Ledger:
        """Return the ledger, which has the counter."""
        return self.ledger

    def _now(self) -> int:
        return self._host.node.clock.now()  # the clock of now: tests replace it

    async def close(self) -> None:
        """Stop; the next server goes on with what is in the ledger."""
        await self.receiver.close()
        await self.sender.close()
        self.wire.close()
        await self.ledger.close()


def make(argument: str, host: Host) -> Play:
    """Return the backend. The argument names faults (`lnstandin.play.faults`).

    Raises:
        BackendError: on another network than regtest, or if the argument is not valid.
    """
    network = host.node.options.network
    if network != NETWORK:
        raise BackendError(f"play money is for {NETWORK} only, and this node is on {network}: choose another --backend")
    return Play(Faults.parse(argument), host)
