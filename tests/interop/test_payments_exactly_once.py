"""Whatever dies or is lost, a real node's invoices for our request are paid exactly once.

`LNOFFERS_KILLS` is the number of random moments at which our server is killed.
"""

from __future__ import annotations

import os
import random
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from subprocess import Popen
from threading import Thread
from typing import Any

import pytest

from clnrpc import Client, RpcError
from clnrpc.runtime.errors import ClientError
from lnoffers.bolt12 import Invoice, InvoiceRequest
from tests.interop.chain.folder import Chain
from tests.interop.channels import fund, open_channel
from tests.interop.conftest import Pair
from tests.interop.losing import losing
from tests.interop.nodes import Node
from tests.interop.paying import Mortal
from tests.interop.test_payments_live import AMOUNT, PAUSE, refusal, send_invoice, served_by, state_of
from tests.peers.conftest import Served, Start
from tests.service.program import until

KILLS = int(os.environ.get("LNOFFERS_KILLS", "4"))
LATEST = 0.6
"""Seconds after an invoice was made, within which the server is killed. A payment takes half as long."""
SMALL = 1_000


def payments_for(node: Node, request: str) -> list[str]:
    """Return the states of what the node has paid for a request, one for each payment hash."""
    wanted = InvoiceRequest.parse(request).invreq_id
    pays = [pay for pay in node.client.listpays().pays if pay.bolt12 is not None]
    return [pay.status for pay in pays if Invoice.parse(pay.bolt12 or "").invreq_id == wanted]


def sent(node: Node, request: str, label: str, results: list[Any]) -> None:
    """Send an invoice, and note the outcome."""
    try:
        with Client(node.socket) as client:
            results.append(client.rpc_call("sendinvoice", {"invreq": request, "label": label, "timeout": 60}))
    except (RpcError, ClientError) as error:
        results.append(error)


def sending(node: Node, request: str, label: str) -> tuple[Thread, list[Any]]:
    """Return a thread that sends an invoice, and the list for its outcome."""
    results: list[Any] = []
    thread = Thread(target=sent, args=(node, request, label, results))
    thread.start()
    return thread, results


def kill(process: Popen[str]) -> None:
    """End a server as `kill -9` does."""
    process.kill()
    process.wait()


def test_a_lost_answer_of_the_node_is_found_out(start: Start, pair: Pair, tmp_path: Path) -> None:
    with losing(pair.l2.socket, tmp_path / "rpc", "xpay") as proxy:
        served = served_by(start, pair.l2, pair.l1, "--backend", f"cln:{tmp_path / 'rpc'}")
        request = served.client.invoicerequest(AMOUNT, "lost").bolt12
        assert send_invoice(pair.l1, request, f"lost {request[-8:]}")["status"] == "paid"
        until(lambda: state_of(served, request)["used"])
        assert proxy.lost == 1
        assert payments_for(pair.l2, request) == ["complete"]
        kill(served.process)  # while the proxy is there


@pytest.fixture(scope="module")
def payer(chain: Chain, work: Path, l1: Node) -> Iterator[Mortal]:
    """Yield a node that pays, and may be killed."""
    with ExitStack() as stack:
        made = Mortal(chain, work / "payer", stack)
        fund(chain, made.node)
        open_channel(chain, made.node, l1)
        yield made


@pytest.mark.parametrize("seconds", [0.0, 0.1, 0.2])
def test_the_paying_node_is_killed_while_it_pays(seconds: float, start: Start, payer: Mortal, l1: Node) -> None:
    """Sooner or later: before a part is sent, while it is on its way, or when it has arrived."""
    served = served_by(start, payer.node, l1)
    request = served.client.invoicerequest(AMOUNT, "killed").bolt12
    thread, results = sending(l1, request, f"killed {request[-8:]}")
    until(lambda: payments_for(payer.node, request))
    time.sleep(seconds)
    payer.kill()
    until(lambda: "is uncertain" in served.log() or state_of(served, request)["used"])
    payer.restart(l1)
    until(lambda: "has failed" in served.log() or state_of(served, request)["used"])
    if not state_of(served, request)["used"]:
        assert send_invoice(l1, request, f"again {request[-8:]}")["status"] == "paid"
        until(lambda: state_of(served, request)["used"])
    assert "already paid" in refusal(l1, request, f"more {request[-8:]}")
    assert payments_for(payer.node, request).count("complete") == 1
    thread.join()
    assert len(results) == 1


def test_our_server_is_killed_while_a_part_is_on_its_way(start: Start, pair: Pair) -> None:
    served = served_by(start, pair.l2, pair.l1)
    request = served.client.invoicerequest(AMOUNT, "held").bolt12
    thread, results = sending(pair.l1, request, f"held {request[-8:]}")
    until(lambda: pair.l1.client.listinvoices(label=f"held {request[-8:]}").invoices)
    time.sleep(PAUSE)  # it is paid by now, or will be
    kill(served.process)
    again = served_by(start, pair.l2, pair.l1, program=served.program)
    until(lambda: state_of(again, request)["used"])
    thread.join()
    assert results[0]["status"] == "paid"
    assert payments_for(pair.l2, request) == ["complete"]


def test_our_server_is_killed_at_random_moments(start: Start, pair: Pair) -> None:
    served = served_by(start, pair.l2, pair.l1)
    found: Counter[str] = Counter()
    requests = []
    for number in range(KILLS):
        request = served.client.invoicerequest(SMALL, f"round {number}").bolt12
        label = f"round {number} {request[-8:]}"
        sending(pair.l1, request, label)
        until(lambda: pair.l1.client.listinvoices(label=label).invoices)  # noqa: B023 # it is called right here
        time.sleep(random.uniform(0, LATEST))
        kill(served.process)
        served = served_by(start, pair.l2, pair.l1, program=served.program)
        requests.append(request)
        found[claim_of(served, request)] += 1
        settle(served, pair, request, number)
        assert payments_for(pair.l2, request).count("complete") == 1, f"round {number}"
        assert state_of(served, request)["used"]
    for request in requests:  # nothing has come later
        assert [status for status in payments_for(pair.l2, request) if status != "failed"] == ["complete"]
    print(f"the states after {KILLS} kills: {dict(found)}")


def claim_of(served: Served, request: str) -> str:
    """Return the state of the payment for a request."""
    payments = state_of(served, request).get("payments", [])
    return payments[-1]["state"] if payments else "not claimed"


def settle(served: Served, pair: Pair, request: str, number: int) -> None:
    """Wait until the request is used; if the invoice was lost before it was claimed, send another one."""
    deadline = time.monotonic() + 200
    attempt = 0
    while not state_of(served, request)["used"]:
        assert time.monotonic() < deadline
        attempt += 1
        time.sleep(PAUSE)
        outcome: list[Any] = []
        sent(pair.l1, request, f"round {number} {request[-8:]} {attempt}", outcome)
        time.sleep(PAUSE)


def test_a_restored_store_pays_nothing_twice(start: Start, pair: Pair, tmp_path: Path) -> None:
    served = served_by(start, pair.l2, pair.l1)
    request = served.client.invoicerequest(AMOUNT, "restored").bolt12
    kill(served.process)
    shutil.copytree(served.program.network_dir, tmp_path / "backup", ignore=shutil.ignore_patterns("lightning-rpc"))
    served = served_by(start, pair.l2, pair.l1, program=served.program)
    assert send_invoice(pair.l1, request, f"once {request[-8:]}")["status"] == "paid"
    until(lambda: state_of(served, request)["used"])
    kill(served.process)
    shutil.rmtree(served.program.network_dir)
    shutil.copytree(tmp_path / "backup", served.program.network_dir)
    restored = served_by(start, pair.l2, pair.l1, program=served.program)
    assert not state_of(restored, request)["used"], "it has forgotten"
    assert "payments have not begun" in refusal(pair.l1, request, f"early {request[-8:]}")
    until(lambda: state_of(restored, request)["used"])
    assert "already paid" in refusal(pair.l1, request, f"late {request[-8:]}")
    assert payments_for(pair.l2, request) == ["complete"]
