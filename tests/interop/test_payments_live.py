"""Real nodes and our server with `--backend cln`: requests are paid, offers get paid, each exactly once."""

from __future__ import annotations

import time
from typing import Any

import pytest

from clnrpc import RpcError
from tests.interop.conftest import Pair
from tests.interop.nodes import Node
from tests.peers.conftest import Served, Start
from tests.service.program import until

AMOUNT = 12_345_678
PAUSE = 0.6
"""Seconds between two onion messages of one node, which may send four a second."""
BAD_ANSWER = 1004


def served_by(start: Start, node: Node, peer: Node, *flags: str) -> Served:
    """Return a server whose payments a node makes and takes, connected to a peer."""
    address = f"{peer.id}@127.0.0.1:{peer.port}"
    made = start("--backend", f"cln:{node.socket}", "--peer", address, "--retry-for", "5", *flags)
    until(lambda: peer.id in made.peers())
    return made


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
