"""Two servers with the secrets of two real nodes go through what those did with recurring offers.

l1 issues, l2 pays, each at the time of the transcript. Payments are noted in l1's store. Of results everything is
compared but what follows from the preimage of an invoice; of errors the code and the issuer's words. The transcript is
upstream material; without it this test is skipped.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest

from lnoffers.bolt12 import Invoice, Offer
from lnoffers.service import Node, Options
from lnoffers.service.status import Status
from lnoffers.service.store import offers
from lnoffers.service.store.offers import StoredOffer
from tests.service.program import Program, Wire, until
from tests.service.requesting import pay_in
from tests.service.test_transcripts import Exchange, exchanges, served_as

REFUSED_HERE: Final = {"limit fetch 3": "recurrence_counter: period_index 3 too great"}  # row 33
BY_PREIMAGE: Final = ("invoice_payment_hash", "signature", "invoice_paths", "invoice_blindedpay")


class Servers:
    """Both servers, and the invoices that were fetched, by those of the transcript."""

    def __init__(self, issuer: Program, payer: Program, controls: dict[str, Wire]) -> None:
        self._issuer = issuer
        self._payer = payer
        self._controls = controls
        self._made: dict[str, Invoice] = {}

    def replay(self, exchange: Exchange) -> None:
        """Do what was done then."""
        call, told = json.loads(exchange.request), json.loads(exchange.response)
        for control in self._controls.values():
            control.ask("dev-inject", {"entropy": os.urandom(96).hex(), "time": exchange.time})
        match call["method"]:
            case "offer":
                self._store(told["result"])
            case "xpay":
                pay_in(self._issuer, self._made[call["params"]["invstring"]])
            case "fetchinvoice" | "cancelrecurringinvoice":
                self._compare(exchange, told, self._controls["l2"].ask(call["method"], call["params"]))
            case "listinvoices":
                self._compare_list(told["result"]["invoices"], call["params"])

    def _store(self, shown: dict[str, Any]) -> None:
        row = StoredOffer(
            bytes.fromhex(shown["offer_id"]),
            shown["bolt12"],
            None,
            Status.ACTIVE,
            shown["force_paths"],
            Offer.parse(shown["bolt12"]).offer_description,
        )
        options = Options(lightning_dir=self._issuer.directory, network="regtest")
        with Node.open(options) as node, node.store.transaction() as connection:
            offers.add(connection, row)

    def _compare(self, exchange: Exchange, told: dict[str, Any], found: dict[str, Any]) -> None:
        if exchange.case in REFUSED_HERE:
            assert found["error"] == {"code": -32602, "message": REFUSED_HERE[exchange.case]}
        elif "error" in told:
            assert found["error"]["code"] == told["error"]["code"], exchange.case
            assert found["error"]["message"].startswith(told["error"]["message"])
            assert found["error"].get("data", {}).get("error") == told["error"].get("data", {}).get("error")
        elif "invoice" in told["result"]:
            theirs, ours = (each["result"].pop("invoice") for each in (told, found))
            assert found["result"] == told["result"], exchange.case
            self._made[theirs] = Invoice.parse(ours)
            assert without_preimage(ours) == without_preimage(theirs), exchange.case
        else:
            assert found["result"] == told["result"], exchange.case

    def _compare_list(self, told: list[dict[str, Any]], params: dict[str, Any]) -> None:
        def shown() -> list[dict[str, Any]]:
            listed: list[dict[str, Any]] = self._controls["l1"].ask("listinvoices", params)["result"]["invoices"]
            return listed

        until(lambda: len(shown()) == len(told))
        for theirs, ours in zip(told, shown(), strict=True):
            for name in ("label", "status", "amount_msat", "description", "expires_at", "local_offer_id"):
                assert ours.get(name) == theirs.get(name)


def without_preimage(text: str) -> dict[int, bytes]:
    """Return the records of an invoice that its preimage does not change."""
    numbers = {getattr(Invoice, name).number for name in BY_PREIMAGE}
    return {record.type: record.value for record in Invoice.parse(text).records if record.type not in numbers}


@pytest.fixture
def programs() -> Iterator[tuple[Program, Program]]:
    """Yield two programs, on directories of their own."""
    with tempfile.TemporaryDirectory(prefix="lno") as one, tempfile.TemporaryDirectory(prefix="lno") as two:
        yield Program(Path(one)), Program(Path(two))


def test_recurring_payments_go_as_between_two_real_nodes(programs: tuple[Program, Program]) -> None:
    recorded = exchanges("recurrence")
    issuer, payer = programs
    injected = ("--dev-entropy", "", "--dev-time", str(recorded[0].time))
    with ExitStack() as stack:
        stack.enter_context(served_as(issuer, "l1", *injected, "--addr", "127.0.0.1:0"))
        stack.enter_context(served_as(payer, "l2", *injected))
        controls = {
            name: stack.enter_context(Wire(program.socket)) for name, program in (("l1", issuer), ("l2", payer))
        }
        info = controls["l1"].ask("getinfo")["result"]
        [port] = [binding["port"] for binding in info["binding"] if "port" in binding]
        assert "result" in controls["l2"].ask("connect", [f"{info['id']}@127.0.0.1:{port}"])
        servers = Servers(issuer, payer, controls)
        for exchange in recorded:
            servers.replay(exchange)
