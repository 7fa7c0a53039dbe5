"""Where we differ from lightningd on purpose: our exact answer for each row of the closed list that is in force."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest

from clnrpc.runtime.server.dispatch import Answer
from lnoffers.bolt12 import InvoiceRequest
from lnoffers.runes.rune import read_restrictions
from lnoffers.service import Node, OffersService, Options
from lnoffers.service.dispatching import dispatcher
from tests.service.invoicing import OFFER, SIGNER, creation, store_offer
from tests.service.program import Program, Wire, request

NOT_AN_AMOUNT = "amount: should be a millisatoshi amount: invalid token (see logs for details)"


def ask(node: Node, params: str, method: str = "invoicerequest") -> dict[str, Any]:
    """Return the answer to a command with these parameters, as they are written."""
    node.inject(params.encode()[:16].ljust(16), None)
    through = dispatcher(OffersService(node), developer=False)
    message = f'{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}'
    found = through.answer(message.encode())
    assert isinstance(found, Answer)
    told: dict[str, Any] = json.loads(found.data)
    return told


@pytest.mark.parametrize("params", ['{"amount":1000}', "[1000]", "[1000,null]"])
def test_row_1_a_description_is_required(node: Node, params: str) -> None:
    assert ask(node, params)["error"] == {"code": -32602, "message": "missing required parameter: description"}


@pytest.mark.parametrize("amount", ["0", '"0"', '"0msat"', '"0sat"', '"0.000sat"', '"0.0btc"'])
def test_row_2_an_amount_must_be_positive(node: Node, amount: str) -> None:
    assert ask(node, f'[{amount},"x"]')["error"] == {"code": -32602, "message": "amount: must be positive"}


@pytest.mark.parametrize(
    ("amount", "msat"),
    [
        ("1.000sat", 1000),
        ("0.001sat", 1),
        ("1.5btc", 150_000_000_000),
        ("0.00000000001btc", 1),
        ("1btc", 100_000_000_000),
    ],
)
def test_row_3_decimals_of_sat_and_btc(node: Node, amount: str, msat: int) -> None:
    made = ask(node, f'["{amount}","x"]')["result"]["bolt12"]
    assert InvoiceRequest.parse(made).invreq_amount == msat


@pytest.mark.parametrize(
    "amount",
    [
        *("-1", '"-1"', "1.5", "1e3", "true", "[1]", '"any"', '""', '"1.0001sat"', '"1.00sat"', '"0.000000000001btc"'),
        *("18446744073709551616", '"18446744073709551616msat"', '"\\u0031000"'),
    ],
)
def test_row_3_no_other_form_of_an_amount(node: Node, amount: str) -> None:
    assert ask(node, f'[{amount},"x"]')["error"] == {"code": -32602, "message": NOT_AN_AMOUNT}


@pytest.mark.parametrize(
    "text",
    [
        *("hello\n", "12 ", '{"a":1,}', '{"a":"line\nfeed"}', "{'a':1}", '{"a":01}'),
        *('{"a":[1 2]}', '{"a":1.2.3}', '{"a":127.0.0.1}', '{"a":1.}'),
    ],
)
def test_row_5_what_can_never_become_an_object_is_refused_and_cut_off(program: Program, text: str) -> None:
    with program.served(), Wire(program.socket) as wire:
        wire.send(text.encode())
        error = json.loads(wire.answer())["error"]
        assert error["code"] == -32600
        assert error["message"].startswith("Failed to parse RPC JSON response '")
        assert wire.is_closed()


def test_row_7_the_advice_for_an_unknown_parameter_is_ours(node: Node) -> None:
    message = "unknown parameter: quantity, which this command does not have; if key=value pairs were meant, use -k"
    assert ask(node, '{"amount":1,"quantity":1}')["error"] == {"code": -32602, "message": message}


def test_null_by_name_is_a_bad_value_and_by_position_is_nothing(node: Node) -> None:
    by_name = ask(node, '{"amount":1,"description":"x","issuer":null}')
    assert by_name["error"]["message"].startswith("issuer: should be a string")
    assert "result" in ask(node, '[1,"x",null]')


def test_unicode_escapes_are_refused_in_text(node: Node) -> None:
    message = "description: should be a string (without \\u): invalid token (see logs for details)"
    assert ask(node, '[1,"\\u0041"]')["error"] == {"code": -32602, "message": message}


def create(node: Node, **given: Any) -> dict[str, Any]:
    """Return the answer to createinvoice."""
    return ask(node, json.dumps(given), "createinvoice")


def test_row_15_a_preimage_is_good_for_one_invoice(node: Node) -> None:
    made = create(node, **creation(1))["result"]
    again = create(node, **creation(1) | {"label": "another"})
    assert again["error"] == {"code": 901, "message": "Duplicate preimage", "data": made}
    assert create(node, **creation(1))["error"]["code"] == 900, "a label that is taken is told first"
    assert "result" in create(node, **creation(2))


@pytest.mark.parametrize(
    ("node_id", "message"),
    [(None, "Missing invoice_node_id in invoice"), (SIGNER.public_key, "Incorrect invoice_node_id")],
)
def test_row_16_signs_only_invoices_that_name_the_node(node: Node, node_id: bytes | None, message: str) -> None:
    assert create(node, **creation(1, invoice_node_id=node_id))["error"] == {"code": -32602, "message": message}


@pytest.mark.parametrize("amount", [2**63, 2**64 - 1])
def test_row_17_stores_no_invoice_that_nobody_could_pay(node: Node, amount: int) -> None:
    refused = create(node, **creation(1, invoice_amount=amount))
    assert refused["error"] == {"code": -32602, "message": "Excessive invoice_amount in invoice"}
    assert "result" in create(node, **creation(1, invoice_amount=2**63 - 1))


@pytest.mark.parametrize("string", ["lnbcrt1x", "LNBC2500U1PVJLUEZ", "lightning:lntbs20m1pvjluez"])
def test_row_18_makes_no_bolt11_invoices(node: Node, string: str) -> None:
    shown = string.removeprefix("lightning:").lower()
    message = f"Unparsable invoice '{shown}': only BOLT 12 invoices are made here"
    refused = create(node, invstring=string, label="x", preimage="00" * 32)
    assert refused["error"] == {"code": -32602, "message": message}


def test_row_19_who_waits_is_told_that_the_server_stops(program: Program) -> None:
    with program.served() as server, Wire(program.socket) as waiting:
        waiting.send(request("waitanyinvoice", []))
        assert waiting.is_silent(0.3)
        server.terminate()
        assert json.loads(waiting.answer())["error"] == {"code": -5, "message": "The server stops"}
        assert waiting.is_closed()


def test_row_20_who_waits_for_an_invoice_is_told_when_it_ends_with_its_offer(seed_program: Program) -> None:
    with Node.open(Options(lightning_dir=seed_program.directory, network="regtest")) as node:
        offer_id = store_offer(node)
    with seed_program.served(), Wire(seed_program.socket) as waiting, Wire(seed_program.socket) as control:
        waiting.send(request("createinvoice", creation(1)) + request("waitinvoice", ["number 1"]))
        assert json.loads(waiting.answer())["result"]["status"] == "unpaid"
        assert waiting.is_silent(0.3), "it waits before the offer is disabled"
        assert "result" in control.ask("disableoffer", [offer_id.hex()])
        error = json.loads(waiting.answer())["error"]
    assert (error["code"], error["message"]) == (903, "invoice expired during wait")
    assert error["data"]["status"] == "expired"


@pytest.mark.parametrize("pause", [False, True])
@pytest.mark.parametrize("surplus", ["}", "]", "x"])
def test_row_22_a_complete_request_is_answered_and_the_surplus_refused(
    program: Program, surplus: str, pause: bool
) -> None:
    with program.served(), Wire(program.socket) as wire:
        first = '{"jsonrpc":"2.0","id":"a"}'
        told = '{"jsonrpc":"2.0","id":"a","error":{"code":-32600,"message":"No method"}}\n\n'
        if pause:
            wire.send(first.encode())
            assert wire.answer().decode() == told
            wire.send(surplus.encode())
        else:
            wire.send((first + surplus).encode())
            assert wire.answer().decode() == told
        why = f"Failed to parse RPC JSON response '{surplus}'"
        assert json.loads(wire.answer()) == {
            "jsonrpc": "2.0",
            "id": None,
            "error": {"code": -32600, "message": why},
        }
        assert wire.is_closed()


@pytest.mark.parametrize("string", ["x", OFFER.encode()], ids=["unparsable", "good"])
def test_row_23_decode_counts_its_parameters_before_it_reads_the_string(node: Node, string: str) -> None:
    message = "too many parameters: got 2, expected 1"
    assert ask(node, f'["{string}",2]', "decode")["error"] == {"code": -32602, "message": message}
    named = ask(node, f'{{"string":"{string}","y":2}}', "decode")["error"]["message"]
    assert named.startswith("unknown parameter: y, ")


def test_check_shows_all_parameters_as_written_where_they_do_not_go_together(node: Node) -> None:
    why = "description: description is required for the user to know what it was they paid for: invalid token"
    for params in ('["offer","1sat"]', '{ "command_to_check":"offer", "amount" : "1sat" }'):
        assert ask(node, params, "check")["error"] == {"code": -32602, "message": f"{why} '{params}'"}


NO_RESTRICTION = "restrictions: not a valid restriction (should be array): invalid token (see logs for details)"


def test_row_47_runes_that_nobody_could_use_are_not_made(node: Node) -> None:
    for restrictions in ("[[]]", '[["method=getinfo"],[]]'):
        error = ask(node, f'{{"restrictions":{restrictions}}}', "createrune")["error"]
        assert error == {"code": -32602, "message": NO_RESTRICTION}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"=0x1", "should have valid numeric unique_id"),
        (b"=01", "should have valid numeric unique_id"),
        (b"=1&method=\xff", "should have restrictions in UTF-8"),
        (b"=1&method=" + b"x" * 16_384, "should have 16384 characters at most"),
    ],
)
def test_row_47_runes_that_are_rejected(node: Node, text: bytes, why: str) -> None:
    rune = urlsafe_b64encode(bytes(32) + text).decode()
    error = ask(node, f'["{rune}"]', "checkrune")["error"]
    assert error == {"code": -32602, "message": f"rune: {why}: invalid token (see logs for details)"}


def test_row_48_a_range_of_ids_has_its_start_first(node: Node) -> None:
    error = ask(node, "[5,3]", "blacklistrune")["error"]
    assert error == {"code": -32602, "message": "start: 5 comes after end, 3"}


def test_row_49_rates_hold_for_runes_that_are_not_stored(node: Node) -> None:
    rune = node.authority.rune(7, read_restrictions(b"rate=1")).encode()
    node.inject(None, 1_700_000_000)
    assert ask(node, f'["{rune}"]', "checkrune")["result"] == {"valid": True}
    assert ask(node, f'["{rune}"]', "checkrune")["error"] == {"code": 1502, "message": "Not permitted: too soon"}
