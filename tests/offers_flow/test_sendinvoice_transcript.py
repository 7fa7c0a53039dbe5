"""sendinvoice against what a real payee's node (l1) sent, and what the payer's (l2) answered.

The server has l1's secret; the payer is a node of the tests' with l2's key, which repeats what l2 answered. The
transcript is upstream material; without it this test is skipped.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from typing import Any, Final

from lnoffers.bolt12 import Invoice, InvoiceError, InvoiceRequest, KeyPair
from lnoffers.net.messages import OnionMessage
from lnoffers.net.offer_messages import reply
from lnoffers.net.onion_messages import Forward, ReceivedMessage, open_message
from tests.peers.stranger import Stranger, connected
from tests.service.program import Program, Wire
from tests.service.test_transcripts import Exchange, exchanges, served_as
from tests.shared import shared_path

OTHERWISE: Final = ("self send", "no sig")
"""Cases that go otherwise here: a node pays no invoice of its own, and a request needs no signature (row 41)."""
_invoice_in: Final = re.compile("lni1[0-9a-z]+").search


def test_invoices_are_sent_and_refused_as_between_two_real_nodes(program: Program) -> None:
    key = KeyPair(bytes.fromhex(json.loads(shared_path("golden/nodes.json").read_text())["l2"]["node_privkey"]))
    recorded = [exchange for exchange in exchanges("sendinvoice") if exchange.case not in OTHERWISE]
    assert len(recorded) == 27
    flags = ("--dev-entropy", "", "--dev-time", "0", "--addr", "127.0.0.1:0")
    with served_as(program, "l1", *flags), Wire(program.socket) as control:
        info = control.ask("getinfo")["result"]
        [port] = [binding["port"] for binding in info["binding"] if "port" in binding]
        with connected(key, info["id"], port) as payer:
            for exchange in recorded:
                control.ask("dev-inject", {"entropy": os.urandom(64).hex(), "time": exchange.time})
                with Wire(program.socket) as wire:
                    wire.send(exchange.request)
                    told = json.loads(exchange.response)
                    if told.get("error", {}).get("code") == 1004:
                        refuse(payer, key, exchange, told["error"]["data"]["error"])
                    compare(exchange, json.loads(wire.answer()), told)


def refuse(payer: Stranger, key: KeyPair, exchange: Exchange, why: str) -> None:
    """Take the invoice, compare it with the recorded one, and answer what l2 answered."""
    while not isinstance(event := payer.event(), OnionMessage):
        assert event is not None
    opened = open_message(key, event)
    assert isinstance(opened, ReceivedMessage)
    invoice, text = Invoice.from_bytes(opened.payload.invoice or b""), _invoice_in(why)
    assert text is not None
    assert comparable(invoice) == comparable(Invoice.parse(text[0])), exchange.case
    assert invoice.has_valid_signature()
    path = opened.payload.reply_path
    assert path is not None
    message = reply(secrets.token_bytes(32), path, InvoiceError.build(error=why))
    forward = open_message(key, message)
    assert isinstance(forward, Forward)
    payer.send(forward.message)


def comparable(invoice: Invoice) -> dict[int, bytes]:
    """Return the records of an invoice that follow from the request and the parameters."""
    random = (Invoice.invoice_payment_hash, Invoice.invoice_paths, Invoice.signature)
    return {each.type: each.value for each in invoice.records if each.type not in {field.number for field in random}}


def compare(exchange: Exchange, found: dict[str, Any], told: dict[str, Any]) -> None:
    if "result" in told:
        [theirs], [ours] = (each["result"]["invoices"] for each in (told, found))
        for name in ("label", "amount_msat", "status", "description", "expires_at"):
            assert ours[name] == theirs[name], exchange.case
        return
    error, recorded = found["error"], told["error"]
    if recorded["code"] == -32602:
        assert error == recorded, exchange.case
        return
    assert error["code"] == recorded["code"], exchange.case
    assert error["message"].startswith(recorded["message"].partition(': {"code"')[0]), exchange.case
    if recorded["code"] == 900:
        assert error["data"]["label"] == recorded["data"]["label"]
    elif recorded["code"] == 1004:
        assert error["data"]["error"] == recorded["data"]["error"]


def test_an_unsigned_request_is_answered_where_a_real_node_refuses_it(program: Program) -> None:
    """Row 41."""
    [exchange] = [each for each in exchanges("sendinvoice") if each.case == "no sig"]
    params = json.loads(exchange.request)["params"]
    assert not InvoiceRequest.parse(params["invreq"]).signed
    with served_as(program, "l1"), Wire(program.socket) as wire:
        error = wire.ask("sendinvoice", params | {"timeout": 1})["error"]
    assert (error["code"], error["data"]["reason"]) == (1003, "no_address")
