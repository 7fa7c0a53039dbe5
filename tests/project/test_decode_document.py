"""The document of `decode` declares all that the core shows, in its order: what it did not declare would be lost.

It declares more than that: what a node shows of other strings, and of requests that the core does not even read.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from clnrpc.runtime.values.encode import encode
from clnrpc.types import DecodeRequest
from lnoffers.bolt12 import InvoiceRequest
from lnoffers.bolt12.bip353 import Bip353Name
from lnoffers.bolt12.blinded_paths import BlindedHop, BlindedPath, ChannelEnd
from lnoffers.bolt12.describe import describe
from lnoffers.bolt12.recurrence import Recurrence, RecurrenceBase, RecurrencePaywindow
from lnoffers.service.commands import OffersService
from lnoffers.service.node import Node
from lnoffers.service.options import Options
from tests.bolt12.samples import SIGNER, as_text, signed_stream, stream
from tests.shared import ROOT

POINT = SIGNER.public_key
BY_KEY = BlindedPath(POINT, POINT, (BlindedHop(POINT, b"\1"), BlindedHop(POINT, b"")))
BY_CHANNEL = BlindedPath(ChannelEnd(1, 0x010000020003), POINT, (BlindedHop(POINT, b"\2"),))
EVERYTHING: dict[str, Any] = {
    "offer_chains": (bytes(32), bytes(range(32))),
    "offer_metadata": b"\0",
    "offer_amount": 5,
    "offer_description": "d",
    "offer_issuer": "i",
    "offer_features": b"",
    "offer_absolute_expiry": 2**64 - 1,
    "offer_paths": (BY_KEY, BY_CHANNEL),
    "offer_quantity_max": 0,
    "offer_issuer_id": POINT,
    "offer_recurrence_compulsory": Recurrence(1, 7),
    "offer_recurrence_base": RecurrenceBase(1, 1700000000),
    "offer_recurrence_paywindow": RecurrencePaywindow(1, 2),
    "offer_recurrence_limit": 12,
    "invreq_chain": bytes(32),
    "invreq_amount": 6,
    "invreq_features": b"",
    "invreq_quantity": 1,
    "invreq_payer_note": "n\n\x7f☕",
    "invreq_paths": (BY_CHANNEL,),
    "invreq_recurrence_counter": 0,
    "invreq_recurrence_start": 0,
    "invreq_recurrence_cancel": True,
}
SAMPLES = {
    "all fields": signed_stream((1_000_000_001, b"odd"), (2_999_999_999, b""), **EVERYTHING),
    "a currency": signed_stream(offer_currency="EUR", **EVERYTHING),
    "an unknown currency": signed_stream(offer_currency="XQQ", offer_amount=1),
    "an amount for nothing": signed_stream(offer_amount=1),
    "a path without hops": signed_stream(offer_paths=(BlindedPath(POINT, POINT, ()),)),
    "an unknown unit of time": signed_stream(offer_recurrence_optional=Recurrence(9, 1)),
    "a cancel without counter": signed_stream(invreq_recurrence_cancel=True),
    "a strange address": signed_stream(invreq_bip_353_name=Bip353Name(b"a b", b"c\n")),
    "a cancel at the first period": signed_stream(invreq_recurrence_cancel=True, invreq_recurrence_counter=0),
    "nothing": b"",
    "no signature": stream(invreq_metadata=b"m", invreq_payer_id=POINT),
    "a wrong signature": stream(invreq_metadata=b"m", invreq_payer_id=POINT, signature=bytes(64)),
    "no payer": stream(invreq_metadata=b"m", signature=bytes(64)),
}

# A node shows these warnings of text that is no UTF-8; the core refuses such a string.
NOT_UTF8 = {
    "warning_invalid_offer_currency",
    "warning_invalid_offer_description",
    "warning_invalid_offer_issuer",
    "warning_invalid_invreq_payer_note",
}


@pytest.mark.parametrize("name", SAMPLES)
def test_the_answer_is_all_that_the_core_shows_in_its_order(name: str, tmp_path: Any) -> None:
    text = as_text(SAMPLES[name])
    with Node.open(Options(lightning_dir=tmp_path, network="regtest"), make=True) as node:
        answer = encode(OffersService(node).decode(DecodeRequest(string=text)))
    shown = describe(InvoiceRequest.parse(text))
    assert json.dumps(json.loads(answer)) == json.dumps(shown)


def test_every_declared_field_of_a_request_is_shown_by_some_sample_unless_it_is_refused() -> None:
    document = json.loads((ROOT / "schemas" / "decode.json").read_bytes())
    (request,) = (
        branch["then"]["properties"]
        for branch in document["response"]["allOf"]
        if branch["if"]["properties"]["type"]["enum"] == ["bolt12 invoice_request"]
    )
    shown = {name for data in SAMPLES.values() for name in describe(InvoiceRequest.from_bytes(data))}
    assert shown == set(request) - NOT_UTF8
