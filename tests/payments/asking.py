"""Requests of a node, and payers that pay invoices for them with a scripted backend."""

from __future__ import annotations

import asyncio

from lnoffers.bolt12 import Invoice
from lnoffers.service import Node
from lnoffers.service.payment_states import PaymentState
from lnoffers.service.payments.backend import Backend, Failed, Uncertain
from lnoffers.service.payments.limits import Limits
from lnoffers.service.payments.payer import Payer
from lnoffers.service.status import Status
from lnoffers.service.store import invoicerequests, payments
from lnoffers.service.store.invoicerequests import StoredRequest
from lnoffers.service.store.payments import StoredPayment
from tests.bolt12.samples import NOW
from tests.payments.scripted import Scripted, pay_with, ready
from tests.service.paying import invoice_for, own_request

SINGLE = Status.created(single_use=True)
NO_ROUTE = Failed("no route")
LOST = Uncertain("the connection is gone")


def asked_for(node: Node, status: Status = SINGLE, number: int = 1, **fields: int) -> Invoice:
    """Store a request of the node, and return one of many invoices for it."""
    node.inject(None, NOW)
    request = own_request(node, **fields)
    with node.store.transaction() as connection:
        if not invoicerequests.find(connection, request.invreq_id):
            invoicerequests.add(connection, StoredRequest(request.invreq_id, request.encode(), None, status))
    return invoice_for(request, number)


def stored(node: Node, invoice: Invoice) -> StoredPayment:
    with node.store.transaction(writes=False) as connection:
        found = payments.by_payment_hash(connection, invoice.invoice_payment_hash or b"")
    assert found is not None
    return found


def status(node: Node, invoice: Invoice) -> Status | None:
    with node.store.transaction(writes=False) as connection:
        return invoicerequests.status_of(connection, invoice.invreq_id)


def pay(node: Node, backend: Backend, *invoices: Invoice, limits: Limits | None = None) -> list[StoredPayment]:
    """Have a payer pay invoices, one after the other."""

    async def use(payer: Payer) -> list[StoredPayment]:
        return [await pay_with(payer, invoice) for invoice in invoices]

    return ready(node, backend, use, limits)


def pay_until(node: Node, backend: Scripted, invoice: Invoice, state: PaymentState) -> StoredPayment:
    """Have a payer pay an invoice until it is in a state, and then end as if it was killed."""

    async def use(payer: Payer) -> StoredPayment:
        task = asyncio.create_task(pay_with(payer, invoice))
        while True:
            await asyncio.sleep(0.001)
            if backend.told and stored(node, invoice).state is state:
                task.cancel()
                return stored(node, invoice)

    return ready(node, backend, use)


def resume(node: Node, backend: Scripted, invoice: Invoice, state: PaymentState) -> StoredPayment:
    """Have another payer look after the claims until the payment is in a state."""

    async def use(_: Payer) -> StoredPayment:
        while (found := stored(node, invoice)).state is not state:
            await asyncio.sleep(0.001)
        return found

    return ready(node, backend, use)
