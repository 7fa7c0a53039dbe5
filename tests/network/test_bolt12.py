"""BOLT 12 in a network: offers and requests, paid over channels, beside BOLT 11."""

from __future__ import annotations

import pytest

from clnrpc import Client
from lnstandin.network import Network
from tests.network.accounts import HALF_MSAT, Later, balance, error
from tests.service.program import until

pytestmark = pytest.mark.usefixtures("pay_is_deprecated")


def test_offer_is_paid_with_the_parameters_of_any_xpay(network: Network) -> None:
    payer, payee = network.nodes
    offer = payee.client.offer("any", description="tea").bolt12
    paid = payer.client.xpay(offer, amount_msat=5_000, maxfee=100, label="my tea", retry_for=30, payer_note="thanks")
    assert (paid.amount_msat, paid.amount_sent_msat) == (5_000, 5_000)
    assert payee.client.listinvoices().invoices[0].invreq_payer_note == "thanks"
    assert payer.client.listpays().pays[0].label == "my tea"
    assert (balance(payer), balance(payee)) == (HALF_MSAT - 5_000, HALF_MSAT + 5_000)


def test_pay_takes_invoices_of_bolt12_and_repeats_what_is_paid(network: Network) -> None:
    payer, payee = network.nodes
    offer = payee.client.offer("5sat", description="tea").bolt12
    invoice = payer.client.fetchinvoice(offer).invoice
    first, again = payer.client.pay(invoice, label="my tea"), payer.client.pay(invoice, label="other tea")
    assert [each.label for each in payer.client.listpays().pays] == ["my tea"]
    for amount in (5_000, 6_000):
        refused = error(lambda amount=amount: payer.client.pay(invoice, amount_msat=amount))
        assert (refused.code, refused.message) == (-32602, "Cannot override amount for bolt12 invoices")
    assert (first.payment_preimage, first.status) == (again.payment_preimage, "complete")
    assert first.destination == payee.id
    assert error(lambda: payer.client.xpay(invoice)).code == 219
    wrong = error(lambda: payer.client.pay(offer))
    assert (wrong.code, wrong.message) == (-32602, "Invalid bolt12 invoice: unexpected prefix lno")
    assert balance(payer) == HALF_MSAT - 5_000


def test_invoice_for_more_than_the_channel_has_is_not_paid(network: Network) -> None:
    payer, payee = network.nodes
    offer = payee.client.offer(f"{HALF_MSAT + 1}msat", description="a house").bolt12
    assert error(lambda: payer.client.xpay(offer)).code == 215
    assert payer.client.listpays().pays == []
    assert balance(payer) == HALF_MSAT


def test_request_is_paid_when_an_invoice_is_sent_for_it(network: Network) -> None:
    payer, payee = network.nodes
    request = payer.client.invoicerequest("7sat", "refund")
    with Client(payee.socket) as client:
        sending = Later(lambda: client.sendinvoice(request.bolt12, "refund"))
        assert sending.result().status == "paid"
    until(lambda: payer.client.listinvoicerequests().invoicerequests[0].used)  # the payer is told after the payee
    assert balance(payee) == HALF_MSAT + 7_000
    assert network.total_msat() == 2 * HALF_MSAT


def test_invoice_whose_payment_is_under_way_is_not_paid_again(network: Network) -> None:
    payer, payee = network.nodes
    offer = payee.client.offer("5sat", description="tea").bolt12
    invoice = payer.client.fetchinvoice(offer).invoice
    payee.hold()
    assert error(lambda: payer.client.xpay(invoice, label="my tea", retry_for=0)).code == 210
    again = error(lambda: payer.client.xpay(invoice, label="other tea"))
    assert (again.code, "error 200" in again.message) == (-3, True)
    payee.release()
    until(lambda: payer.client.listpays(status="complete").pays)
    assert [each.label for each in payer.client.listpays().pays] == ["my tea"]


def test_offer_that_was_paid_is_proved(network: Network) -> None:
    payer, payee = network.nodes
    payer.client.xpay(payee.client.offer("5sat", description="tea").bolt12)
    string = payer.client.listpays().pays[0].bolt12
    assert string is not None
    proofs = payer.client.createproof(string)
    assert proofs is not None
