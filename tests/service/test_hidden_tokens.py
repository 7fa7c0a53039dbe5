"""Where an answer hides a bad token, the log gives its place (method, parameter, position) but never its value."""

from __future__ import annotations

import json
import logging

import pytest

from lnoffers.service import Node, OffersService
from lnoffers.service.dispatching import dispatcher
from tests.bolt12 import samples
from tests.service.program import SECONDS, Program, Wire

ADVICE = "to have errors show such tokens, start with --developer"
NODE_ID = samples.offer().offer_issuer_id
assert NODE_ID
PLACES = {
    "listinvoicerequests": (["TOKEN"], "invreq_id (string, 7 bytes)"),
    "decode": (["TOKEN"], "string (string, 7 bytes)"),
    "invoicerequest": ([12.5, "x"], "amount (number, 4 bytes)"),
    "offer": ({"amount": 1, "label": "TOKEN"}, "description (all parameters together)"),
}


def test_the_log_of_a_server_says_where_a_hidden_token_is(program: Program) -> None:
    with program.served() as server, Wire(program.socket) as wire:
        for method, (params, _) in PLACES.items():
            assert "see logs" in wire.ask(method, params)["error"]["message"]
        wire.ask("invoicerequest", [1, "x", None, ": invalid token (see logs for details)"])
        server.terminate()
        _, errors = server.communicate(timeout=SECONDS)
    for method, (_, place) in PLACES.items():
        assert f"INFO Refused {method}: invalid token at {place}; {ADVICE}\n" in errors
    assert "TOKEN" not in errors
    assert errors.count("Refused") == len(PLACES)


def test_a_call_in_process_says_it_on_standard_error(program: Program) -> None:
    outcome = program.call("decode", "TOKEN")
    assert outcome.json["message"] == "string: Unparsable string: invalid token (see logs for details)"
    assert outcome.err.endswith(f"lnoffers: Refused decode: invalid token at string (string, 7 bytes); {ADVICE}\n")
    assert "TOKEN" not in outcome.err
    assert "TOKEN" in program.call("--developer", "decode", "TOKEN").out


@pytest.mark.parametrize(
    ("name", "escaped"),
    [
        ("\x9b31m", "\\x9b31m"),
        ("a\u2028INFO b", "a\\u2028INFO b"),
        ("\u202eb", "\\u202eb"),
        ("\U000e0041", "\\U000e0041"),
        ("é", "é"),
    ],
)
def test_names_that_a_client_chose_are_logged_without_control_characters(
    node: Node, caplog: pytest.LogCaptureFixture, name: str, escaped: str
) -> None:
    message = {"jsonrpc": "2.0", "id": 1, "method": "getinfo", "params": [], "filter": {name: "TOKEN"}}
    with caplog.at_level(logging.INFO):
        dispatcher(OffersService(node), developer=False).answer(json.dumps(message, ensure_ascii=False).encode())
    [told] = caplog.messages
    assert told.startswith(f"Refused getinfo: invalid token at filter.{escaped} (string, ")


@pytest.mark.parametrize(
    ("method", "params", "place"),
    [
        ("offer", {"amount": "any", "fronting_nodes": [NODE_ID.hex(), "TOKEN"]}, "fronting_nodes[1]"),
        ("offer", {"amount": "any", "dev_paths": [[NODE_ID.hex()], [NODE_ID.hex(), "TOKEN"]]}, "dev_paths[1][1]"),
        ("offer", {"amount": "any", "dev_paths": [["TOKEN"]]}, "dev_paths[0][0]"),
        ("offer", {"amount": "5TOKEN", "description": "x"}, "amount"),
        ("decode", ["lno1pgq+"], "string[7]"),
        ("createinvoice", ["x", "y", "TOKEN"], "preimage"),
    ],
)
def test_the_place_leads_inside_of_a_parameter_and_the_value_stays_out(
    node: Node, caplog: pytest.LogCaptureFixture, method: str, params: object, place: str
) -> None:
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    with caplog.at_level(logging.INFO):
        dispatcher(OffersService(node), developer=False).answer(json.dumps(message).encode())
    [told] = caplog.messages
    assert told.startswith(f"Refused {method}: invalid token at {place} (string, ")
    assert "TOKEN" not in told
    assert "KEN" not in told
