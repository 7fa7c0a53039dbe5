"""xpay and pay of BOLT 11: what they pay, and the codes with which they fail."""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import Any

import pytest

from clnrpc import Client
from lnoffers.bolt11 import CHAINS, Invoice
from lnoffers.bolt12.curve import KeyPair
from lnoffers.bolt12.keys import NodeKeys
from lnstandin.network import Network
from tests.network.accounts import HALF_MSAT, Later, balance, bolt11, error
from tests.service.program import until

pytestmark = pytest.mark.usefixtures("pay_is_deprecated")
PREIMAGE = b"p" * 32


def foreign(keys: KeyPair = KeyPair(b"f" * 32), **changes: Any) -> str:  # noqa: B008 - it does not change
    """Return an invoice of a node that is in no network, or of the owner of `keys`."""
    given = {"chain": CHAINS["bcrt"], "timestamp": 1_700_000_000, "expiry": 2**31, "amount_msat": 1_000}
    given |= {"payment_hash": sha256(PREIMAGE).digest(), "payment_secret": b"s" * 32, "description": ""} | changes
    return Invoice.build(**given).sign(keys).encode()


def test_invoice_is_paid_and_both_sides_know_it(network: Network) -> None:
    payer, payee = network.nodes
    made = payee.client.invoice("21sat", "lunch", "a sandwich")
    paid = payer.client.xpay(made.bolt11)
    assert sha256(bytes.fromhex(paid.payment_preimage)).hexdigest() == made.payment_hash
    assert (paid.amount_msat, paid.amount_sent_msat, paid.successful_parts) == (21_000, 21_000, 1)
    [invoice] = payee.client.listinvoices().invoices
    assert (invoice.status, invoice.amount_received_msat, invoice.bolt11) == ("paid", 21_000, made.bolt11)
    [pay] = payer.client.listpays().pays
    assert (pay.status, pay.preimage, pay.bolt11) == ("complete", paid.payment_preimage, made.bolt11)
    assert payee.client.waitanyinvoice(lastpay_index=0).label == "lunch"
    assert (balance(payer), balance(payee)) == (HALF_MSAT - 21_000, HALF_MSAT + 21_000)
    assert network.total_msat() == 2 * HALF_MSAT


def test_money_that_was_received_can_be_spent(network: Network) -> None:
    one, other = network.nodes
    one.client.xpay(bolt11(other, f"{HALF_MSAT}msat"))
    assert balance(one) == 0
    other.client.xpay(bolt11(one, f"{2 * HALF_MSAT}msat"))
    assert (balance(one), balance(other)) == (2 * HALF_MSAT, 0)


def test_pay_of_what_is_paid_answers_complete_and_xpay_says_so(network: Network) -> None:
    payer, payee = network.nodes
    string = bolt11(payee)
    first = payer.client.pay(string, label="lunch")
    again = payer.client.pay(string)
    assert (again.status, again.payment_preimage, again.parts) == ("complete", first.payment_preimage, 1)
    assert again.destination == payee.id
    failure = error(lambda: payer.client.xpay(string))
    assert (failure.code, failure.message) == (219, "Already paid this invoice successfully")
    assert balance(payer) == HALF_MSAT - 21_000


def test_payer_chooses_the_amount_of_an_invoice_without_one(network: Network) -> None:
    payer, payee = network.nodes
    string = bolt11(payee, "any")
    assert error(lambda: payer.client.xpay(string)).message == "amount_msat required"
    assert payer.client.xpay(string, amount_msat=12_345).amount_msat == 12_345
    assert payee.client.listinvoices().invoices[0].amount_received_msat == 12_345
    assert payee.client.listinvoices().invoices[0].amount_msat is None
    failure = error(lambda: payer.client.pay(string, amount_msat=12_346))
    assert failure.code == -3
    assert "Already succeeded with amount 12345msat (not 12346msat)" in failure.message
    assert error(lambda: payer.client.xpay(string, amount_msat=12_346)).message == failure.message


@pytest.mark.parametrize("method", ["xpay", "pay"])
@pytest.mark.parametrize(
    ("string", "options", "code", "why"),
    [
        ("lnbcrt1", {}, -32602, "Invalid bolt11 invoice: "),
        (foreign(chain=CHAINS["bc"]), {}, -32602, "Invalid bolt11 invoice: Prefix bc is not for regtest"),
        (foreign(), {"amount_msat": 5}, -32602, "amount_msat unnecessary"),
        (foreign(), {"partial_msat": 5}, -32602, "partial_msat: not available here"),
        (foreign(amount_msat=None), {"amount_msat": 0}, -32602, "Cannot pay bolt11 invoice with zero amount"),
        (foreign(expiry=1), {}, 207, "Invoice expired "),
        (foreign(), {}, 205, "Failed: the payee cannot be reached"),
        (foreign(amount_msat=None), {"amount_msat": 2**63}, 205, f"Failed: {2**63}msat are more than there is"),
    ],
)
def test_invoice_that_cannot_be_paid_has_lightningds_code(  # noqa: PLR0917
    network: Network, method: str, string: str, options: dict[str, int], code: int, why: str
) -> None:
    failure = error(lambda: getattr(network.nodes[0].client, method)(string, **options))
    assert failure.code == code
    assert failure.message.startswith(why)
    assert network.nodes[0].client.listpays().pays == []


def test_payment_that_is_more_than_the_channel_has_leaves_no_trace(network: Network) -> None:
    payer, payee = network.nodes
    failure = error(lambda: payer.client.xpay(bolt11(payee, f"{HALF_MSAT + 1}msat")))
    assert (failure.code, "the channel has 5000000000msat" in failure.message) == (215, True)
    assert payer.client.listpays().pays == []
    assert balance(payer) == HALF_MSAT


def test_nodes_without_a_channel_do_not_pay_each_other() -> None:
    with Network(3, channels=[(0, 1), (1, 2)]) as network:
        one, middle, other = network.nodes
        failure = error(lambda: one.client.xpay(bolt11(other)))
        assert (failure.code, failure.message) == (205, f"Failed: there is no channel with {other.id}")
        assert one.client.xpay(bolt11(middle)).amount_msat == 21_000
        assert balance(middle) == 2 * HALF_MSAT + 21_000


def test_node_does_not_pay_itself(network: Network) -> None:
    [node, _] = network.nodes
    assert error(lambda: node.client.xpay(bolt11(node))).code == 205


def test_invoice_whose_description_is_hashed_is_paid_with_any_description(network: Network) -> None:
    payer, payee = network.nodes
    long = "sandwich " * 100
    string = payee.client.invoice("21sat", "lunch", long, deschashonly=True).bolt11
    assert Invoice.parse(string).description_hash == sha256(long.encode()).digest()
    assert payer.client.pay(string, description="soup").status == "complete"  # lightningd does not compare it either


def test_invoice_that_its_payee_has_deleted_is_refused(network: Network) -> None:
    payer, payee = network.nodes
    string = bolt11(payee)
    payee.client.delinvoice("a label", "unpaid")
    failure = error(lambda: payer.client.xpay(string))
    assert (failure.code, failure.message) == (203, "Failed: no invoice has this payment_hash")
    [pay] = payer.client.listpays().pays
    assert (pay.status, pay.amount_sent_msat) == ("failed", 0)
    assert balance(payer) == HALF_MSAT


def test_payment_secret_of_another_invoice_pays_nothing(network: Network) -> None:
    payer, payee = network.nodes
    made = Invoice.parse(bolt11(payee))
    keys = NodeKeys.from_seed((payee.directory / "regtest" / "hsm_secret").read_bytes())
    forged = foreign(keys.key_pair, payment_hash=made.payment_hash)
    assert Invoice.parse(forged).payee == made.payee
    failure = error(lambda: payer.client.xpay(forged))
    assert (failure.code, failure.message) == (203, "Failed: this node has made no such invoice")
    assert payee.client.listinvoices().invoices[0].status == "unpaid"


def test_caller_that_waits_no_longer_learns_the_result_from_the_lists(network: Network) -> None:
    payer, payee = network.nodes
    payee.hold()
    string = bolt11(payee)
    payment_hash = Invoice.parse(string).payment_hash.hex()
    assert error(lambda: payer.client.xpay(string, retry_for=0)).code == 210
    assert [each.status for each in payer.client.listpays(payment_hash=payment_hash).pays] == ["pending"]
    assert error(lambda: payer.client.xpay(string)).code == -3
    assert error(lambda: payer.client.waitsendpay(payment_hash, partid=1, timeout=0)).code == 200
    payee.release()
    assert payer.client.waitsendpay(payment_hash, partid=1).status == "complete"
    assert payer.client.pay(string).status == "complete"


def test_two_calls_at_once_pay_once(network: Network) -> None:
    payer, payee = network.nodes
    string = bolt11(payee)
    payee.hold()
    with Client(payer.socket) as first, Client(payer.socket) as second:
        calls = [Later(lambda client=client: client.xpay(string)) for client in (first, second)]
        until(lambda: payer.client.listpays().pays)
        payee.release()
        results = [call.result() for call in calls]
    assert any(hasattr(result, "payment_preimage") for result in results)
    assert balance(payer) == HALF_MSAT - 21_000
    assert len(payer.client.listpays().pays) == 1


def test_of_two_calls_at_once_with_different_amounts_one_is_refused(network: Network) -> None:
    payer, payee = network.nodes
    string = bolt11(payee, "any")
    payee.hold()
    with Client(payer.socket) as first, Client(payer.socket) as second:
        amounts = {first: 1_000, second: 7_000}
        calls = {
            amount: Later(lambda client=client, amount=amount: client.xpay(string, amount_msat=amount))
            for client, amount in amounts.items()
        }
        until(lambda: payer.client.listpays().pays)
        until(lambda: not all(call.is_alive() for call in calls.values()))
        payee.release()
        results = {amount: call.result() for amount, call in calls.items()}
    [(paid, other)] = [
        (amount, results[other])
        for amount, other in ((1_000, 7_000), (7_000, 1_000))
        if hasattr(results[amount], "amount_msat")
    ]
    assert results[paid].amount_msat == paid
    assert (other.code, "error 200" in other.message) == (-3, True)


def test_random_invoices_have_random_preimages(network: Network) -> None:
    node = network.nodes[0].client
    made = {node.invoice(1, secrets.token_hex(4), "").payment_hash for _ in range(5)}
    assert len(made) == 5
