"""invoice, and the commands about invoices that know those of BOLT 11 too."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from lnoffers.bolt11 import Invoice
from lnstandin.network import Network
from tests.network.accounts import HALF_MSAT, bolt11, error
from tests.service.program import run

PREIMAGE = "70" * 32


def test_string_has_what_the_call_gave(network: Network) -> None:
    node = network.nodes[0]
    made = node.client.invoice(
        "21sat", "lunch", "ein Brötchen 🥨", expiry=600, preimage=PREIMAGE, cltv=42, exposeprivatechannels=True
    )
    invoice = Invoice.parse(made.bolt11)
    assert (invoice.amount_msat, invoice.description, invoice.expiry) == (21_000, "ein Brötchen 🥨", 600)
    assert invoice.min_final_cltv_expiry == 42
    assert invoice.payee.hex() == node.id
    assert invoice.payment_hash == sha256(bytes.fromhex(PREIMAGE)).digest()
    assert (made.payment_hash, made.payment_secret) == (invoice.payment_hash.hex(), invoice.payment_secret.hex())
    assert made.expires_at == invoice.timestamp + 600
    assert Invoice.parse(bolt11(node)).expiry == 604_800


def test_command_decode_reads_it(network: Network) -> None:
    decoded = network.nodes[1].client.rpc_call("decode", [bolt11(network.nodes[0])])
    assert (decoded["type"], decoded["valid"], decoded["payee"]) == ("bolt11 invoice", True, network.nodes[0].id)


def test_secrets_of_two_invoices_differ(network: Network) -> None:
    made = [network.nodes[0].client.invoice("any", label, "") for label in ("one", "two")]
    assert made[0].payment_secret != made[1].payment_secret
    assert made[0].payment_hash != made[1].payment_hash


def test_label_and_preimage_are_used_once_also_across_kinds(network: Network) -> None:
    client = network.nodes[0].client
    client.invoice("21sat", "lunch", "", preimage=PREIMAGE)
    clash = error(lambda: client.invoice("1sat", "lunch", ""))
    assert (clash.code, clash.message) == (900, "Duplicate label 'lunch'")
    assert clash.data is None
    same = error(lambda: client.invoice("1sat", "tea", "", preimage=PREIMAGE))
    assert (same.code, same.message) == (901, "preimage already used")
    assert client.invoice("1sat", 7, "").created_index == 2
    assert error(lambda: client.invoice("1sat", "7", "")).code == 900  # a number is its digits


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"amount_msat": 0}, "amount_msat: should be positive msat or 'any'"),
        ({"amount_msat": 2**63}, f"amount_msat: should be {2**63 - 1}msat at most"),
        ({"amount_msat": "some"}, "amount_msat: "),
        ({"description": "x" * 640}, "Description greater than 639 bytes invalid (description length 640)"),
        ({"expiry": 2**32}, f"expiry: should be {2**32 - 1} seconds at most"),
        ({"preimage": "7070"}, "preimage: "),
        ({"fallbacks": ["bcrt1q"]}, "fallbacks: not available here"),
    ],
)
def test_wrong_parameters_are_named(network: Network, params: dict[str, Any], why: str) -> None:
    client = network.nodes[0].client
    given = {"amount_msat": 1, "label": "lunch", "description": ""} | params
    failure = error(lambda: client.rpc_call("invoice", given))
    assert failure.code == -32602
    assert failure.message.startswith(why), failure
    assert client.listinvoices().invoices == []


def test_amount_that_no_channel_can_receive_gets_a_warning(network: Network) -> None:
    client = network.nodes[0].client
    assert client.invoice(f"{HALF_MSAT}msat", "fits", "").warning_capacity is None
    assert "capacity" in (client.invoice(f"{HALF_MSAT + 1}msat", "too much", "").warning_capacity or "")


def test_commands_about_invoices_know_both_kinds(network: Network) -> None:
    payee, payer = network.nodes
    string = bolt11(payee, label="one")
    offer = payee.client.offer("5sat", description="tea").bolt12
    payer.client.xpay(offer)
    payer.client.xpay(string)
    first, second = payee.client.listinvoices().invoices
    assert (first.bolt11, first.bolt12) == (string, None)
    assert (second.bolt11, (second.bolt12 or "")[:4]) == (None, "lni1")
    assert [first.pay_index, second.pay_index] == [2, 1]
    assert payee.client.listinvoices(invstring=string).invoices[0].label == "one"
    assert payee.client.waitinvoice("one").bolt11 == string
    assert payee.client.waitanyinvoice(lastpay_index=1).label == "one"
    assert payee.client.delinvoice("one", "paid").bolt11 == string
    assert [each.label for each in payee.client.listinvoices().invoices] == [second.label]


def test_invoice_of_any_amount_has_none_in_lists(network: Network) -> None:
    client = network.nodes[0].client
    client.invoice("any", "gift", "")
    assert client.listinvoices().invoices[0].amount_msat is None
    assert client.delinvoice("gift", "unpaid").amount_msat is None


def test_check_knows_the_commands_of_a_network(network: Network) -> None:
    node, other = network.nodes
    string = bolt11(other)
    for call in (
        ["invoice", "1sat", "lunch", ""],
        ["pay", string],
        ["xpay", string],
        ["listpays"],
        ["listsendpays"],
        ["waitsendpay", "00" * 32],
        ["listfunds"],
    ):
        assert node.client.rpc_call("check", call) == {"command_to_check": call[0]}
    assert error(lambda: node.client.rpc_call("check", ["xpay", "lnbcrt1"])).code == -32602
    assert node.client.listinvoices().invoices == []


def test_check_refuses_the_request_of_a_bolt11_invoice_as_xpay_does(network: Network) -> None:
    node, other = network.nodes
    params = {"invstring": bolt11(other), "localinvreqid": "00" * 32}
    failures = [
        error(lambda: node.client.rpc_call("xpay", params)),
        error(lambda: node.client.rpc_call("check", {"command_to_check": "xpay", **params})),
    ]
    why = (-32602, "Cannot use localinvreqid with BOLT11 payment")
    assert [(each.code, each.message) for each in failures] == [why, why]
    assert node.client.listpays().pays == []


def test_store_with_invoices_of_both_kinds_has_no_fault(network: Network) -> None:
    payee, payer = network.nodes
    payer.client.xpay(bolt11(payee, "any", label="one"), amount_msat=5)
    bolt11(payee, label="two")
    payer.client.xpay(payee.client.offer("5sat", description="tea").bolt12)
    found = run("check-store", "--lightning-dir", str(payee.directory), "--network", "regtest")
    assert (found.code, found.err) == (0, ""), found
