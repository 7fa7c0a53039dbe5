"""createinvoice, as a client calls it: JSON in, bytes out."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from clnrpc.runtime.server.dispatch import Answer
from clnrpc.types import CreateinvoiceRequest, ListinvoicesRequest
from lnoffers.bolt12 import CHAINS, Invoice, InvoiceRequest
from lnoffers.service import Node, OffersService, Options
from lnoffers.service.dispatching import dispatcher
from lnoffers.service.status import Status
from tests.bolt12 import samples
from tests.net.receiver import walk
from tests.service.invoicing import (
    HOUR,
    KEYS,
    NOW,
    OFFER,
    Ask,
    assert_fits,
    creation,
    labels,
    preimage,
    store_offer,
    unsigned,
)
from tests.service.program import SEED_SECRET, write_secret


def test_an_invoice_is_signed_by_the_node_and_otherwise_as_it_was_given(ask: Ask) -> None:
    made = ask("createinvoice", **creation(1))
    signed = Invoice.parse(made["bolt12"])
    signed.verify()
    given = unsigned(preimage(1))
    assert [record for record in signed.records if record.type != 240] == list(Invoice.parse(given).records)
    assert made | {"bolt12": "…"} == {
        "label": "number 1",
        "bolt12": "…",
        "payment_hash": sha256(preimage(1)).hexdigest(),
        "amount_msat": 1_000,
        "status": "unpaid",
        "description": "one coffee",
        "expires_at": NOW + 7200,
        "created_index": 1,
    }
    assert_fits("createinvoice", made)


def test_its_time_counts_from_the_call(ask: Ask) -> None:
    assert ask("createinvoice", **creation(1, invoice_relative_expiry=HOUR))["expires_at"] == NOW + HOUR


def test_the_string_may_be_written_as_people_do(ask: Ask) -> None:
    given = creation(1)
    made = ask("createinvoice", **given | {"invstring": "LIGHTNING:" + given["invstring"].upper()})
    assert made["status"] == "unpaid"


def test_an_invoice_without_a_path_gets_one_to_the_node_itself(node: Node, ask: Ask) -> None:
    node.inject(bytes(range(1, 33)), None)
    made = ask("createinvoice", **creation(1, invoice_paths=None, invoice_blindedpay=[samples.PAYINFO]))
    signed = Invoice.parse(made["bolt12"])
    signed.verify()
    assert signed.invoice_paths is not None
    [path] = signed.invoice_paths
    assert path.first_node_id == node.keys.node_id
    path_id = sha256(KEYS.named_secret("bolt12-invoice-base") + sha256(preimage(1)).digest()).digest()
    [told] = walk(path, [KEYS.node_signer._key_pair])
    assert told == b"\x06\x20" + path_id
    assert signed.invoice_blindedpay is not None
    [costs] = signed.invoice_blindedpay
    assert (costs.fee_base_msat, costs.fee_proportional_millionths, costs.features) == (0, 0, b"")
    assert (costs.cltv_expiry_delta, costs.htlc_minimum_msat, costs.htlc_maximum_msat) == (10, 0, 21 * 10**17)


def test_the_last_hop_has_more_blocks_on_bitcoin(tmp_path: Path) -> None:
    write_secret(tmp_path / "bitcoin" / "hsm_secret", SEED_SECRET)
    with Node.open(Options(lightning_dir=tmp_path)) as node:
        given = creation(1, invreq_chain=None, invoice_paths=None, invoice_blindedpay=None)
        made = OffersService(node).createinvoice(CreateinvoiceRequest(**given))
    assert made.bolt12 is not None
    [costs] = Invoice.parse(made.bolt12).invoice_blindedpay or ()
    assert costs.cltv_expiry_delta == 18


@pytest.mark.parametrize(
    ("entropy", "why"),
    [
        (bytes(31), "Injected entropy has run out: 32 bytes needed, 31 left"),
        (bytes(32), "not a valid private key"),
    ],
)
def test_without_a_path_key_nothing_is_stored(node: Node, ask: Ask, entropy: bytes, why: str) -> None:
    node.inject(entropy, None)
    refused = ask("createinvoice", **creation(1, invoice_paths=None, invoice_blindedpay=None))
    assert refused == {"code": -1, "message": f"No blinded path could be made: {why}"}
    assert labels(ask) == []


def test_a_call_that_is_refused_draws_nothing(node: Node, ask: Ask) -> None:
    ask("createinvoice", **creation(1))
    node.inject(bytes(32), None)
    assert ask("createinvoice", **creation(1, invoice_paths=None, invoice_blindedpay=None))["code"] == 900
    assert node.entropy.draw(32) == bytes(32)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"signature": bytes(64)}, "invoice already signed"),
        ({"invoice_amount": None}, "Missing invoice_amount in invoice"),
        ({"invoice_payment_hash": None}, "Missing payment_hash in invoice"),
        ({"invoice_payment_hash": bytes(32)}, "Incorrect preimage"),
    ],
)
def test_refuses_what_cannot_be_paid(ask: Ask, changes: dict[str, Any], message: str) -> None:
    assert ask("createinvoice", **creation(1, **changes)) == {"code": -32602, "message": message}
    assert labels(ask) == []


@pytest.mark.parametrize(
    ("string", "why"),
    [
        ("hello", "invalid bech32 string"),
        ("LNI1QQ", "invalid invoice data"),
        (OFFER.encode(), "unexpected prefix lno"),
        (unsigned(invreq_chain=CHAINS["signet"]), "wrong chain"),
        (unsigned(invoice_features=b"\1"), "unknown feature bit 0"),
    ],
)
def test_refuses_what_cannot_be_read(ask: Ask, string: str, why: str) -> None:
    message = f"Unparsable invoice '{string.lower()}': {why}"
    assert ask("createinvoice", string, "x", "00" * 32) == {"code": -32602, "message": message}


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        (["x", None, None], "missing required parameter: label"),
        (["x", True, "00" * 32], "label: should be a string or number: invalid token (see logs for details)"),
        (["x", -1, "00" * 32], "label: should be a string or number: invalid token (see logs for details)"),
        (["x", 1.5, "00" * 32], "label: should be a string or number: invalid token (see logs for details)"),
        (["x", "y", "00" * 31], "preimage: should be 64 hex digits: invalid token (see logs for details)"),
        (["x", "y", "zz" * 32], "preimage: should be 64 hex digits: invalid token (see logs for details)"),
    ],
)
def test_refuses_parameters_in_the_node_s_words(ask: Ask, parameters: list[Any], why: str) -> None:
    assert ask("createinvoice", *parameters) == {"code": -32602, "message": why}


def test_a_label_is_given_once_and_the_error_shows_by_whom(ask: Ask) -> None:
    made = ask("createinvoice", **creation(1))
    again = ask("createinvoice", **creation(2) | {"label": "number 1"})
    assert again == {"code": 900, "message": "Duplicate label", "data": made}


def test_an_invoice_of_the_node_s_own_offer_belongs_to_it(node: Node, ask: Ask) -> None:
    offer_id = store_offer(node)
    made = ask("createinvoice", **creation(1))
    assert (made["local_offer_id"], made["invreq_payer_note"]) == (offer_id.hex(), "no sugar")
    assert_fits("createinvoice", made)


@pytest.mark.parametrize("status", [Status(0), Status(2), Status(4), Status(6)])
def test_an_offer_that_is_not_active_gets_no_invoice(node: Node, ask: Ask, status: Status) -> None:
    store_offer(node, status)
    assert ask("createinvoice", **creation(1)) == {"code": 907, "message": "offer not active"}
    assert labels(ask) == []


def test_an_invoice_for_a_request_without_an_offer_belongs_to_none(ask: Ask) -> None:
    request = InvoiceRequest.without_offer(
        invreq_metadata=bytes(16),
        invreq_payer_id=samples.SIGNER.public_key,
        invreq_amount=5,
        offer_description="refund",
        invreq_chain=samples.REGTEST,
    ).sign(samples.SIGNER)
    string = samples.unsigned_invoice(
        request, invoice_node_id=KEYS.node_id, invoice_payment_hash=sha256(bytes(32)).digest()
    ).encode()
    made = ask("createinvoice", string, "refund", "00" * 32)
    assert (made["description"], made["amount_msat"]) == ("refund", 5)
    assert "local_offer_id" not in made


# ---- labels


def test_a_number_is_a_label_as_it_is_written(ask: Ask) -> None:
    assert ask("createinvoice", **creation(1) | {"label": 17})["label"] == "17"
    assert labels(ask, label="17") == labels(ask, label=17) == ["17"]


def test_labels_are_told_apart_and_shown_as_they_are_written(node: Node) -> None:
    node.inject(None, NOW)
    through = dispatcher(OffersService(node), developer=False)

    def call(method: str, params: str) -> str:
        found = through.answer(f'{{"jsonrpc":"2.0","id":0,"method":"{method}","params":{params}}}'.encode())
        assert isinstance(found, Answer)
        return found.data.decode()

    spellings = [r"caf\u00e9", "café", r"caf\u00E9", r"\"\\\/\n", "\U0001f389", r"\ud83c\udf89", r"\ud83c"]
    for number, spelling in enumerate(spellings, 1):
        given = creation(number)
        made = call("createinvoice", f'["{given["invstring"]}","{spelling}","{given["preimage"]}"]')
        assert f'"result":{{"label":"{spelling}",' in made
    for spelling in spellings:
        listed = call("listinvoices", f'["{spelling}"]')
        assert listed.count('"label"') == listed.count(f'"label":"{spelling}"') == 1


def test_a_label_of_python_is_written_as_it_would_be_sent(node: Node) -> None:
    service = OffersService(node)
    given = creation(1) | {"label": 'a "b"\n'}
    assert service.createinvoice(CreateinvoiceRequest(**given)).label == 'a "b"\n'
    assert len(service.listinvoices(ListinvoicesRequest(label='a "b"\n')).invoices) == 1
