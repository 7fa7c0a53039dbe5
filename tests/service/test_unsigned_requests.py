"""The parameter `unsigned` of invoicerequest: ours alone, by name only, and false unless it is given."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pytest

import lnoffers
from clnrpc import AsyncClient, Client
from lnoffers.bolt12 import InvoiceRequest
from tests.service.program import SEED_METADATA, Program, Wire, run
from tests.shared import ROOT

EXAMPLE = json.loads((ROOT / "schemas" / "invoicerequest.json").read_text())["examples"][0]
PARAMS = EXAMPLE["request"]["params"]
SIGNED = EXAMPLE["response"]


def make(program: Program, params: Any) -> Any:
    """Return the answer to invoicerequest of a server that draws the example's metadata."""
    with program.served("--dev-entropy", SEED_METADATA[0]), Wire(program.socket) as wire:
        return wire.ask("invoicerequest", params)


def test_an_unsigned_request_is_the_signed_one_without_its_signature(seed_program: Program) -> None:
    made = make(seed_program, PARAMS | {"unsigned": True})["result"]
    read = lnoffers.decode(made["bolt12"])
    assert isinstance(read, InvoiceRequest)
    assert not read.signed
    signed = InvoiceRequest.parse(SIGNED["bolt12"])
    assert [*read.records] == [record for record in signed.records if record.type != 240]
    assert {**made, "bolt12": SIGNED["bolt12"]} == SIGNED


def test_it_is_stored_and_listed_as_it_was_made(seed_program: Program) -> None:
    made = make(seed_program, PARAMS | {"unsigned": True, "label": "refund"})["result"]
    [listed] = seed_program.call("listinvoicerequests").json["invoicerequests"]
    assert (listed["bolt12"], listed["label"]) == (made["bolt12"], "refund")
    assert run("check-store", *seed_program.flags).code == 0


@pytest.mark.parametrize("given", [{}, {"unsigned": False}])
def test_without_it_the_request_is_signed_to_the_byte(seed_program: Program, given: dict[str, bool]) -> None:
    assert make(seed_program, PARAMS | given)["result"] == SIGNED


def test_the_command_line_takes_it_by_name(seed_program: Program) -> None:
    arguments = ["-k", *(f"{name}={value}" for name, value in PARAMS.items()), "unsigned=true"]
    outcome = seed_program.call("--dev-entropy", SEED_METADATA[0], "invoicerequest", *arguments)
    assert (outcome.code, outcome.err) == (0, "")
    assert not getattr(lnoffers.decode(outcome.json["bolt12"]), "signed", None)


def test_by_position_there_is_no_such_parameter(seed_program: Program) -> None:
    error = make(seed_program, [1000, "x", None, None, None, True, True])["error"]
    assert (error["code"], error["message"]) == (-32602, "too many parameters: got 7, expected 6")


def test_something_that_is_no_boolean_is_refused(seed_program: Program) -> None:
    error = make(seed_program, PARAMS | {"unsigned": "perhaps"})["error"]
    assert error["code"] == -32602
    assert error["message"].startswith("unsigned: should be 'true' or 'false'")


@pytest.mark.parametrize("client", [Client, AsyncClient])
def test_the_client_for_real_nodes_does_not_offer_it(client: type[Client] | type[AsyncClient]) -> None:
    names = inspect.signature(client.invoicerequest).parameters
    assert "single_use" in names
    assert "unsigned" not in names


def test_the_manual_page_says_that_it_is_ours() -> None:
    page = (ROOT / "generated" / "man" / "lightning-invoicerequest.7").read_text()
    assert "[\\fIunsigned=...\\fR]" in page
    assert "An extension: Core Lightning does not have it." in page
