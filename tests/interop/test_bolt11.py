"""BOLT 11 invoices that we wrote are read in full by lightningd and by LDK."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from lnoffers.bolt11 import CHAINS, Invoice, RouteHop, describe
from tests.bolt11.arbitrary import arguments, key
from tests.interop.ldk.peer import Ldk, running
from tests.interop.nodes import Node

COUNT = 500
LDK_CURRENCIES = {
    "bc": "LDKCurrency_Bitcoin",
    "tb": "LDKCurrency_BitcoinTestnet",
    "tbs": "LDKCurrency_Signet",
    "bcrt": "LDKCurrency_Regtest",
}


def written(currencies: tuple[str, ...]) -> Iterator[Invoice]:
    """Yield invoices with all kinds of fields, some with a named payee; the same ones each time."""
    for number in range(COUNT):
        random = Random(number)
        given, pair = arguments(random, currencies), key(random)
        if random.random() < 0.3:
            given["payee"] = pair.public_key
        yield Invoice.build(**given).sign(pair)


def test_lightningd_reads_every_field_that_we_write(l1: Node) -> None:
    count = 0
    for invoice in written(tuple(CHAINS)):
        assert l1.client.rpc_call("decode", {"string": invoice.encode()}) == describe(invoice), invoice.encode()
        count += 1
    assert count == COUNT


@pytest.fixture(scope="module")
def ldk() -> Iterator[Ldk]:
    """Return an LDK."""
    with running() as peer:
        yield peer


def as_ldk_shows(invoice: Invoice) -> dict[str, Any]:
    """Return what LDK shows of an invoice: control characters replaced, and the string that it writes itself."""
    return {
        "currency": LDK_CURRENCIES[invoice.chain.currency],
        "amount_msat": None if invoice.amount_msat is None else str(invoice.amount_msat),
        "created_at": str(invoice.timestamp),
        "expiry": str(invoice.expiry),
        "payee": invoice.payee.hex(),
        "payment_hash": invoice.payment_hash.hex(),
        "payment_secret": invoice.payment_secret.hex(),
        "description": re.sub(r"[\t\n]", "\N{REPLACEMENT CHARACTER}", invoice.description or ""),
        "description_hash": None if invoice.description_hash is None else invoice.description_hash.hex(),
        "min_final_cltv_expiry": str(invoice.min_final_cltv_expiry),
        "features": invoice.features.lstrip(b"\0").hex(),
        "payment_metadata": None if invoice.payment_metadata is None else invoice.payment_metadata.hex(),
        "fallbacks": len(invoice.fallbacks),
        "routes": [[hop_as_ldk_shows(hop) for hop in route] for route in invoice.routes],
        "written_again": invoice.encode(),
    }


def hop_as_ldk_shows(hop: RouteHop) -> dict[str, Any]:
    """Return what LDK shows of a hop."""
    return {
        "pubkey": hop.pubkey.hex(),
        "short_channel_id": str(hop.short_channel_id),
        "fee_base_msat": hop.fee_base_msat,
        "fee_proportional_millionths": hop.fee_proportional_millionths,
        "cltv_expiry_delta": hop.cltv_expiry_delta,
    }


def test_ldk_reads_every_field_that_we_write(ldk: Ldk) -> None:
    count = 0
    for invoice in written(tuple(LDK_CURRENCIES)):
        expected = as_ldk_shows(invoice)
        assert ldk.ask("decode", string=invoice.encode(), hash=expected["description_hash"]) == expected
        count += 1
    assert count == COUNT


def test_ldk_refuses_a_changed_invoice(ldk: Ldk) -> None:
    text = next(written(("bcrt",))).encode()
    assert "failed" in ldk.ask("decode", string=text[:-1] + ("q" if text[-1] != "q" else "p"), hash=None)
