"""Requests that one real node sent to another are answered as that node answered them.

Errors are compared whole. Of an invoice, all records are compared but those that follow from its preimage, and those of
its payment path. The transcripts are upstream material; without it these tests are skipped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lnoffers.bolt12 import Invoice, InvoiceError, InvoiceRequest, NodeKeys, Offer, UnsignedInvoiceRequest
from lnoffers.bolt12.keys import seed_from_hsm_secret
from lnoffers.bolt12.tlv import INVOICE_REQUEST_SPAN, OFFER_SPAN, Record, in_span
from lnoffers.service import Node, Options
from lnoffers.service.answering.issuer import Issuer
from lnoffers.service.entropy import Entropy
from lnoffers.service.status import StatusChange
from lnoffers.service.store import invoices, offers
from tests.service.program import write_secret
from tests.service.requesting import know, pay
from tests.service.test_transcripts import Exchange, exchanges
from tests.shared import shared_path

UNKNOWN = "offer unknown to issuer (fabricated)"
DISABLED = "disabled"
NEW_EACH_TIME = {Invoice.invoice_payment_hash.number, Invoice.signature.number}
OF_PATHS = {Invoice.invoice_paths.number, Invoice.invoice_blindedpay.number}


def secret(name: str) -> bytes:
    """Return the content of the hsm_secret of one of the nodes."""
    return bytes.fromhex(json.loads(shared_path("golden/nodes.json").read_bytes())[name]["hsm_secret_hex"])


class Replay:
    """The issuer, and the payer's key, with which requests that are known from their invoice are signed again."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.issuer = Issuer(node)
        self.payer = NodeKeys.from_seed(seed_from_hsm_secret(secret("l2")))
        self.made: dict[str, Invoice] = {}
        """Our invoice for each of the transcript's."""
        self.last: dict[str, InvoiceRequest] = {}
        """The last request of each call, by its parameters."""
        self.compared = 0

    def run(self, exchange: Exchange) -> None:
        """Replay a call of the payer."""
        call, response = json.loads(exchange.request), json.loads(exchange.response)
        match call["method"]:
            case "fetchinvoice" if "result" in response:
                self.invoice(exchange, call["params"], Invoice.parse(response["result"]["invoice"]))
            case "fetchinvoice" if response["error"]["code"] == 1004:
                self.error(exchange, call["params"], response["error"]["data"]["error"])
            case "cancelrecurringinvoice":
                assert self.answer(exchange, InvoiceRequest.parse(response["result"]["bolt12"])) is None
            case "xpay":
                pay(self.node, self.made[call["params"]["invstring"]])
            case "listinvoices" if "offer_id" in call["params"]:
                self.list(bytes.fromhex(call["params"]["offer_id"]), response["result"]["invoices"])

    def invoice(self, exchange: Exchange, params: dict[str, Any], theirs: Invoice) -> None:
        request = self.request(theirs)
        self.last[params["offer"]] = request
        self.node.inject(None, theirs.invoice_created_at)
        ours = self.answer(exchange, request)
        assert isinstance(ours, Invoice), exchange.case
        assert records(ours) == records(theirs), exchange.case
        self.made[theirs.encode()] = ours
        self.compared += 1

    def error(self, exchange: Exchange, params: dict[str, Any], text: str) -> None:
        quoted = text.partition("lnr1")[2].partition(":")[0]
        request = InvoiceRequest.parse(f"lnr1{quoted}") if quoted else self.last[params["offer"]]
        self.node.inject(None, exchange.time)
        found = self.answer(exchange, request)
        assert isinstance(found, InvoiceError), exchange.case
        assert found.error == text, exchange.case
        self.compared += 1

    def answer(self, exchange: Exchange, request: InvoiceRequest) -> Invoice | InvoiceError | None:
        offer = Offer._build(record for record in request.records if in_span(record.type, OFFER_SPAN))
        if exchange.case != UNKNOWN:
            know(self.node, offer)
        if exchange.case == DISABLED:
            with self.node.store.transaction() as connection:
                offers.apply(connection, offer.offer_id, StatusChange.DISABLED)
        path_id = None
        if offer.offer_paths is not None:
            others = [record for record in offer.records if record.type != Offer.offer_paths.number]
            path_id = self.node.keys.path_id(Offer._build(others).offer_id)
        return self.issuer.answer(request, path_id)

    def request(self, invoice: Invoice) -> InvoiceRequest:
        """Return the request that an invoice answers."""
        repeated = (record for record in invoice.records if in_span(record.type, INVOICE_REQUEST_SPAN))
        assert invoice.invreq_metadata is not None
        return UnsignedInvoiceRequest._build(repeated).sign(self.payer.payer_signer(invoice.invreq_metadata))

    def list(self, offer_id: bytes, theirs: list[dict[str, Any]]) -> None:
        with self.node.store.transaction(writes=False) as connection:
            ours = invoices.find(connection, invoices.Part(offer_id=offer_id))
        assert [(row.label, row.status) for row in ours] == [(each["label"], each["status"]) for each in theirs]


def records(invoice: Invoice) -> list[Record]:
    return [record for record in invoice.records if record.type not in NEW_EACH_TIME | OF_PATHS]


@pytest.fixture
def replay(tmp_path: Path) -> Iterator[Replay]:
    write_secret(tmp_path / "regtest" / "hsm_secret", secret("l1"))
    with Node.open(Options(lightning_dir=tmp_path, network="regtest", dev_time=0)) as node:
        node.entropy = Entropy()
        yield Replay(node)


@pytest.mark.parametrize(("name", "compared"), [("fetchinvoice", 24), ("recurrence", 9)])
def test_a_real_node_s_requests_are_answered_as_another_one_answered_them(
    replay: Replay, name: str, compared: int
) -> None:
    for exchange in exchanges(name):
        replay.run(exchange)
    assert replay.compared == compared
