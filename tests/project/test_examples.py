"""The examples in the project's own documents are what the service answers, to the byte."""

from __future__ import annotations

import asyncio
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from clnrpc.runtime.server.dispatch import Answer
from lnoffers.bolt12 import CHAINS, BlindedPayinfo, Invoice, InvoiceRequest, KeyPair, KeySigner
from lnoffers.net.blinding import message_path
from lnoffers.net.offer_messages import reply
from lnoffers.net.onion_messages import ReceivedMessage
from lnoffers.service.commands import OffersService, Served
from lnoffers.service.dispatching import dispatcher
from lnoffers.service.node import Node
from lnoffers.service.options import Options
from lnoffers.service.payment_states import PaymentState
from lnoffers.service.payments.backend import Paid
from lnoffers.service.payments.payer import Payer
from lnoffers.service.peers import Link, Peers, listening
from lnoffers.service.serving.wire import Wire
from lnoffers.service.store import invoices
from tests.payments.scripted import Scripted, ready
from tests.service.paying import invoice_for, own_request, preimage, store_payment
from tests.service.program import write_secret
from tests.shared import ROOT

ENTROPY = bytes.fromhex(
    "40f3b447861516367be1ad748c9b15ac"  # what two invoice_requests are made with
    "6a2e97c3a83e1528b5d0695577902bc4"
    "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"  # and the path of an offer
)
IN_ORDER = (
    *("invoicerequest", "listinvoicerequests", "disableinvoicerequest"),
    *("offer", "listoffers", "disableoffer", "enableoffer"),
    *("decode", "help", "check", "notifications", "stop"),
)

INVOICES_IN_ORDER = ("createinvoice", "listinvoices", "waitinvoice", "waitanyinvoice", "delinvoice")
PEERS_IN_ORDER = ("connect", "listpeers", "ping", "disconnect")
REQUESTS_IN_ORDER = ("fetchinvoice", "cancelrecurringinvoice", "sendinvoice")
PAYMENTS_IN_ORDER = ("createproof", "listpays", "paybyhand")
RUNES_IN_ORDER = ("createrune", "checkrune", "showrunes", "blacklistrune")
INVOICE_PATH_KEY = bytes(range(1, 33))
INVOICE_TIME = 1_800_000_000
PAYER_METADATA = bytes(range(16))
SENT = bytes([8]) * 32 + bytes(range(101, 133))
"""The preimage and the path key of the invoice of sendinvoice."""


def examples(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((ROOT / "schemas" / f"{name}.json").read_bytes())["examples"]
    return found


def service(folder: Path, secret: bytes) -> tuple[OffersService, Node]:
    write_secret(folder / "regtest" / "hsm_secret", secret.ljust(32, b"\0"))
    node = Node.open(Options(lightning_dir=folder, network="regtest", dev_entropy=ENTROPY))
    wire = Wire(node)
    return OffersService(node, Served(folder / "regtest" / "lightning-rpc", lambda: None, wire.peers, wire.payer)), node


class Issuer:
    """The other node, which answers each request for an invoice, and pays each invoice."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.key = KeyPair(bytes([7]) * 32)
        self.peers = Peers(self.key, CHAINS["regtest"], self.answer)

    def answer(self, _: Link | None, message: ReceivedMessage) -> None:
        """Answer a request along its reply path, which begins here; note an invoice as paid in the payee's store."""
        if message.payload.invoice is not None:
            paid = Invoice.from_bytes(message.payload.invoice)
            with self.node.store.transaction() as connection:
                invoices.pay(connection, paid.invoice_payment_hash or b"", paid.invoice_amount or 0, INVOICE_TIME + 2)
            self.node.changes.tell()
            return
        request = InvoiceRequest.from_bytes(message.payload.invoice_request or b"")
        if message.payload.reply_path is None:
            return
        invoice = Invoice.for_request(
            request,
            invoice_created_at=INVOICE_TIME,
            invoice_payment_hash=sha256(bytes(32)).digest(),
            invoice_paths=[message_path(INVOICE_PATH_KEY, [self.key.public_key], bytes(32))],
            invoice_blindedpay=[BlindedPayinfo(0, 0, 18, 0, 10**9, b"")],
            invoice_recurrence_basetime=INVOICE_TIME if request.offer_recurrence else None,
        ).sign(KeySigner(self.key))
        assert self.peers.inject(reply(bytes(31) + b"\1", message.payload.reply_path, invoice))


def answered(filled: OffersService, example: dict[str, Any]) -> str:
    request = {"jsonrpc": "2.0"} | example["request"]

    async def answer() -> Answer:
        found = dispatcher(filled, developer=False).answer(json.dumps(request).encode())
        return found if isinstance(found, Answer) else await found

    return json.dumps(json.loads(asyncio.run(answer()).data)["result"])


def test_examples_are_what_the_service_answers(tmp_path: Path) -> None:
    filled, node = service(tmp_path, b"lightning-2")
    with node:
        for name in IN_ORDER:
            for example in examples(name):
                assert answered(filled, example) == json.dumps(example["response"]), example["request"]["id"]
        (injection,) = examples("dev-inject")
        assert answered(filled, injection) == json.dumps(injection["response"])


def test_the_example_of_getinfo_is_what_the_service_answers_elsewhere(tmp_path: Path) -> None:
    filled, node = service(tmp_path, b"lightning-1")
    (example,) = examples("getinfo")
    shown = json.dumps(example["response"]).replace("/home/alice/.lnoffers", str(tmp_path))
    with node:
        assert answered(filled, example) == shown


def test_the_examples_of_invoices_are_what_the_service_answers(tmp_path: Path) -> None:
    filled, node = service(tmp_path, b"lightning-2")
    with node:
        node.inject(INVOICE_PATH_KEY, INVOICE_TIME)
        for name in INVOICES_IN_ORDER:
            if name == "waitinvoice":
                [created] = examples("createinvoice")
                payment_hash = bytes.fromhex(created["response"]["payment_hash"])
                with node.store.transaction() as connection:
                    invoices.pay(connection, payment_hash, created["response"]["amount_msat"], INVOICE_TIME + 60)
            for example in examples(name):
                assert answered(filled, example) == json.dumps(example["response"]), example["request"]["id"]


def test_the_examples_of_peers_and_of_requests_to_them_are_what_the_service_answers(tmp_path: Path) -> None:
    filled, node = service(tmp_path, b"lightning-2")
    dispatch = dispatcher(filled, developer=False).answer

    async def ask() -> None:
        issuer = Issuer(node)
        async with listening(issuer.peers, [("127.0.0.1", 0)]):
            [(_, port)] = issuer.peers.listening
            for name in (*PEERS_IN_ORDER[:-1], *REQUESTS_IN_ORDER, PEERS_IN_ORDER[-1]):
                for example in json.loads(json.dumps(examples(name)).replace("19846", str(port))):
                    found = dispatch(json.dumps({"jsonrpc": "2.0"} | example["request"]).encode())
                    response = found if isinstance(found, Answer) else await found
                    assert json.loads(response.data)["result"] == example["response"]
            await issuer.peers.close()

    with node:
        node.inject(PAYER_METADATA + SENT, INVOICE_TIME)
        asyncio.run(ask())


def test_the_examples_of_payments_are_what_the_service_answers(tmp_path: Path) -> None:
    """They are about the invoice of the first example of fetchinvoice, which is paid, and another one, which waits."""
    filled, node = service(tmp_path, b"lightning-2")
    with node:
        node.inject(None, INVOICE_TIME)
        store_payment(node, invoice_for(own_request(node)), preimage(1), PaymentState.CLAIMED)
        store_payment(node, Invoice.parse(examples("fetchinvoice")[0]["response"]["invoice"]), bytes(32))
        for name in PAYMENTS_IN_ORDER:
            for example in examples(name):
                assert answered(filled, example) == json.dumps(example["response"]), example["request"]["id"]


def test_the_example_of_xpay_is_what_the_service_answers(tmp_path: Path) -> None:
    """It is about the same invoice as that of createproof."""
    filled, node = service(tmp_path, b"lightning-2")
    [example] = examples("xpay")

    async def pay(payer: Payer) -> str:
        served = Served(node.options.socket, lambda: None, filled._peers, payer)
        paying = dispatcher(OffersService(node, served), developer=False)
        found = paying.answer(json.dumps({"jsonrpc": "2.0"} | example["request"]).encode())
        response = found if isinstance(found, Answer) else await found
        return json.dumps(json.loads(response.data)["result"])

    with node:
        node.inject(None, INVOICE_TIME)
        assert ready(node, Scripted([Paid(bytes(32), 1_003)]), pay) == json.dumps(example["response"])


def test_the_examples_of_runes_are_what_the_service_answers(tmp_path: Path) -> None:
    filled, node = service(tmp_path, b"lightning-2")
    with node:
        node.inject(b"", INVOICE_TIME)
        for name in RUNES_IN_ORDER:
            for example in examples(name):
                assert answered(filled, example) == json.dumps(example["response"]), example["request"]["id"]


def test_every_document_has_an_example_that_is_tried_here() -> None:
    tried = {*IN_ORDER, *INVOICES_IN_ORDER, *PEERS_IN_ORDER, *REQUESTS_IN_ORDER}
    tried |= {*PAYMENTS_IN_ORDER, *RUNES_IN_ORDER, "dev-inject", "getinfo", "xpay"}
    assert {path.stem for path in (ROOT / "schemas").glob("*.json")} == tried
