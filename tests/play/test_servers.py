"""Requests that are paid with play money, between servers in processes of their own."""

from __future__ import annotations

import pytest

from lnoffers.bolt12 import InvoiceError
from tests.peers.conftest import Start
from tests.peers.issuing import answer
from tests.peers.stranger import connected
from tests.play.servers import SENDER, Payee, await_used, deliver

PLAY = ("--backend", "play")
LOSSY = ("--backend", "play:lose=0.4,repeat=0.3,delay=20ms,late=50ms,seed=1")


@pytest.mark.parametrize(("payers", "payees"), [(PLAY, PLAY), (LOSSY, LOSSY)], ids=["as it should be", "with faults"])
def test_request_is_paid_once_and_the_next_invoice_refused(
    start: Start, payers: tuple[str, str], payees: tuple[str, str]
) -> None:
    payer, payee = start(*payers), Payee(start(*payees))
    payer.client.connect(payee.served.address)
    made = payer.client.invoicerequest(21_000, "ATM")
    with connected(SENDER, payer.id, payer.port) as sender:
        first, second = payee.invoice(made.bolt12), payee.invoice(made.bolt12)
        deliver(sender, payer, first)
        payee.await_payment(first)
        await_used(payer, made.invreq_id)
        deliver(sender, payer, second)
        refused = answer(sender, SENDER)
        assert isinstance(refused, InvoiceError)
        assert (refused.error or "").endswith(f"already paid with {(first.invoice_payment_hash or b'').hex()}")
    [request] = payer.client.listinvoicerequests(invreq_id=made.invreq_id).invoicerequests
    assert (request.used, request.active) == (True, False)
    assert payee.paid() == 1


def test_payment_that_the_payee_refuses_leaves_the_request_usable(start: Start) -> None:
    payer, payee = start(*PLAY), Payee(start("--backend", "play:fail=0.999999"))
    payer.client.connect(payee.served.address)
    made = payer.client.invoicerequest(21_000, "ATM")
    with connected(SENDER, payer.id, payer.port) as sender:
        deliver(sender, payer, payee.invoice(made.bolt12))
        refused = answer(sender, SENDER)
        assert isinstance(refused, InvoiceError)
        assert "pay attempt failed: refused on purpose" in (refused.error or "")
    [request] = payer.client.listinvoicerequests(invreq_id=made.invreq_id).invoicerequests
    assert (request.used, request.active) == (False, True)
    assert payee.paid() == 0
