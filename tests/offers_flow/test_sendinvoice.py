"""sendinvoice: what the payer gets, how the call ends, and what stays in the store."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from clnrpc import RpcError
from lnoffers.bolt12 import BlindedPath, Invoice, InvoiceError, InvoiceRequest, KeyPair, KeySigner
from lnoffers.net.blinding import message_path
from lnoffers.net.messages import OnionMessage
from lnoffers.net.onion_messages import Forward, Payload, ReceivedMessage, open_message, wrap
from tests.bolt12 import samples
from tests.peers.conftest import Served, Start
from tests.peers.stranger import Stranger, connected, key
from tests.service.program import Wire, request
from tests.service.requesting import pay_in

PAYER, FRONT = key(31), key(32)
FETCH = 200
"""Seconds that no test waits."""


def asked(*, signed: bool = True, **changes: Any) -> InvoiceRequest:
    """Return a request of the payer's."""
    unsigned = samples.unsigned(invreq_payer_id=PAYER.public_key, **changes)
    return unsigned.sign(KeySigner(PAYER)) if signed else unsigned.unsigned()


class Sending:
    """A call of sendinvoice that waits."""

    def __init__(self, payee: Served, wire: Wire, asked: InvoiceRequest, **params: Any) -> None:
        self.payee = payee
        self._wire = wire
        params = {"invreq": asked.encode(), "label": "withdrawal", "timeout": FETCH} | params
        wire.send(request("sendinvoice", params))

    def answer(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._wire.answer())
        return found

    def is_waiting(self, seconds: float = 0.3) -> bool:
        return self._wire.is_silent(seconds)


@contextmanager
def sending(payee: Served, asked: InvoiceRequest, **params: Any) -> Iterator[Sending]:
    with Wire(payee.program.socket) as wire:
        yield Sending(payee, wire, asked, **params)


def taken(payer: Stranger, node: KeyPair = PAYER) -> tuple[Invoice, ReceivedMessage]:
    """Return the invoice that arrives next, for this node or for the payer behind it."""
    while not isinstance(event := payer.event(), OnionMessage):
        assert event is not None, "the server has closed the connection"
    opened = open_message(node, event)
    if isinstance(opened, Forward):
        assert opened.next_node == PAYER.public_key
        opened = open_message(PAYER, opened.message)
    assert isinstance(opened, ReceivedMessage)
    return Invoice.from_bytes(opened.payload.invoice or b""), opened


def answer(payer: Stranger, received: ReceivedMessage, payload: Payload, node: KeyPair = PAYER) -> None:
    """Send a payload along the reply path, which begins at this node."""
    path = received.payload.reply_path
    assert path is not None
    forward = open_message(node, wrap(secrets.token_bytes(32), path, payload))
    assert isinstance(forward, Forward)
    payer.send(forward.message)


def refuse(payer: Stranger, received: ReceivedMessage, why: str, node: KeyPair = PAYER) -> None:
    error = InvoiceError.build(error=why)
    answer(payer, received, Payload.build(invoice_error=error.to_bytes()), node)


@pytest.mark.parametrize("signed", [True, False])
def test_returns_the_invoice_when_it_is_paid(start: Start, signed: bool) -> None:
    payee, wanted = start(), asked(signed=signed)
    with connected(PAYER, payee.id, payee.port) as payer, sending(payee, wanted) as call:
        invoice, _ = taken(payer)
        invoice.verify_answer(wanted)
        assert (invoice.invoice_amount, invoice.relative_expiry) == (21_000, FETCH)
        assert invoice.invoice_node_id == bytes.fromhex(payee.id)
        assert call.is_waiting()
        pay_in(payee.program, invoice)
        result = call.answer()["result"]
    assert (result["label"], result["status"], result["bolt12"]) == ("withdrawal", "paid", invoice.encode())
    assert result == payee.client.rpc_call("waitinvoice", {"label": "withdrawal"})


def test_a_refusal_ends_the_call_and_quotes_no_invoice(start: Start) -> None:
    payee = start()
    with connected(PAYER, payee.id, payee.port) as payer, sending(payee, asked()) as call:
        invoice, received = taken(payer)
        refuse(payer, received, f"Failed invoice {invoice.encode()}: no money.")
        error = call.answer()["error"]
    assert error["code"] == 1004
    told = "Remote node sent failure message: Failed invoice …: no money. Do as the payer says, or ask it for another"
    assert error["message"].startswith(told)
    assert error["data"]["reason"] == "refused"
    [stored] = payee.client.listinvoices(label="withdrawal").invoices
    assert (stored.status, stored.bolt12) == ("unpaid", invoice.encode())


def test_a_refusal_that_cannot_be_read_and_another_message_end_the_call(start: Start) -> None:
    payee = start()
    with connected(PAYER, payee.id, payee.port) as payer:
        for number, (payload, reason) in enumerate(
            [
                (Payload.build(invoice_error=b"\xff"), "refused"),
                (Payload.build(invoice=samples.invoice().to_bytes()), "bad_answer"),
                (Payload.build(), "bad_answer"),
            ]
        ):
            with sending(payee, asked(), label=number) as call:
                _, received = taken(payer)
                answer(payer, received, payload)
                error = call.answer()["error"]
            assert (error["code"], error["data"]["reason"]) == (1004, reason)


def test_silence_ends_the_call_with_the_string_and_the_invoice_stays(start: Start) -> None:
    payee = start()
    with connected(PAYER, payee.id, payee.port) as payer, sending(payee, asked(), timeout=1) as call:
        invoice, _ = taken(payer)
        error = call.answer()["error"]
    assert error["code"] == 1005
    assert error["message"].startswith("Failed: timeout waiting for response: no answer came")
    assert error["data"]["invstring"] == invoice.encode()
    assert error["data"]["reason"] == "no_answer"
    assert [stored.bolt12 for stored in payee.client.listinvoices().invoices] == [invoice.encode()]


def test_an_unreachable_payer_is_told_with_every_attempt(start: Start) -> None:
    payee = start()
    with sending(payee, asked()) as call:
        error = call.answer()["error"]
    assert error["code"] == 1003
    where = PAYER.public_key.hex()
    assert error["message"].startswith(f"Failed: could not route or connect directly to {where}: no address is known")
    assert error["data"]["attempts"] == [{"towards": where, "reason": "no_address", "detail": ""}]


def fronted(*fronts: KeyPair) -> list[BlindedPath]:
    """Return a path to the payer through each of these nodes."""
    return [message_path(secrets.token_bytes(32), [front.public_key, PAYER.public_key], b"mine") for front in fronts]


def test_an_invoice_goes_along_a_path_of_the_request_and_the_refusal_comes_back(start: Start) -> None:
    payee = start()
    with connected(FRONT, payee.id, payee.port) as front, sending(payee, asked(invreq_paths=fronted(FRONT))) as call:
        _, received = taken(front, FRONT)
        assert received.path_id == b"mine"
        refuse(front, received, "no money", FRONT)
        error = call.answer()["error"]
    assert (error["code"], error["data"]["error"]) == (1004, "no money")


def test_an_invoice_that_went_along_the_first_path_can_be_refused_after_the_second_has_failed(start: Start) -> None:
    nobody = key(33)
    payee = start("--peer", f"{nobody.public_key.hex()}@127.0.0.1:1")
    wanted = asked(invreq_paths=fronted(FRONT, nobody))
    with connected(FRONT, payee.id, payee.port) as front, sending(payee, wanted, timeout=6) as call:
        _, received = taken(front, FRONT)
        assert call.is_waiting(3.3)  # half of the time was for FRONT; the other node cannot be reached
        refuse(front, received, "no money", FRONT)
        error = call.answer()["error"]
    assert (error["code"], error["data"]["error"]) == (1004, "no money")


def test_a_label_is_used_once(start: Start) -> None:
    payee = start()
    with connected(PAYER, payee.id, payee.port) as payer, sending(payee, asked()) as call:
        taken(payer)
        with pytest.raises(RpcError, match="Duplicate label") as refused:
            payee.client.sendinvoice(asked().encode(), label="withdrawal")
        assert (refused.value.code, refused.value.data["status"]) == (900, "unpaid")
        assert call.is_waiting()


def test_an_invoice_that_is_deleted_ends_the_call(start: Start) -> None:
    payee = start()
    with connected(PAYER, payee.id, payee.port) as payer, sending(payee, asked()) as call:
        taken(payer)
        payee.client.delinvoice("withdrawal", "unpaid")
        assert call.answer()["error"] == {"code": -1, "message": "Invoice deleted during wait"}


def test_another_amount_is_sent_if_the_caller_says_so(start: Start) -> None:
    payee = start()
    with (
        connected(PAYER, payee.id, payee.port) as payer,
        sending(payee, asked(), amount_msat="4sat", timeout=7200) as call,
    ):
        invoice, _ = taken(payer)
        assert (invoice.invoice_amount, invoice.invoice_relative_expiry) == (4_000, None)
        assert call.is_waiting()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"invreq": samples.request_for(samples.offer()).encode()}, "invreq: This is based on an offer?"),
        ({"invreq": samples.invoice().encode()}, "invreq: Unparsable invoice_request: unexpected prefix lni"),
        (
            {"invreq": samples.request(invreq_chain=bytes(32)).encode()},
            "invreq: Unparsable invoice_request: wrong chain",
        ),
        ({"amount_msat": 2**63}, "Excessive invoice_amount"),
        ({"quantity": 1}, "unknown parameter: quantity"),
    ],
)
def test_what_cannot_be_answered_is_refused_and_check_says_so_too(
    start: Start, changes: dict[str, Any], message: str
) -> None:
    payee = start()
    params = {"invreq": asked().encode(), "label": "x"} | changes
    for call, arguments in (("sendinvoice", params), ("check", {"command_to_check": "sendinvoice"} | params)):
        with pytest.raises(RpcError) as refused:
            payee.client.rpc_call(call, arguments)
        assert refused.value.code == -32602
        assert refused.value.message.startswith(message)
    assert payee.client.listinvoices().invoices == []
