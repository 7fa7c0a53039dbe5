"""Two servers in processes of their own: one has requests and pays them, the other one makes invoices and is paid."""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

import pytest

from clnrpc import RpcError
from lnoffers.bolt12 import Invoice, InvoiceError, InvoiceRequest, UnsignedInvoice
from lnoffers.net.blinding import Hop, blind
from lnoffers.net.onion_messages import Payload, wrap
from lnoffers.service.payments.payer import NOT_LOOKED
from tests.bolt12 import samples
from tests.bolt12.samples import PATH, PAYINFO
from tests.peers.conftest import Served
from tests.peers.issuing import answer_or_end, path_to
from tests.peers.stranger import Stranger, key
from tests.service.paying import invoice_for
from tests.service.program import until

SENDER: Final = key(9)
"""Who brings the invoices to the payer. That need not be the payee."""


@dataclass
class Payee:
    """The server that is paid. Its invoices are numbered."""

    served: Served
    made: int = 0
    labels: dict[bytes, str] = field(default_factory=dict)
    """The label of each invoice, by payment hash."""

    def invoice(self, bolt12: str) -> Invoice:
        """Return a new invoice for a request, which the server has signed and stored."""
        self.made += 1
        preimage, label = secrets.token_bytes(32), f"number {self.made}"
        payment_hash = sha256(preimage).digest()
        unsigned = unsigned_invoice(bolt12, payment_hash, bytes.fromhex(self.served.id))
        self.labels[payment_hash] = label
        created = self.served.client.createinvoice(unsigned.encode(), label, preimage.hex())
        assert created.bolt12 is not None
        return Invoice.parse(created.bolt12)

    def paid(self) -> int:
        """Return how many invoices it has been paid for."""
        return sum(invoice.status == "paid" for invoice in self.served.client.listinvoices().invoices)

    def await_payment(self, invoice: Invoice) -> None:
        """Wait until an invoice is paid."""
        assert invoice.invoice_payment_hash is not None
        paid = self.served.client.waitinvoice(self.labels[invoice.invoice_payment_hash])
        assert (paid.status, paid.amount_received_msat) == ("paid", invoice.invoice_amount)


def unsigned_invoice(bolt12: str, payment_hash: bytes, payee: bytes) -> UnsignedInvoice:
    """Return an invoice for a request, which lacks only the signature and the path, as `createinvoice` wants it."""
    whole = Invoice.for_request(
        InvoiceRequest.parse(bolt12),
        invoice_created_at=int(time.time()),
        invoice_payment_hash=payment_hash,
        invoice_paths=[PATH],
        invoice_blindedpay=[PAYINFO],
        invoice_node_id=payee,
    )
    path = {Invoice.invoice_paths.number, Invoice.invoice_blindedpay.number}
    return UnsignedInvoice._build(record for record in whole.records if record.type not in path)


def deliver(stranger: Stranger, payer: Served, invoice: Invoice) -> None:
    """Send an invoice to the payer's server. An error, if one comes, is what `issuing.answer` returns for `SENDER`."""
    to_payer = blind(secrets.token_bytes(32), [Hop(bytes.fromhex(payer.id), b"")])
    payload = Payload.build(invoice=invoice.to_bytes(), reply_path=path_to(SENDER.public_key))
    stranger.send(wrap(secrets.token_bytes(32), to_payer, payload))


def deliver_to_death(stranger: Stranger, payer: Served, invoice: Invoice) -> None:
    """Send an invoice that kills the payer's server; again, if that has just started and refuses all."""
    deliver(stranger, payer, invoice)
    with suppress(ConnectionError):
        while (refused := answer_or_end(stranger, SENDER)) is not None:
            assert isinstance(refused, InvoiceError)
            assert NOT_LOOKED in (refused.error or "")
            deliver(stranger, payer, invoice)


def await_payments(payer: Served) -> None:
    """Wait until a server pays. When it starts, it first compares its store with what the backend knows."""
    probe = invoice_for(samples.request_for(samples.offer()), 1_000, invoice_created_at=int(time.time())).encode()

    def has_begun() -> bool:
        with pytest.raises(RpcError) as refused:
            payer.client.xpay(probe)
        return NOT_LOOKED not in refused.value.message  # then it says that the payee cannot be reached

    until(has_begun)


def await_used(payer: Served, invreq_id: str) -> None:
    """Wait until a request is used."""
    until(lambda: payer.client.listinvoicerequests(invreq_id=invreq_id).invoicerequests[0].used)
