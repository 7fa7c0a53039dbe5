"""Invoices are listed exactly as a real node listed the same ones.

The transcripts are upstream material; without it these tests are skipped.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from clnrpc.runtime.server.dispatch import Answer
from lnoffers.bolt12 import Invoice
from lnoffers.service import Node, OffersService
from lnoffers.service.dispatching import dispatcher
from lnoffers.service.store.schema import INVOICES
from tests.service.test_transcripts import Exchange, exchanges


def listings(name: str) -> list[Exchange]:
    return [exchange for exchange in exchanges(name) if b'"method":"listinvoices"' in exchange.request]


def store(node: Node, shown: dict[str, Any]) -> None:
    """Store what an answer shows. Nobody knows the preimage unless it is paid."""
    row = {
        **{name: shown[name] for name in ("created_index", "label", "bolt12", "amount_msat", "status", "expires_at")},
        **{name: shown.get(name) for name in ("description", "pay_index", "amount_received_msat", "paid_at")},
        "updated_index": shown.get("updated_index", 0),
        "payer_note": Invoice.parse(shown["bolt12"]).invreq_payer_note,
        "payment_hash": bytes.fromhex(shown["payment_hash"]),
        "payment_preimage": bytes.fromhex(shown.get("payment_preimage", "")),
        "local_offer_id": bytes.fromhex(shown["local_offer_id"]) if "local_offer_id" in shown else None,
    }
    with node.store.transaction() as connection:
        connection.execute(INVOICES.insert(row), tuple(row.values()))


@pytest.mark.parametrize("name", ["offers-with-channel", "recurrence", "sendinvoice"])
def test_invoices_are_listed_as_by_a_node(node: Node, name: str) -> None:
    recorded = listings(name)
    assert recorded
    through = dispatcher(OffersService(node), developer=False)
    stored: set[str] = set()
    for exchange in recorded:
        for shown in json.loads(exchange.response)["result"]["invoices"]:
            if shown["label"] not in stored:
                store(node, shown)
            stored.add(shown["label"])
        found = through.answer(exchange.request)
        assert isinstance(found, Answer)
        assert found.data.decode() == exchange.response, exchange.case
