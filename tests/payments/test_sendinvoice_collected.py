"""sendinvoice with a backend that collects: the invoice leads where it says, and a failure takes that back."""

from __future__ import annotations

import asyncio

import pytest

from clnrpc import RpcError
from clnrpc.types import CreateinvoiceRequest, SendinvoiceRequest
from lnoffers.bolt12 import CHAINS, Invoice
from lnoffers.service import Node, OffersService
from lnoffers.service.commands import Served
from lnoffers.service.payments.backend import BackendError, Destination, Incoming
from lnoffers.service.peers import Peers
from lnoffers.service.store import invoices
from lnoffers.service.store.invoices import StoredInvoice
from tests.bolt12 import samples
from tests.payments.scripted import Scripted, payer
from tests.service.invoicing import HOUR, creation

PREIMAGE = bytes([9]) * 32


class Collector(Scripted):
    """Prepares payments to this node, or fails to."""

    collects = True

    def __init__(self, fault: BackendError | None = None, *, taking: Node | None = None) -> None:
        super().__init__()
        self.fault = fault
        self.taking = taking
        self.prepared: list[Incoming] = []
        self.forgotten: list[bytes] = []

    async def receive(self, incoming: Incoming) -> Destination:
        self.prepared.append(incoming)
        if self.taking is not None:  # somebody takes the label meanwhile
            OffersService(self.taking).createinvoice(CreateinvoiceRequest(**creation(1) | {"label": "sent"}))
        if self.fault is not None:
            raise self.fault
        return Destination([samples.PATH], [samples.PAYINFO])

    async def forget(self, payment_hash: bytes) -> None:
        self.forgotten.append(payment_hash)


def refused(node: Node, backend: Collector) -> RpcError:
    """Send an invoice to a payer who cannot be reached; return the error."""
    node.inject(PREIMAGE, samples.NOW)

    async def call() -> None:
        peers = Peers(node.keys.key_pair, CHAINS["regtest"], lambda _, __: None)
        with payer(node, backend) as made:
            service = OffersService(node, Served(node.options.socket, lambda: None, peers, made))
            await service.sendinvoice(SendinvoiceRequest(invreq=samples.request().encode(), label="sent", timeout=HOUR))

    with pytest.raises(RpcError) as error:
        asyncio.run(call())
    return error.value


def stored(node: Node) -> StoredInvoice | None:
    with node.store.transaction(writes=False) as connection:
        return invoices.by_label(connection, "sent")


def test_the_invoice_leads_where_the_backend_says_and_stays_when_it_cannot_be_sent(node: Node) -> None:
    backend = Collector()
    assert refused(node, backend).code == 1003
    [incoming] = backend.prepared
    assert (incoming.preimage, incoming.amount_msat, incoming.expiry) == (PREIMAGE, 21_000, HOUR)
    assert incoming.description == "one coffee"
    kept = stored(node)
    assert kept is not None
    assert (kept.payment_hash, kept.expires_at) == (incoming.payment_hash, samples.NOW + HOUR)
    invoice = Invoice.parse(kept.bolt12)
    assert (invoice.invoice_paths, invoice.invoice_blindedpay) == ((samples.PATH,), (samples.PAYINFO,))
    assert backend.forgotten == []


def test_nothing_is_stored_if_the_backend_cannot_receive(node: Node) -> None:
    error = refused(node, Collector(BackendError("the node is not there")))
    assert (error.code, error.message) == (-1, "The payment backend cannot receive: the node is not there")
    assert stored(node) is None


def test_a_payment_is_not_expected_if_its_invoice_is_not_stored(node: Node) -> None:
    backend = Collector(taking=node)
    assert refused(node, backend).code == 900
    assert backend.forgotten == [each.payment_hash for each in backend.prepared]
