"""The rules by which an issuer refuses a request, each with its text, and what else only issuers use."""

from __future__ import annotations

from typing import Any

import pytest

from lnoffers.bolt12 import Bolt12Error, Invoice, InvoiceError, InvoiceRequest, NodeKeys, Recurrence
from lnoffers.bolt12.rules import issuer as rules
from lnoffers.bolt12.tlv import Record, write_records
from tests.bolt12 import samples
from tests.bolt12.samples import METADATA, NOW, PATH, PAYINFO, PREIMAGE, REGTEST, SIGNER

BITCOIN = "6fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000"
DAILY = Recurrence(1, 1)


def asked(**fields: Any) -> InvoiceRequest:
    """Return a signed request for an offer; `fields` are those of both."""
    of_offer = {name: value for name, value in fields.items() if name.startswith("offer_")}
    own = {name: value for name, value in fields.items() if not name.startswith("offer_")}
    return InvoiceRequest.for_offer(
        samples.offer(**of_offer),
        invreq_metadata=METADATA,
        invreq_payer_id=SIGNER.public_key,
        invreq_chain=REGTEST,
        **own,
    ).sign(SIGNER)


def changed(request: InvoiceRequest, *, without: tuple[int, ...] = (), more: tuple[Record, ...] = ()) -> InvoiceRequest:
    """Return the request as somebody else has changed it: without some records, and with more."""
    kept = [record for record in request.records if record.type not in without]
    return InvoiceRequest.received(write_records(sorted([*kept, *more])))


def fault(request: InvoiceRequest, chain: bytes = REGTEST) -> str:
    """Return the error text for the payer; empty if the request breaks no rule."""
    try:
        rules.check_request(request, chain)
        rules.check_terms(request)
        rules.check_amount_given(request)
        rules.check_period(request)
    except Bolt12Error as error:
        return error.message
    return ""


def invoice_for(request: InvoiceRequest, **fields: Any) -> Invoice:
    return Invoice.for_request(request, **fields).sign(samples.OTHER_SIGNER)


def test_a_good_request_breaks_no_rule() -> None:
    assert fault(asked()) == ""
    assert fault(asked(offer_recurrence_compulsory=DAILY, invreq_recurrence_counter=0)) == ""


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (changed(asked(), more=(Record.build(1001, b"x"),)), "Invalid high fields"),
        (changed(asked(), without=(88,)), "Missing invreq_payer_id"),
        (changed(asked(), more=(Record.build(84, b"\x01"),)), "Unsupported invreq feature 0"),
        (changed(asked(), without=(22,)), "Not based on an offer"),
        (changed(asked(), without=(240,)), "missing signature"),
        (changed(asked(), without=(82,), more=(Record.build(82, b"\x09"),)), "bad signature"),
    ],
)
def test_a_request_is_refused_with_the_text_of_the_first_rule_it_breaks(request_: InvoiceRequest, text: str) -> None:
    assert fault(request_) == text


def test_the_chain_of_a_request_is_named() -> None:
    assert fault(asked(), chain=bytes(32)) == f"Wrong chain {REGTEST.hex()}"
    assert fault(changed(asked(), without=(80,))) == f"Wrong chain {BITCOIN}"


def test_only_its_encoding_is_checked_when_a_request_is_received() -> None:
    assert changed(asked(), without=(0, 88, 240)).invreq_payer_id is None
    with pytest.raises(Bolt12Error):
        InvoiceRequest.received(b"\x00")


def test_an_invoice_may_record_the_end_of_a_recurrence() -> None:
    request = asked(offer_recurrence_compulsory=DAILY, invreq_recurrence_counter=1, invreq_recurrence_cancel=True)
    made = {
        "invoice_created_at": NOW,
        "invoice_payment_hash": PREIMAGE,
        "invoice_paths": [PATH],
        "invoice_blindedpay": [PAYINFO],
        "invoice_recurrence_basetime": NOW,
    }
    assert invoice_for(request, **made, invoice_relative_expiry=0).relative_expiry == 0
    with pytest.raises(Bolt12Error):
        invoice_for(request, **made)


def test_an_error_for_ldk_has_its_length_in_front() -> None:
    error = InvoiceError.build(error="nope")
    assert error.to_ldk_bytes() == b"\x06" + error.to_bytes()
    assert InvoiceError.from_bytes(error.to_ldk_bytes()) == error


def test_all_requests_of_a_series_have_the_same_metadata() -> None:
    keys = NodeKeys.from_seed(bytes(range(1, 33)))
    first, other = (keys.recurrence_metadata(bytes(32), label) for label in (b"mine", b"yours"))
    assert len(first) == 32
    assert first == keys.recurrence_metadata(bytes(32), b"mine") != other
