"""A server refuses, with a reason, whatever is not an invoice for exactly what it has asked for."""

from __future__ import annotations

from collections.abc import Callable
from time import time
from typing import Any

import pytest

from clnrpc import Client
from lnoffers.bolt12 import CHAINS, Invoice, InvoiceRequest, UnsignedInvoice
from lnoffers.bolt12.features import bitmap
from lnoffers.net.blinding import message_path
from tests.payments import payee
from tests.payments.payee import invoice, refusal, request, send
from tests.peers.conftest import Served, Start
from tests.peers.issuing import nothing_came, path_to
from tests.peers.stranger import connected, key
from tests.service.program import until

PAYEE, OTHER = key(1), key(2)
NOT_BY_ITSELF = (
    "Failed invoice …: this service does not pay by itself; the invoice waits for somebody to pay it by hand"
)


def signed_by_another(_: Served, asked: InvoiceRequest) -> Invoice:
    """Return an invoice that says it is the payee's, with the signature of another one."""
    theirs = invoice(asked, OTHER)
    mine = UnsignedInvoice._build(
        (record for record in theirs.records if record.type not in (176, 240)), invoice_node_id=PAYEE.public_key
    )
    [signature] = [record for record in theirs.records if record.type == 240]
    ours = sorted([*mine.records, signature], key=lambda record: record.type)
    return Invoice._of(tuple(ours))


def through(served: Served, asked: InvoiceRequest) -> Invoice:
    """Return an invoice whose path begins at the payer."""
    path = message_path(b"k" * 32, [bytes.fromhex(served.id), PAYEE.public_key], bytes(32))
    return invoice(asked, PAYEE, invoice_paths=[path])


HOSTILE: dict[str, tuple[Callable[[Served, InvoiceRequest], Invoice | bytes], str]] = {
    "another amount": (
        lambda _, asked: invoice(asked, PAYEE, invoice_amount=22_000),
        "invoice_amount is 22000msat where 21000msat are asked for",
    ),
    "no amount": (lambda _, asked: invoice(asked, PAYEE, invoice_amount=None), "missing invoice_amount"),
    "another chain": (
        lambda _, asked: invoice(asked, PAYEE, invreq_chain=CHAINS["signet"]),
        "Invalid invoice: wrong chain",
    ),
    "another description": (
        lambda _, asked: invoice(asked, PAYEE, offer_description="something else"),
        "Unknown invoice_request ID",
    ),
    "a field more": (lambda _, asked: invoice(asked, PAYEE, invreq_payer_note="x"), "Unknown invoice_request ID"),
    "an unknown feature": (
        lambda _, asked: invoice(asked, PAYEE, invoice_features=bitmap([100])),
        "Invalid invoice: unknown feature bit 100",
    ),
    "expired": (lambda _, asked: invoice(asked, PAYEE, invoice_created_at=int(time()) - 7_300), "Expired invoice"),
    "a foreign signature": (signed_by_another, "Invalid signature"),
    "no signature": (lambda _, asked: invoice(asked, PAYEE, invoice_node_id=OTHER.public_key), "Missing signature"),
    "no paths": (lambda _, asked: invoice(asked, PAYEE, invoice_paths=None), "missing/empty invoice_paths"),
    "no payment hash": (
        lambda _, asked: invoice(asked, PAYEE, invoice_payment_hash=None),
        "missing invoice_payment_hash",
    ),
    "a path through us": (through, "invoice_paths lead through this node"),
    "junk": (lambda *_: b"junk", "Invalid invoice: invalid invoice data"),
}


def listed(client: Client) -> Any:
    [one] = client.listinvoicerequests().invoicerequests
    return one


@pytest.mark.parametrize("backend", ["none", "play"])
def test_hostile_invoices_are_refused_with_a_reason_and_the_request_stays_usable(start: Start, backend: str) -> None:
    served = start("--backend", backend)
    asked = request(served)
    with connected(PAYEE, served.id, served.port) as stranger:
        for name, (make, reason) in HOSTILE.items():
            assert reason in refusal(stranger, served, asked, make(served, asked), PAYEE), name
            assert (listed(served.client).active, listed(served.client).used) == (True, False), name


def test_without_a_backend_the_first_good_invoice_waits_and_the_others_hear_that(start: Start) -> None:
    served = start()
    asked = request(served)
    with connected(PAYEE, served.id, served.port) as stranger:
        first = invoice(asked, PAYEE)
        assert refusal(stranger, served, asked, first, PAYEE) == NOT_BY_ITSELF
        hash_ = (first.invoice_payment_hash or b"").hex()
        for again, reason in (
            (invoice(asked, PAYEE, 2), f"Single-use invoice_request already in progress with {hash_}"),
            (first, f"Invoice already in progress with {hash_}"),
            (invoice(asked, PAYEE), f"Invoice already in progress with {hash_}"),
        ):
            assert refusal(stranger, served, asked, again, PAYEE) == f"Failed invoice …: {reason}"
    [payment] = listed(served.client).payments
    assert (payment.state, payment.invoice) == ("claimed", first.encode())


def test_a_disabled_and_an_expired_request_get_no_payment(start: Start) -> None:
    served = start()
    expired = request(served, absolute_expiry=int(time()) - 1)
    disabled = request(served)
    served.client.disableinvoicerequest(disabled.invreq_id.hex())
    with connected(PAYEE, served.id, served.port) as stranger:
        for asked, reason in ((expired, "has expired"), (disabled, "no longer available")):
            assert f"invoice_request {reason}" in refusal(stranger, served, asked, invoice(asked, PAYEE), PAYEE)


def test_only_the_payee_that_the_request_names_is_paid(start: Start) -> None:
    served = start()
    asked = request(served, payee=OTHER.public_key.hex())
    with connected(PAYEE, served.id, served.port) as stranger:
        assert "for another payee" in refusal(stranger, served, asked, invoice(asked, PAYEE), PAYEE)
        assert refusal(stranger, served, asked, invoice(asked, OTHER), PAYEE) == NOT_BY_ITSELF


def test_the_node_does_not_pay_itself(start: Start) -> None:
    served = start()
    own = served.client.offer("any", description="x")
    asked = request(served)
    with connected(PAYEE, served.id, served.port) as stranger:
        fetched = Invoice.parse(served.client.fetchinvoice(own.bolt12, amount_msat=21_000).invoice)
        copied = invoice(asked, PAYEE, invoice_payment_hash=fetched.invoice_payment_hash)
        assert "is this node's own" in refusal(stranger, served, asked, copied, PAYEE)


def test_without_a_reply_path_it_is_refused_without_a_word(start: Start) -> None:
    served = start()
    asked = request(served)
    with connected(PAYEE, served.id, served.port) as stranger:
        send(stranger, asked, b"junk", None)
        served.await_log("the invoice is refused: Invalid invoice: invalid invoice data")
        assert nothing_came(stranger)


def test_a_thousand_invoices_for_one_request_pay_nothing_and_other_clients_are_served(start: Start) -> None:
    """Those above the pace are dropped, and the log says so."""
    served = start()
    asked = request(served)
    bad = [invoice(asked, PAYEE, invoice_amount=amount).to_bytes() for amount in range(1, 101)]
    reply = path_to(bytes.fromhex(served.id), PAYEE.public_key)
    with connected(PAYEE, served.id, served.port) as stranger:
        for number in range(1_000):
            send(stranger, asked, bad[number % len(bad)], reply)
            if number % 100 == 0:
                assert served.client.getinfo().id == served.id
    until(lambda: "Dropped a message" in served.log() or "too many invoices" in served.log())
    assert not listed(served.client).payments
    assert served.peak_megabytes() < 150


def test_a_request_that_leads_through_another_node_is_answered_only_along_its_path(start: Start) -> None:
    middle = start()
    served = start("--via", middle.address)
    until(lambda: served.id in middle.peers())
    asked = request(served)
    assert asked.invreq_paths
    with connected(PAYEE, middle.id, middle.port) as stranger, connected(OTHER, served.id, served.port) as beside:
        direct = payee.without_paths(asked)
        made = invoice(asked, PAYEE)
        assert "Unknown invoice_request ID" in refusal(beside, served, direct, made, OTHER)
        assert refusal(stranger, middle, asked, made, PAYEE) == NOT_BY_ITSELF


def test_a_crowd_with_bad_invoices_does_not_keep_out_a_good_one(start: Start) -> None:
    served = start()
    asked = request(served)
    bad = invoice(asked, OTHER, invoice_amount=1)
    with (
        connected(OTHER, served.id, served.port) as crowd,
        connected(PAYEE, served.id, served.port, host="127.0.0.2") as one,
    ):
        for _ in range(200):
            send(crowd, asked, bad, None)
        assert refusal(one, served, asked, invoice(asked, PAYEE), PAYEE) == NOT_BY_ITSELF


def test_a_payee_does_not_learn_the_figures_of_a_limit(start: Start) -> None:
    served = start("--backend", "play", "--max-daily", "1sat")
    asked = request(served)
    with connected(PAYEE, served.id, served.port) as stranger:
        why = refusal(stranger, served, asked, invoice(asked, PAYEE), PAYEE)
        assert why == "Failed invoice …: it exceeds the payer's limit of 24 hours"
    served.await_log("would exceed the limit of 24 hours (1000msat), of which 0msat are used")
