"""fetchinvoice and cancelrecurringinvoice against what a real payer's node (l2) sent and answered.

The server has l2's secret and draws l2's metadata; the issuer is a node of the tests' with l1's key, which checks that
the request is l2's to the byte, and repeats what l1 answered. The transcripts are upstream material; without it these
tests are skipped.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Sequence
from typing import Any, Final

import pytest

from lnoffers.bolt12 import Invoice, InvoiceError, InvoiceRequest, KeyPair
from lnoffers.bolt12.tlv import INVOICE_REQUEST_SPAN, Record, in_span
from lnoffers.net.messages import OnionMessage
from lnoffers.net.offer_messages import InvoiceReply, reply
from lnoffers.net.onion_messages import Forward, ReceivedMessage, open_message
from tests.peers.stranger import Stranger, connected
from tests.service.program import Program, Wire
from tests.service.test_transcripts import Exchange, exchanges, served_as
from tests.shared import shared_path

OURS: Final = {
    "payer_metadata bad": "payer_metadata: should be a hex value: invalid token (see logs for details)",  # row 6
    "quantity 2 with amount 1999": "amount_msat: Amount must be at least 2000msat",  # row 33, as the next ones
    "bip353 weird": "bip353: invalid bip353 name fields",
    "recurrence base start 10 (past limit)": "recurrence_counter: period_index 10 too great",
    "limit fetch 3": "recurrence_counter: period_index 3 too great",
}
"""What the closed list of differences makes of some cases."""
NOTES: Final = {"payer_note u-escape": "A"}
"""Notes that l2 sends with their escapes (row 6)."""
WITHOUT_REQUEST: Final = ("timeout 0", "fetch counter 0 again (paid)")
"""Cases in which a request is sent that the transcript does not show."""
METHODS: Final = ("fetchinvoice", "cancelrecurringinvoice")
_request_in: Final = re.compile("lnr1[0-9a-z]+").search


class Issuer:
    """l1, connected to the server."""

    def __init__(self, stranger: Stranger, key: KeyPair) -> None:
        self._stranger = stranger
        self._key = key

    def requested(self) -> tuple[InvoiceRequest, ReceivedMessage]:
        """Return the next request."""
        while not isinstance(event := self._stranger.event(), OnionMessage):
            assert event is not None
        opened = open_message(self._key, event)
        assert isinstance(opened, ReceivedMessage)
        return InvoiceRequest.from_bytes(opened.payload.invoice_request or b""), opened

    def answer(self, received: ReceivedMessage, answer: InvoiceReply) -> None:
        """Answer along the reply path, which begins here or at the payer."""
        path = received.payload.reply_path
        assert path is not None
        message = reply(secrets.token_bytes(32), path, answer)
        if path.first_node_id == self._key.public_key:
            forward = open_message(self._key, message)
            assert isinstance(forward, Forward)
            message = forward.message
        self._stranger.send(message)


def recorded_request(told: dict[str, Any]) -> InvoiceRequest | None:
    """Return the request that l2 sent, if the answer shows it; one in an invoice has no signature."""
    if "invoice" in told.get("result", {}):
        records = Invoice.parse(told["result"]["invoice"]).records
        return InvoiceRequest.from_bytes(b"".join(record.raw for record in of_request(records)))
    text = _request_in(json.dumps(told))
    return None if text is None else InvoiceRequest.parse(text[0])


def of_request(records: Sequence[Record]) -> list[Record]:
    return [record for record in records if in_span(record.type, INVOICE_REQUEST_SPAN)]


def recorded_answer(told: dict[str, Any]) -> InvoiceReply | None:
    """Return what l1 answered."""
    if "invoice" in told.get("result", {}):
        return Invoice.parse(told["result"]["invoice"])
    data = told.get("error", {}).get("data")
    return None if data is None else InvoiceError.build(error=data["error"])


@pytest.mark.parametrize("name", ["fetchinvoice", "recurrence"])
def test_requests_are_those_of_a_real_node_and_so_are_the_answers(program: Program, name: str) -> None:
    key = KeyPair(bytes.fromhex(json.loads(shared_path("golden/nodes.json").read_text())["l1"]["node_privkey"]))
    told_in = [exchange for exchange in exchanges(name) if json.loads(exchange.request)["method"] in METHODS]
    flags = ("--dev-entropy", "", "--dev-time", "0", "--addr", "127.0.0.1:0")
    with served_as(program, "l2", *flags), Wire(program.socket) as control:
        info = control.ask("getinfo")["result"]
        [port] = [binding["port"] for binding in info["binding"] if "port" in binding]
        with connected(key, info["id"], port) as stranger:
            for exchange in told_in:
                replay(exchange, control, Issuer(stranger, key), program)


def replay(exchange: Exchange, control: Wire, issuer: Issuer, program: Program) -> None:
    told = json.loads(exchange.response)
    expected = None if exchange.case in OURS else recorded_request(told)
    metadata = bytes(16) if expected is None else expected.invreq_metadata or b""
    control.ask("dev-inject", {"entropy": metadata.hex(), "time": exchange.time})
    with Wire(program.socket) as wire:
        wire.send(exchange.request)
        if expected is not None or exchange.case in WITHOUT_REQUEST:
            request, received = issuer.requested()
            assert request.has_valid_signature()
            if exchange.case in NOTES:
                assert request.invreq_payer_note == NOTES[exchange.case]
                issuer.answer(received, InvoiceError.build(error="this is not what l2 sent"))
                assert json.loads(wire.answer())["error"]["code"] == 1004
                return
            if expected is not None:
                assert of_request(request.records) == of_request(expected.records), exchange.case
                assert expected.signature in (None, request.signature)
            answer = recorded_answer(told)
            if answer is not None:
                issuer.answer(received, answer)
        check(exchange, json.loads(wire.answer()))


def check(exchange: Exchange, found: dict[str, Any]) -> None:
    """Compare an answer: the result in full, and of an error what lightningd says, beyond which we say more."""
    told = json.loads(exchange.response)
    if exchange.case in OURS:
        assert found["error"] == {"code": -32602, "message": OURS[exchange.case]}
    elif exchange.case == "offer from unknown node":  # row 36: l1, which has connected to us, is not asked to forward
        assert (found["error"]["code"], found["error"]["data"]["reason"]) == (1003, "no_address")
    elif "result" in told:
        assert found == told, exchange.case
    else:
        error, recorded = found["error"], told["error"]
        assert error["code"] == recorded["code"], exchange.case
        if error["code"] in (-32602, 1002):
            assert error == recorded
        else:
            first = recorded["message"].partition(': {"code"')[0]
            assert error["message"].startswith(first)
            assert recorded.get("data", {}).items() <= error["data"].items()
