"""Real nodes and our server with `--backend cln`: requests are paid, offers get paid, each exactly once."""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from clnrpc import Client, RpcError
from clnrpc.runtime.errors import ConnectionLostError
from lnoffers.bolt12 import Invoice
from tests.interop.chain.folder import Chain
from tests.interop.channels import CHANNEL_SAT, fund, is_announced, open_channel
from tests.interop.conftest import Pair
from tests.interop.nodes import Node, running
from tests.interop.paying import Mortal, await_chain
from tests.peers.conftest import Served, Start
from tests.play.servers import unsigned_invoice
from tests.service.program import Program, until

AMOUNT = 12_345_678
PAUSE = 0.6
"""Seconds between two onion messages of one node, which may send four a second."""
BAD_ANSWER = 1004
NO_WAY = (
    "pay attempt failed: there is no route",
    "pay attempt failed: the node's channels cannot carry the amount",
)


def served_by(start: Start, node: Node, peer: Node, *flags: str, program: Program | None = None) -> Served:
    """Return a server whose payments a node makes and takes, connected to a peer."""
    address = f"{peer.id}@127.0.0.1:{peer.port}"
    made = start("--backend", f"cln:{node.socket}", "--via", address, "--retry-for", "5", *flags, program=program)
    until(lambda: peer.id in made.peers())
    return made


def stop(served: Served) -> None:
    """Stop a server, so that another one can have its directory."""
    served.client.stop()
    served.process.wait()


def send_invoice(node: Node, request: str, label: str, **given: Any) -> dict[str, Any]:
    time.sleep(PAUSE)
    sent: dict[str, Any] = node.client.rpc_call("sendinvoice", {"invreq": request, "label": label, **given})
    return sent


def refusal(node: Node, request: str, label: str) -> str:
    """Return the reason in the error that answers an invoice."""
    with pytest.raises(RpcError) as caught:
        send_invoice(node, request, label, timeout=20)
    assert caught.value.code == BAD_ANSWER, caught.value
    words: str = caught.value.data["error"]
    return words.partition(": ")[2]


def state_of(served: Served, request: str) -> dict[str, Any]:
    """Return the request as the server lists it."""
    found: list[dict[str, Any]] = served.client.rpc_call("listinvoicerequests", {})["invoicerequests"]
    [row] = [each for each in found if each["bolt12"] == request]
    return row


def paid_by(node: Node) -> int:
    """Return how many payments the node has made."""
    return sum(pay.status == "complete" for pay in node.client.listpays().pays)


def test_a_real_node_answers_our_request_and_another_pays_it_once(start: Start, pair: Pair) -> None:
    served = served_by(start, pair.l2, pair.l1)
    request = served.client.invoicerequest(AMOUNT, "ATM").bolt12
    before = paid_by(pair.l2)
    sent = send_invoice(pair.l1, request, f"first {request[-8:]}")
    assert (sent["status"], sent["amount_received_msat"]) == ("paid", AMOUNT)
    until(lambda: state_of(served, request)["used"])
    row = state_of(served, request)
    assert (row["used"], row["active"]) == (True, False)
    assert "already paid" in refusal(pair.l1, request, f"second {request[-8:]}")
    assert paid_by(pair.l2) == before + 1


def test_a_payment_without_a_route_leaves_the_request_usable(
    start: Start, pair: Pair, chain: Chain, work: Path
) -> None:
    with running(chain, work / "poor") as poor:
        await_chain(poor)
        served = served_by(start, poor, pair.l1)
        request = served.client.invoicerequest(AMOUNT, "no channel yet").bolt12
        why = refusal(pair.l1, request, f"first {request[-8:]}")
        assert why in NO_WAY
        row = state_of(served, request)
        assert (row["used"], row["active"]) == (False, True)
        fund(chain, poor)
        open_channel(chain, poor, pair.l1)
        assert send_invoice(pair.l1, request, f"second {request[-8:]}")["status"] == "paid"
        until(lambda: state_of(served, request)["used"])


def test_a_payment_above_the_fee_limit_leaves_the_request_usable(
    start: Start, pair: Pair, chain: Chain, work: Path
) -> None:
    with running(chain, work / "far") as far:
        fund(chain, pair.l1)
        scid = open_channel(chain, pair.l1, far)
        until(lambda: is_announced(pair.l2, scid))
        served = served_by(start, pair.l2, far, "--max-fee", "0")
        request = served.client.invoicerequest(AMOUNT, "without fees").bolt12
        why = refusal(far, request, "first")
        assert why == "pay attempt failed: every route costs more than the fee limit, or takes too long"
        assert not state_of(served, request)["used"]
        stop(served)
        generous = served_by(start, pair.l2, far, "--max-fee", "1000sat", program=served.program)
        assert send_invoice(far, request, "second")["status"] == "paid"
        until(lambda: state_of(generous, request)["used"])


def test_a_payee_that_has_stopped_leaves_the_request_usable(start: Start, pair: Pair, chain: Chain, work: Path) -> None:
    """It is killed after it has sent its invoice, and before our server reads it."""
    with ExitStack() as stack:
        payee = Mortal(chain, work / "gone", stack)
        fund(chain, pair.l2)
        open_channel(chain, pair.l2, payee.node)
        served = served_by(start, pair.l2, payee.node)
        request = served.client.invoicerequest(AMOUNT, "are you there").bolt12
        os.kill(served.process.pid, signal.SIGSTOP)
        sending = Thread(target=sent_in_vain, args=(payee.node, request))
        sending.start()
        until(lambda: payee.node.client.listinvoices(label="first").invoices)
        time.sleep(PAUSE)  # the invoice is on its way
        payee.kill()
        sending.join()
        os.kill(served.process.pid, signal.SIGCONT)
        until(lambda: "has failed" in served.log())
        assert not state_of(served, request)["used"]
        payee.restart(pair.l2)
        served.client.connect(f"{payee.node.id}@127.0.0.1:{payee.node.port}")
        assert send_invoice(payee.node, request, "second")["status"] == "paid"
        until(lambda: state_of(served, request)["used"])


def sent_in_vain(node: Node, request: str) -> None:
    with pytest.raises(ConnectionLostError), Client(node.socket) as client:
        client.sendinvoice(request, "first")


LIMITS = {
    "--max-payment=1sat": "it exceeds the payer's limit for one payment",
    f"--max-daily={AMOUNT - 1}": "it exceeds the payer's limit of 24 hours",
}


@pytest.mark.parametrize("limit", LIMITS)
def test_an_amount_above_a_limit_is_not_paid(limit: str, start: Start, pair: Pair) -> None:
    served = served_by(start, pair.l2, pair.l1, limit)
    request = served.client.invoicerequest(AMOUNT, "too much").bolt12
    before = pair.l2.client.listpays().pays
    assert refusal(pair.l1, request, f"limited {request[-8:]}").startswith(LIMITS[limit])
    assert len(pair.l2.client.listpays().pays) == len(before)
    assert not state_of(served, request)["used"]


def bought(payer: Node, offer: str, **given: Any) -> tuple[Invoice, dict[str, Any]]:
    """Return the invoice for an offer, and what its payment returned."""
    time.sleep(PAUSE)
    invoice = payer.client.fetchinvoice(offer, **given).invoice
    return Invoice.parse(invoice), payer.client.rpc_call("xpay", [invoice])


def test_a_real_node_pays_our_offer_through_another(start: Start, pair: Pair) -> None:
    served = served_by(start, pair.l1, pair.l1)
    offer = served.client.offer(AMOUNT, description="tea").bolt12
    invoice, paid = bought(pair.l2, offer)
    assert invoice.invoice_node_id == bytes.fromhex(served.id)
    [row] = served.client.listinvoices(payment_hash=(invoice.invoice_payment_hash or b"").hex()).invoices
    done = served.client.waitinvoice(row.label)
    assert (done.status, done.amount_received_msat) == ("paid", AMOUNT)
    assert done.payment_preimage == paid["payment_preimage"]
    assert served.client.waitanyinvoice().label == row.label


def test_a_real_node_pays_our_offer_in_several_parts(start: Start, pair: Pair, chain: Chain, work: Path) -> None:
    amount = CHANNEL_SAT * 1_200  # more than one channel has
    with running(chain, work / "shop") as node:
        fund(chain, pair.l1)
        for _ in range(2):
            open_channel(chain, pair.l1, node, push_msat=0)
        served = served_by(start, node, pair.l1)
        offer = served.client.offer("any", description="a car").bolt12
        invoice, paid = bought(pair.l1, offer, amount_msat=amount)
        assert paid["successful_parts"] > 1
        [row] = served.client.listinvoices().invoices
        done = served.client.waitinvoice(row.label)
        assert (done.status, done.amount_received_msat) == ("paid", invoice.invoice_amount)


def test_an_invoice_of_createinvoice_is_paid_through_the_node(start: Start, pair: Pair) -> None:
    served = served_by(start, pair.l1, pair.l1)
    asked = pair.l2.client.invoicerequest(AMOUNT, "built elsewhere").bolt12
    preimage = os.urandom(32)
    unsigned = unsigned_invoice(asked, sha256(preimage).digest(), bytes.fromhex(served.id))
    made = served.client.createinvoice(unsigned.encode(), "built elsewhere", preimage.hex())
    pair.l2.client.rpc_call("xpay", {"invstring": made.bolt12, "retry_for": 5})
    done = served.client.waitinvoice("built elsewhere")
    assert (done.status, done.amount_received_msat) == ("paid", AMOUNT)


def test_a_deleted_invoice_cannot_be_paid_at_the_node_any_more(start: Start, pair: Pair) -> None:
    served = served_by(start, pair.l1, pair.l1)
    offer = served.client.offer(AMOUNT, description="tea, or not").bolt12
    time.sleep(PAUSE)
    invoice = pair.l2.client.fetchinvoice(offer).invoice
    [row] = served.client.listinvoices().invoices
    at_the_node = pair.l1.client.listinvoices
    assert [each.status for each in at_the_node(payment_hash=row.payment_hash).invoices] == ["unpaid"]
    served.client.delinvoice(row.label, "unpaid")
    assert not at_the_node(payment_hash=row.payment_hash).invoices
    with pytest.raises(RpcError):
        pair.l2.client.rpc_call("xpay", {"invstring": invoice, "retry_for": 5})


def test_a_payment_while_our_server_was_down_is_seen(start: Start, pair: Pair) -> None:
    served = served_by(start, pair.l1, pair.l1)
    offer = served.client.offer(AMOUNT, description="tea at night").bolt12
    time.sleep(PAUSE)
    invoice = pair.l2.client.fetchinvoice(offer).invoice
    served.process.kill()
    served.process.wait()
    pair.l2.client.rpc_call("xpay", [invoice])
    again = served_by(start, pair.l1, pair.l1, program=served.program)
    [row] = again.client.listinvoices().invoices
    assert again.client.waitinvoice(row.label).status == "paid"


def test_our_invoice_for_a_real_nodes_request_is_paid_through_another(start: Start, pair: Pair) -> None:
    served = served_by(start, pair.l1, pair.l1)
    request = pair.l2.client.invoicerequest(AMOUNT, "a refund").bolt12
    time.sleep(PAUSE)
    sent = served.client.sendinvoice(request, f"refund {request[-8:]}")
    assert (sent.status, sent.amount_received_msat) == ("paid", AMOUNT)
    listed = pair.l2.client.listinvoicerequests
    until(lambda: any(row.bolt12 == request and row.used for row in listed().invoicerequests))


def test_a_real_nodes_offer_is_paid_by_another_for_us_and_proven(start: Start, pair: Pair) -> None:
    served = served_by(start, pair.l2, pair.l1)
    offer = pair.l1.client.offer(AMOUNT, description="a book").bolt12
    time.sleep(PAUSE)
    invoice = served.client.fetchinvoice(offer).invoice
    paid = served.client.xpay(invoice)
    assert paid.amount_msat == AMOUNT
    [bought] = pair.l1.client.listinvoices(invstring=invoice).invoices
    assert (bought.status, bought.payment_preimage) == ("paid", paid.payment_preimage)
    [proof] = served.client.createproof(invoice).proofs
    assert pair.l1.client.rpc_call("decode", [proof.bolt12])["valid"]
