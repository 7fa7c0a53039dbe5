"""The offer family over a server's socket: what clients see, and what several processes agree on."""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from clnrpc import Client, RpcError
from lnoffers.bolt12 import Offer
from lnoffers.service import Node, Options
from lnoffers.service.status import StatusChange
from lnoffers.service.store import offers
from tests.service.program import COMMAND, SECONDS, Program, Wire
from tests.shared import ROOT

FORMS = {
    "hash": lambda value: re.fullmatch("[0-9a-f]{64}", value) is not None,
    "boolean": lambda value: isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
}


def assert_as_documented(declared: dict[str, Any], shown: dict[str, Any]) -> None:
    """Assert that an object of an answer has the fields of its document, in its order."""
    properties = declared["properties"]
    assert set(declared["required"]) <= shown.keys()
    assert [name for name in properties if name in shown] == list(shown)
    for name, value in shown.items():
        assert FORMS[properties[name]["type"]](value), name
        assert value in properties[name].get("enum", [value]), name


def codes(name: str) -> set[int]:
    lines = json.loads((ROOT / "schemas" / f"{name}.json").read_bytes())["errors"]
    return {int(code) for line in lines for code in re.findall(r"^- (-?\d+):", line)}


def response(name: str) -> dict[str, Any]:
    declared: dict[str, Any] = json.loads((ROOT / "schemas" / f"{name}.json").read_bytes())["response"]
    return declared


def result(wire: Wire, method: str, params: Any) -> dict[str, Any]:
    answer = wire.ask(method, params)
    found: dict[str, Any] = answer["result"]
    return found


def code(wire: Wire, method: str, params: Any) -> int:
    found: int = wire.ask(method, params)["error"]["code"]
    return found


def pay(program: Program, offer_id: str) -> None:
    """Do what a payment does, in another process than the server."""
    with (
        Node.open(Options(lightning_dir=program.directory, network="regtest")) as node,
        node.store.transaction() as connection,
    ):
        assert offers.apply(connection, bytes.fromhex(offer_id), StatusChange.PAID)


@pytest.fixture
def rates(tmp_path: Path) -> Path:
    file = tmp_path / "rates.json"
    file.write_text('{"EUR": 83000}')
    return file


def test_answers_have_the_fields_that_their_documents_declare(program: Program, rates: Path) -> None:
    with program.served("--currency-rates", str(rates)), Wire(program.socket) as wire:
        made = result(wire, "offer", ["1EUR", "coffee", None, "menu"])
        known = {"offer_id": made["offer_id"]}
        assert_as_documented(response("offer"), made)
        assert_as_documented(response("offer"), result(wire, "offer", {"amount": "any"}))
        for method in ("disableoffer", "enableoffer"):
            assert_as_documented(response(method), result(wire, method, known))
        pay(program, made["offer_id"])
        items = response("listoffers")["properties"]["offers"]["items"]
        for each in result(wire, "listoffers", {})["offers"]:
            assert_as_documented(items, each)
        [shown] = result(wire, "listoffers", known)["offers"]
        assert (shown["label"], shown["description"], shown["used"]) == ("menu", "coffee", True)


def test_every_documented_error_can_be_had(program: Program, rates: Path) -> None:
    with program.served("--dev-time", "0"), Wire(program.socket) as wire:
        found = {code(wire, "offer", ["1EUR", "coffee"]), code(wire, "offer", [])}
        once = {"offer_id": result(wire, "offer", {"amount": "any", "single_use": True})["offer_id"]}
        unknown = {"offer_id": "00" * 32}
        disabling = {code(wire, "disableoffer", unknown), code(wire, "disableoffer", {})}
        enabling = {code(wire, "enableoffer", unknown), code(wire, "enableoffer", {}), code(wire, "enableoffer", once)}
        assert code(wire, "listoffers", ["x"]) in codes("listoffers") == {-32602}
        result(wire, "disableoffer", once)
        found.add(code(wire, "offer", {"amount": "any"}))
        disabling.add(code(wire, "disableoffer", once))
        result(wire, "enableoffer", once)
        pay(program, once["offer_id"])
        enabling.add(code(wire, "enableoffer", once))
        wire.ask("dev-inject", {"entropy": "00"})
        front = result(wire, "getinfo", {})["id"]
        found.add(code(wire, "offer", {"amount": "any", "fronting_nodes": [front]}))
    with program.served("--currency-rates", str(rates)), Wire(program.socket) as wire:
        found.add(code(wire, "offer", ["1USD", "coffee"]))
    assert (found, disabling, enabling) == (codes("offer"), codes("disableoffer"), codes("enableoffer"))


def test_the_generated_client_makes_and_manages_offers(program: Program) -> None:
    with program.served(), Client(program.socket) as client:
        made = client.offer(amount="10000sat", description="ATM", recurrence="1month", recurrence_paywindow="-10+20")
        offer = Offer.parse(made.bolt12)
        assert (offer.offer_amount, made.created) == (10_000_000, True)
        client.disableoffer(offer_id=made.offer_id)
        assert client.listoffers(active_only=True).offers == []
        with pytest.raises(RpcError) as caught:
            client.offer(amount=10_000_000, description="ATM", recurrence="1month", recurrence_paywindow="-10+20")
        assert caught.value.code == 1000
        assert client.enableoffer(offer_id=made.offer_id).active


def test_of_processes_that_make_the_same_offer_at_once_one_made_it(program: Program) -> None:
    program.call("listoffers")
    command = [*COMMAND, "call", *program.flags, "offer", "any", "the same", "null"]
    running = [subprocess.Popen([*command, f"label {n}"], stdout=subprocess.PIPE) for n in range(4)]
    made = [json.loads(process.communicate(timeout=SECONDS)[0]) for process in running]
    assert Counter(each["created"] for each in made) == {True: 1, False: 3}
    assert len({(each["offer_id"], each.get("label")) for each in made}) == 1
