"""The whole way of play money: a request, the invoice that sendinvoice sends, the payment, and its proof."""

from __future__ import annotations

from typing import Any

import pytest

from clnrpc import RpcError
from tests.bolt12 import samples
from tests.fetching.conftest import Start as StartNode
from tests.fetching.node import key_of
from tests.peers.conftest import Served, Start
from tests.service.program import until

PLAY = ("--backend", "play")


def payment_of(payer: Served) -> dict[str, Any]:
    """Return the payment that is listed with the only request."""
    [shown] = payer.client.rpc_call("listinvoicerequests")["invoicerequests"]
    [payment] = shown["payments"]
    assert isinstance(payment, dict)
    return payment


def test_a_withdrawal_is_paid_once_and_can_be_proved(start: Start) -> None:
    atm, wallet = start(*PLAY), start(*PLAY)
    wallet.client.connect(atm.address)
    request = atm.client.invoicerequest("20sat", "withdrawal")
    paid = wallet.client.sendinvoice(request.bolt12, label="withdrawal")
    assert (paid.status, paid.amount_received_msat) == ("paid", 20_000)
    until(lambda: payment_of(atm)["state"] == "paid")
    assert payment_of(atm)["invoice"] == paid.bolt12
    [listed] = atm.client.listinvoicerequests().invoicerequests
    assert (listed.used, listed.active) == (True, False)

    with pytest.raises(RpcError, match="already paid with") as refused:
        wallet.client.sendinvoice(request.bolt12, label="again")
    assert refused.value.code == 1004

    [proof] = atm.client.createproof(paid.bolt12 or "").proofs
    decoded = wallet.client.decode(proof.bolt12)
    assert (decoded.type, decoded.valid, decoded.proof_preimage) == (
        "bolt12 payer_proof",
        True,
        paid.payment_preimage,
    )


def test_who_waits_for_any_invoice_hears_of_the_payment_too(start: Start) -> None:
    atm, wallet = start(*PLAY), start(*PLAY)
    wallet.client.connect(atm.address)
    request = atm.client.invoicerequest("20sat", "withdrawal")
    paid = wallet.client.sendinvoice(request.bolt12, label="withdrawal")
    assert wallet.client.waitanyinvoice().payment_hash == paid.payment_hash
    assert wallet.client.waitinvoice("withdrawal").payment_preimage == paid.payment_preimage
    assert [each.status for each in wallet.client.listinvoices().invoices] == ["paid"]


def test_a_request_for_another_payee_is_not_paid(start: Start) -> None:
    atm, wallet = start(*PLAY), start(*PLAY)
    wallet.client.connect(atm.address)
    request = atm.client.rpc_call("invoicerequest", {"amount": "20sat", "description": "salary", "payee": atm.id})
    with pytest.raises(RpcError, match="the invoice_request is for another payee"):
        wallet.client.sendinvoice(request["bolt12"], label="salary")
    right = atm.client.rpc_call("invoicerequest", {"amount": "20sat", "description": "salary", "payee": wallet.id})
    assert wallet.client.sendinvoice(right["bolt12"], label="again").status == "paid"


def test_a_request_that_names_fronts_is_paid_through_them(start: Start) -> None:
    front = start()
    atm, wallet = start(*PLAY, "--via", front.address), start(*PLAY, "--via", front.address)
    until(lambda: front.peers() == {atm.id, wallet.id})
    wallet.client.connect(atm.address)  # play money goes from node to node
    request = atm.client.invoicerequest("20sat", "withdrawal")
    decoded = wallet.client.rpc_call("decode", [request.bolt12])
    assert [path["first_node_id"] for path in decoded["invreq_paths"]] == [front.id]
    assert wallet.client.sendinvoice(request.bolt12, label="withdrawal").status == "paid"


def test_an_offer_is_paid_once_and_the_payment_is_listed_and_proved(start: Start) -> None:
    shop, buyer = start(*PLAY), start(*PLAY)
    buyer.client.connect(shop.address)
    offer = shop.client.offer("1000msat", description="tea").bolt12
    paid = buyer.client.xpay(offer, payer_note="no sugar")
    assert (paid.amount_msat, paid.amount_sent_msat) == (1_000, 1_000)
    [sold] = shop.client.listinvoices().invoices
    assert (sold.status, sold.payment_preimage) == ("paid", paid.payment_preimage)
    assert sold.invreq_payer_note == "no sugar"
    [listed] = buyer.client.listpays().pays
    assert (listed.status, listed.preimage, listed.bolt12) == ("complete", paid.payment_preimage, sold.bolt12)
    with pytest.raises(RpcError) as refused:
        buyer.client.xpay(sold.bolt12 or "")
    assert refused.value.code == 219
    [proof] = buyer.client.createproof(offer).proofs
    assert shop.client.decode(proof.bolt12).valid


def test_an_offer_without_a_price_is_paid_as_much_as_the_caller_says(start: Start) -> None:
    shop, buyer = start(*PLAY), start(*PLAY)
    buyer.client.connect(shop.address)
    offer = shop.client.offer("any", description="tip").bolt12
    with pytest.raises(RpcError, match="Must specify amount for this offer"):
        buyer.client.xpay(offer)
    assert buyer.client.xpay(offer, amount_msat=3_000).amount_msat == 3_000
    assert [invoice.amount_received_msat for invoice in shop.client.listinvoices().invoices] == [3_000]


def test_a_payee_that_does_not_play_is_refused_at_once(start: Start) -> None:
    shop, buyer = start(), start(*PLAY)
    buyer.client.connect(shop.address)
    offer = shop.client.offer("1000msat", description="tea").bolt12
    with pytest.raises(RpcError, match="Failed: the payee does not play") as refused:
        buyer.client.xpay(offer)
    assert refused.value.code == 205
    assert [payment.status for payment in buyer.client.listpays().pays] == ["failed"]


@pytest.mark.parametrize("answer", ["another_amount", "another_signer", "another_request", "expired", "unsigned"])
def test_an_invoice_for_an_offer_that_is_not_the_right_one_is_not_paid(
    start: Start, node: StartNode, answer: str
) -> None:
    buyer = start(*PLAY)
    buyer.client.connect(node(1, "--answer", answer))
    offer = samples.offer(offer_issuer_id=key_of(1).public_key).encode()
    with pytest.raises(RpcError) as refused:
        buyer.client.xpay(offer)
    assert (refused.value.code, refused.value.data["reason"]) == (1004, "bad_answer")
    assert buyer.client.listpays().pays == []
