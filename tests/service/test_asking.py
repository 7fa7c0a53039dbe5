"""The request's `filter`, which limits the result to some fields, and the command `check`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clnrpc import Client, MissingFieldError
from clnrpc.commands import COMMANDS
from lnoffers.service import Node, OffersService
from lnoffers.service.dispatching import dispatcher
from tests.service.program import Program, Wire

NO_SUCH = "00" * 32
METADATA = "11" * 16


def ask(node: Node, method: str, params: Any, **more: Any) -> Any:
    """Return the answer in this process."""
    request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params, **more}
    return json.loads(dispatcher(OffersService(node), developer=False).answer(json.dumps(request).encode()).data)


def check(node: Node, name: str, **params: Any) -> Any:
    return ask(node, "check", {"command_to_check": name, **params})


def make(node: Node) -> Any:
    node.inject(bytes.fromhex(METADATA), None)
    return ask(node, "invoicerequest", [1000, "x"])["result"]


def test_answers_over_the_socket_have_what_the_filter_names(program: Program) -> None:
    with program.served(), Client(program.socket) as client:
        made = client.invoicerequest(amount=1000, description="x", label="mine")
        listed = client.rpc_filtered({"invoicerequests": [{"label": True}]}).listinvoicerequests()
        assert [request.label for request in listed.invoicerequests] == ["mine"]
        with pytest.raises(MissingFieldError, match=r"did not send invoicerequests\[0\].bolt12"):
            listed.invoicerequests[0].bolt12.upper()
        assert client.rpc_filtered({"type": True}).decode(string=made.bolt12).type == "bolt12 invoice_request"
        assert client.rpc_filtered({"id": True}).rpc_call("getinfo") == {"id": client.getinfo().id}
        wrong = client.rpc_filtered({"invoicerequests": {"label": True}}).rpc_call("listinvoicerequests")
        assert wrong == {"invoicerequests": [], "warning_parameter_filter": ".invoicerequests is an array"}


def test_invoicerequest_reads_its_filter_and_answers_in_full_as_lightningd_does(node: Node) -> None:
    node.inject(bytes.fromhex(METADATA), None)
    assert len(ask(node, "invoicerequest", [1000, "x"], filter={"bolt12": True})["result"]) == 5
    message = "filter: Arrays can only have one element: invalid token (see logs for details)"
    assert ask(node, "invoicerequest", [1000, "x"], filter={"a": []})["error"] == {"code": -32602, "message": message}


@pytest.mark.parametrize("served", [True, False])
def test_the_command_line_takes_a_filter(program: Program, served: bool) -> None:
    def ask() -> None:
        outcome = program.call("--filter", '{"network":true}', "getinfo")
        assert (outcome.code, outcome.json) == (0, {"network": "regtest"})
        assert program.call("getinfo", "-l", '{"network":true}').json == {"network": "regtest"}
        refused = program.call("--filter", "[]", "getinfo")
        assert (refused.code, refused.json["code"]) == (1, -32602)
        assert "'network' is taken for JSON" in program.call("--filter", "network", "getinfo").err

    if served:
        with program.served():
            ask()
    else:
        ask()


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_check_never_fails_otherwise_than_by_an_answer(node: Node, name: str) -> None:
    found = ask(node, "check", [name])
    assert "result" in found or found["error"]["code"] in (-32601, -32602)


def test_check_draws_and_stores_nothing(node: Node) -> None:
    node.inject(b"", None)
    assert check(node, "invoicerequest", amount=1, description="x")["result"] == {"command_to_check": "invoicerequest"}
    assert ask(node, "listinvoicerequests", [])["result"] == {"invoicerequests": []}
    made = make(node)
    assert check(node, "disableinvoicerequest", invreq_id=made["invreq_id"])["result"]
    assert ask(node, "listinvoicerequests", [])["result"]["invoicerequests"][0]["active"]
    assert check(node, "stop")["result"] == {"command_to_check": "stop"}


@pytest.mark.parametrize(
    ("command", "params", "code", "message"),
    [
        ("invoicerequest", {"amount": 0, "description": "x"}, -32602, "amount: must be positive"),
        ("invoicerequest", {"amount": 1}, -32602, "missing required parameter: description"),
        ("disableinvoicerequest", {"invreq_id": NO_SUCH}, -1, "Unknown invoice_request"),
        ("decode", {"string": "x"}, -32602, "string: Unparsable string: invalid token '\"x\"'"),
        ("help", {"command": "nosuch"}, -32601, "Unknown command nosuch"),
        ("help", {"command": "help", "level": 1}, -32602, "unknown parameter: level"),
        ("offerr", {}, -32601, "Unknown command 'offerr'"),
    ],
)
def test_check_answers_what_the_call_would(
    node: Node, command: str, params: dict[str, Any], code: int, message: str
) -> None:
    error = check(node, command, **params)["error"]
    assert (error["code"], error["message"].partition(", which")[0]) == (code, message)


def test_check_looks_at_the_state_of_what_is_stored(node: Node) -> None:
    made = make(node)
    assert ask(node, "disableinvoicerequest", [made["invreq_id"]])["result"]
    error = {"code": 1001, "message": "invoice_request is not active"}
    assert check(node, "disableinvoicerequest", invreq_id=made["invreq_id"])["error"] == error


def test_a_bad_token_is_shown_only_by_check(program: Program) -> None:
    with program.served(), Wire(program.socket) as wire:
        assert "hush" in wire.ask("check", ["listinvoicerequests", "hush"])["error"]["message"]
        assert "hush" not in wire.ask("listinvoicerequests", ["hush"])["error"]["message"]


def test_check_sees_how_the_parameters_of_an_offer_go_together(node: Node) -> None:
    error = check(node, "offer", amount=1)["error"]
    assert error["code"] == -32602
    assert error["message"].startswith(
        "description: description is required for the user to know what it was they paid"
    )
    assert check(node, "offer", amount="1EUR", description="x")["result"], "the rate is asked for by the call itself"
    assert ask(node, "listoffers", {})["result"] == {"offers": []}


def test_check_looks_at_the_state_of_an_offer(node: Node) -> None:
    made = {"offer_id": ask(node, "offer", {"amount": "any", "single_use": True})["result"]["offer_id"]}
    unknown = {"offer_id": "00" * 32}
    assert check(node, "disableoffer", **unknown)["error"] == {"code": -1, "message": "Unknown offer"}
    assert check(node, "enableoffer", **unknown)["error"] == {"code": -1, "message": "Unknown offer"}
    assert check(node, "disableoffer", **made)["result"]
    assert check(node, "enableoffer", **made)["error"] == {"code": 1006, "message": "offer already active"}
    assert ask(node, "disableoffer", made)["result"]["active"] is False
    assert check(node, "disableoffer", **made)["error"] == {"code": 1001, "message": "offer is not active"}
    assert check(node, "enableoffer", **made)["result"]
