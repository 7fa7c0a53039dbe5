"""Answers equal those of a real node to the same requests, except for the listed differences.

The transcripts are upstream material; without it these tests are skipped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from lnoffers.bolt12 import InvoiceRequest
from lnoffers.service import Node, Options
from lnoffers.service.status import Status
from lnoffers.service.store import invoicerequests
from lnoffers.service.store.invoicerequests import StoredRequest
from tests.service.program import Program, Wire
from tests.shared import shared_path

# What the closed list makes of cases that a node answers otherwise, by its rows.
OURS = {
    "amount:0msat": '{"code":-32602,"message":"amount: must be positive"}',  # row 2
    "no description": '{"code":-32602,"message":"missing required parameter: description"}',  # row 1
}


@dataclass(frozen=True)
class Exchange:
    """One request and the node's answer."""

    case: str
    request: bytes
    response: str
    time: int

    @property
    def shown(self) -> list[dict[str, Any]]:
        """The stored requests that the answer shows."""
        result = json.loads(self.response or "{}").get("result", {})
        listed: list[dict[str, Any]] = result.get("invoicerequests", [result] if "invreq_id" in result else [])
        return listed


# Row 7: the advice is ours.
ADVICE = re.compile(r'(?<="message":"unknown parameter: )([\w\\]+), [^"]*')
NOT_UTF8 = re.compile("bad utf8|overlong")
OUR_ADVICE = r"\1, which this command does not have; if key=value pairs were meant, use -k"


def exchanges(name: str) -> list[Exchange]:
    found = []
    for line in shared_path(f"golden/{name}.jsonl").read_text().splitlines():
        told = json.loads(line)
        encoding = "latin-1" if NOT_UTF8.search(told["case"]) else "utf-8"
        response = ADVICE.sub(OUR_ADVICE, told["response_raw"])
        found.append(Exchange(told["case"], told["request_raw"].encode(encoding), response, told["unix_time"]))
    return found


@contextmanager
def served_as(program: Program, name: str, *flags: str) -> Iterator[None]:
    secret = json.loads(shared_path("golden/nodes.json").read_text())[name]["hsm_secret_hex"]
    program.give_secret(bytes.fromhex(secret))
    with program.served(*flags):
        yield


def store(node: Node, shown: dict[str, Any]) -> None:
    """Store what an answer shows."""
    flags = {Status.ACTIVE: "active", Status.SINGLE_USE: "single_use", Status.USED: "used"}
    status = Status(sum(flag for flag, name in flags.items() if shown[name]))
    row = StoredRequest(bytes.fromhex(shown["invreq_id"]), shown["bolt12"], shown.get("label"), status)
    with node.store.transaction() as connection:
        invoicerequests.add(connection, row)


def test_invoicerequest_and_its_siblings(program: Program) -> None:
    recorded = exchanges("invoicerequest")
    seen: set[str] = set()
    with (
        served_as(program, "l2", "--dev-entropy", "", "--dev-time", "0"),
        Node.open(Options(lightning_dir=program.directory, network="regtest")) as node,
        Wire(program.socket) as control,
    ):
        for exchange in recorded:
            creates = b'"method":"invoicerequest"' in exchange.request
            for shown in exchange.shown:
                if creates:
                    metadata = InvoiceRequest.parse(shown["bolt12"]).invreq_metadata or b""
                    control.ask("dev-inject", {"entropy": metadata.hex(), "time": exchange.time})
                elif shown["invreq_id"] not in seen:  # no recorded line makes it, or our closed list refuses to
                    store(node, shown | {"active": True} if b"disable" in exchange.request else shown)
                if exchange.case not in OURS:
                    seen.add(shown["invreq_id"])
            with Wire(program.socket) as wire:
                wire.send(exchange.request)
                answer = wire.answer().decode()
            assert_as_recorded(exchange, answer)


def assert_as_recorded(exchange: Exchange, answer: str) -> None:
    if NOT_UTF8.search(exchange.case):
        assert json.loads(answer)["error"]["code"] == json.loads(exchange.response)["error"]["code"], exchange.case
    elif exchange.case in OURS:
        identity = json.loads(exchange.request)["id"]
        assert answer == f'{{"jsonrpc":"2.0","id":{json.dumps(identity)},"error":{OURS[exchange.case]}}}\n\n'
    else:
        assert answer == exchange.response, exchange.case


@pytest.mark.parametrize("name", ["decode", "decode-invoice", "recurrence", "offers-with-channel"])
def test_decode(program: Program, name: str) -> None:
    recorded = [exchange for exchange in exchanges(name) if b'"method":"decode"' in exchange.request]
    assert recorded
    with served_as(program, "l1"), Wire(program.socket) as wire:
        for exchange in recorded:
            wire.send(exchange.request)
            assert wire.answer().decode() == exchange.response, exchange.case
