"""Real applications, unchanged, on a network: they run in environments of their own, which variables name."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest

from lnstandin.network import Network, NetworkNode
from lnstandin.network.network import CHANNEL_SAT
from tests.network.applications.wallets import Wallet, running

HALF_SAT = CHANNEL_SAT // 2
LNBITS = os.environ.get("LNBITS_PYTHON", "")
CASHU = os.environ.get("CASHU_PYTHON", "")
WAYS = ["socket", "rest"]
"""How lnbits calls a node."""
only_with_lnbits = pytest.mark.skipif(not LNBITS, reason="LNBITS_PYTHON names no Python that has lnbits")
only_with_cashu = pytest.mark.skipif(not CASHU, reason="CASHU_PYTHON names no Python that has cashu")


@pytest.fixture
def network() -> Iterator[Network]:
    """Run a network of two nodes in processes, of which the first is the application's."""
    with Network(2, processes=True, rest=True) as network:
        yield network


@contextmanager
def lnbits(node: NetworkNode, folder: Path, way: str) -> Iterator[Wallet]:
    """Run lnbits' wallet on a node's socket, or over REST."""
    place = str(node.socket) if way == "socket" else json.dumps([node.rest, node.rune, str(node.certificate)])
    with running(LNBITS, "lnbits_wallet", folder, way, place) as wallet:
        yield wallet


@contextmanager
def nutshell(node: NetworkNode, folder: Path) -> Iterator[Wallet]:
    """Run nutshell's backend over REST."""
    with running(CASHU, "nutshell_backend", folder, node.rest, node.rune, str(node.certificate)) as backend:
        yield backend


@only_with_lnbits
@pytest.mark.parametrize("way", WAYS)
def test_lnbits_is_paid(network: Network, tmp_path: Path, way: str) -> None:
    node, payer = network.nodes
    with lnbits(node, tmp_path, way) as wallet:
        assert wallet.call("status") == {"error_message": None, "balance_msat": HALF_SAT * 1000}
        made = wallet.call("create_invoice", amount=21, memo="a sandwich", expiry=600)
        assert made["ok"]
        assert sha256(bytes.fromhex(made["preimage"])).hexdigest() == made["checking_id"]
        assert wallet.call("get_invoice_status", checking_id=made["checking_id"])["paid"] is None
        wallet.begin("next_paid")
        payer.client.xpay(made["payment_request"])
        assert wallet.result() == made["checking_id"]
        assert wallet.call("get_invoice_status", checking_id=made["checking_id"])["paid"] is True
        assert wallet.call("status")["balance_msat"] == (HALF_SAT + 21) * 1000


@only_with_lnbits
@pytest.mark.parametrize("way", WAYS)
def test_lnbits_sees_that_an_invoice_has_expired(network: Network, tmp_path: Path, way: str) -> None:
    with lnbits(network.nodes[0], tmp_path, way) as wallet:
        made = wallet.call("create_invoice", amount=21, memo="a sandwich", unhashed_description=None, expiry=600)
        network.advance(601)
        # Over REST, lnbits does not know the status "expired".
        paid = False if way == "socket" else None
        assert wallet.call("get_invoice_status", checking_id=made["checking_id"])["paid"] is paid


@only_with_lnbits
@pytest.mark.parametrize("way", WAYS)
def test_lnbits_pays(network: Network, tmp_path: Path, way: str) -> None:
    node, payee = network.nodes
    made = payee.client.invoice("21sat", "lunch", "a sandwich")
    with lnbits(node, tmp_path, way) as wallet:
        assert not wallet.call("get_payment_status", checking_id=made.payment_hash)["paid"]  # it was never tried
        paid = wallet.call("pay_invoice", bolt11=made.bolt11, fee_limit_msat=1_000)
        assert (paid["ok"], paid["checking_id"], paid["fee_msat"]) == (True, made.payment_hash, 0)
        assert sha256(bytes.fromhex(paid["preimage"])).hexdigest() == made.payment_hash
        known = wallet.call("get_payment_status", checking_id=made.payment_hash)
        assert (known["paid"], known["preimage"]) == (True, paid["preimage"])
        again = wallet.call("pay_invoice", bolt11=made.bolt11, fee_limit_msat=1_000)
        if way == "socket":
            assert (again["ok"], again["error_message"]) == (False, "invoice already paid")
        else:
            assert (again["ok"], again["preimage"]) == (True, paid["preimage"])  # lnbits leaves this to the node
    assert network.total_msat() == CHANNEL_SAT * 1000


@only_with_lnbits
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("how", ["refused", "no route", "too much", "expired"])
def test_lnbits_sees_a_failure(network: Network, tmp_path: Path, way: str, how: str) -> None:
    node, payee = network.nodes
    amount = f"{HALF_SAT + 1}sat" if how == "too much" else "21sat"
    made = payee.client.invoice(amount, "lunch", "a sandwich", expiry=60)
    if how in ("refused", "no route"):
        node.fail_next(203 if how == "refused" else 205)
    if how == "expired":
        network.advance(61)
    with lnbits(node, tmp_path, way) as wallet:
        failed = wallet.call("pay_invoice", bolt11=made.bolt11, fee_limit_msat=1_000)
        # Over REST, lnbits looks for the code where clnrest does not put it, so every failure is uncertain to it. It
        # does not know 215 either, which xpay answers if there is too little money.
        is_certain = way == "socket" and how != "too much"
        assert failed["ok"] is (False if is_certain else None), failed
        if way == "socket" or how == "refused":
            assert wallet.call("get_payment_status", checking_id=made.payment_hash)["paid"] is False
        assert wallet.call("status")["balance_msat"] == HALF_SAT * 1000
        if how in ("refused", "no route"):
            assert wallet.call("pay_invoice", bolt11=made.bolt11, fee_limit_msat=1_000)["ok"] is True


@only_with_lnbits
@pytest.mark.parametrize("way", WAYS)
def test_lnbits_loses_its_node_while_it_pays_and_finds_the_payment_later(
    network: Network, tmp_path: Path, way: str
) -> None:
    node, payee = network.nodes
    made = payee.client.invoice("21sat", "lunch", "a sandwich")
    payee.hold()
    with lnbits(node, tmp_path, way) as wallet:
        wallet.begin("pay_invoice", bolt11=made.bolt11, fee_limit_msat=1_000)
        while not node.client.listpays().pays:
            pass
        node.kill()
        assert wallet.result()["ok"] is None  # unknown
        node.restart()
        assert wallet.call("get_payment_status", checking_id=made.payment_hash)["paid"] is None
        payee.release()
        node.client.waitsendpay(made.payment_hash, partid=1)
        assert wallet.call("get_payment_status", checking_id=made.payment_hash)["paid"] is True
    assert network.total_msat() == CHANNEL_SAT * 1000


@only_with_cashu
def test_nutshell_is_paid(network: Network, tmp_path: Path) -> None:
    node, payer = network.nodes
    with nutshell(node, tmp_path) as backend:
        assert backend.call("status")["balance"] == HALF_SAT
        made = backend.call("create_invoice", amount=21, memo="a sandwich")
        assert made["ok"]
        assert backend.call("get_invoice_status", checking_id=made["checking_id"])["result"] == "PENDING"
        backend.begin("next_paid")
        payer.client.xpay(made["payment_request"])
        assert backend.result() == made["checking_id"]
        assert backend.call("get_invoice_status", checking_id=made["checking_id"])["result"] == "SETTLED"
        assert backend.call("status")["balance"] == HALF_SAT + 21


@only_with_cashu
def test_nutshell_pays(network: Network, tmp_path: Path) -> None:
    node, payee = network.nodes
    made = payee.client.invoice("21sat", "lunch", "a sandwich")
    with nutshell(node, tmp_path) as backend:
        unknown = backend.call("get_payment_status", checking_id=made.payment_hash)
        assert unknown["error_message"] == "payment not found"
        paid = backend.call("pay_invoice", bolt11=made.bolt11, amount=21, fee_limit_msat=1_000)
        assert (paid["result"], paid["checking_id"]) == ("SETTLED", made.payment_hash)
        known = backend.call("get_payment_status", checking_id=made.payment_hash)
        assert (known["result"], known["preimage"]) == ("SETTLED", paid["preimage"])
        again = backend.call("pay_invoice", bolt11=made.bolt11, amount=21, fee_limit_msat=1_000)
        assert again["error_message"] == "Already paid this invoice successfully"
    assert network.total_msat() == CHANNEL_SAT * 1000


@only_with_cashu
@pytest.mark.parametrize("how", ["refused", "too much", "expired"])
def test_nutshell_sees_a_failure(network: Network, tmp_path: Path, how: str) -> None:
    node, payee = network.nodes
    amount = HALF_SAT + 1 if how == "too much" else 21
    made = payee.client.invoice(f"{amount}sat", "lunch", "a sandwich", expiry=60)
    if how == "refused":
        node.fail_next(203)
    if how == "expired":
        network.advance(61)
    with nutshell(node, tmp_path) as backend:
        failed = backend.call("pay_invoice", bolt11=made.bolt11, amount=amount, fee_limit_msat=1_000)
        assert failed["result"] == "FAILED", failed
        if how == "refused":
            assert backend.call("get_payment_status", checking_id=made.payment_hash)["result"] == "FAILED"
            assert backend.call("pay_invoice", bolt11=made.bolt11, amount=21, fee_limit_msat=0)["result"] == "SETTLED"
            assert backend.call("get_payment_status", checking_id=made.payment_hash)["result"] == "SETTLED"


@only_with_cashu
def test_nutshell_finds_a_payment_that_was_under_way_when_its_node_was_killed(network: Network, tmp_path: Path) -> None:
    node, payee = network.nodes
    made = payee.client.invoice("21sat", "lunch", "a sandwich")
    payee.hold()
    with nutshell(node, tmp_path) as backend:
        backend.begin("pay_invoice", bolt11=made.bolt11, amount=21, fee_limit_msat=1_000)
        while not node.client.listpays().pays:
            pass
        node.kill()
        node.restart()
        lost = backend.result()
        assert "error" in lost or lost["result"] == "UNKNOWN", lost
        assert backend.call("get_payment_status", checking_id=made.payment_hash)["result"] == "PENDING"
        payee.release()
        node.client.waitsendpay(made.payment_hash, partid=1)
        assert backend.call("get_payment_status", checking_id=made.payment_hash)["result"] == "SETTLED"
    assert network.total_msat() == CHANNEL_SAT * 1000
