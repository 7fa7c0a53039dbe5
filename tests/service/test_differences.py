"""Where we differ from lightningd on purpose: our exact answer for each row of the closed list that is in force."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clnrpc.runtime.dispatch import Answer
from lnoffers.bolt12 import InvoiceRequest
from lnoffers.service import Node, OffersService
from lnoffers.service.dispatching import answer, dispatcher
from tests.service.program import Program, Wire

NOT_AN_AMOUNT = "amount: should be a millisatoshi amount: invalid token (see logs for details)"


def ask(node: Node, params: str) -> dict[str, Any]:
    """The answer to invoicerequest with these parameters, as they are written."""
    node.inject(params.encode()[:16].ljust(16), None)
    through = dispatcher(OffersService(node), developer=False)
    message = f'{{"jsonrpc":"2.0","id":1,"method":"invoicerequest","params":{params}}}'
    found = answer(through, message.encode())
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


@pytest.mark.parametrize("text", ["hello\n", "12 ", '{"a":1,}', '{"a":"line\nfeed"}', "{'a':1}", '{"a":01}'])
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
