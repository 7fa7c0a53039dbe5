"""createproof: which payments it proves, with which key, and what the proofs show.

The transcripts are upstream material; without it the tests that need it are skipped.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from clnrpc.runtime.server.dispatch import Answer
from lnoffers.bolt12 import Bip353Name, Invoice, PayerProof
from lnoffers.service import Node, OffersService, Options
from lnoffers.service.commands import proofs
from lnoffers.service.dispatching import dispatcher
from lnoffers.service.payment_states import PaymentState
from tests.bolt12 import samples
from tests.service.conftest import awaited
from tests.service.invoicing import Ask
from tests.service.paying import invoice_for, own_request, pay, preimage, request_of, store_payment
from tests.service.program import write_secret
from tests.service.test_transcripts import Exchange, exchanges
from tests.shared import shared_path

OFFER = samples.offer()
NO_PAYMENT = {"code": 1700, "message": "No successful payment found for that invstring"}
REFUSED = ": invalid token (see logs for details)"


def proved(ask: Ask, text: str, **more: Any) -> list[PayerProof]:
    """Return the proofs, verified by `decode` too."""
    found = ask("createproof", invstring=text, **more)
    for shown in found["proofs"]:
        decoded = ask("decode", shown["bolt12"])
        assert (decoded["type"], decoded["valid"]) == ("bolt12 payer_proof", True)
    made = [PayerProof.parse(shown["bolt12"]) for shown in found["proofs"]]
    for proof in made:
        proof.verify()
    return made


def node_of(name: str, directory: Path) -> Node:
    """Return a node with the secret of a recorded one."""
    secret = json.loads(shared_path("golden/nodes.json").read_text())[name]["hsm_secret_hex"]
    write_secret(directory / "regtest" / "hsm_secret", bytes.fromhex(secret))
    return Node.open(Options(lightning_dir=directory, network="regtest"))


def replayed(node: Node, exchange: Exchange) -> str:
    found = dispatcher(OffersService(node), developer=False).answer(exchange.request)
    return (found if isinstance(found, Answer) else asyncio.run(awaited(found))).data.decode()


def test_refuses_as_a_real_node_without_payments(tmp_path: Path) -> None:
    recorded = [each for each in exchanges("createproof-cancel") if b'"method":"createproof"' in each.request]
    assert len(recorded) == 10
    with node_of("l2", tmp_path) as node:
        for exchange in recorded:
            assert replayed(node, exchange) == exchange.response, exchange.case


def test_makes_the_proofs_of_a_real_node_to_the_byte(tmp_path: Path) -> None:
    with node_of("l2", tmp_path) as node:
        compared = 0
        for exchange in exchanges("offers-with-channel"):
            call, told = json.loads(exchange.request), json.loads(exchange.response)
            if call["method"] in ("xpay", "pay") and "result" in told:
                params = call["params"]
                text = params["invstring"] if isinstance(params, dict) else params[0]
                if text.startswith("lni1"):
                    store_payment(node, Invoice.parse(text), bytes.fromhex(told["result"]["payment_preimage"]))
            elif call["method"] == "createproof" and exchange.case != "createproof wrong node":
                assert replayed(node, exchange) == exchange.response, exchange.case
                compared += 1
        assert compared == 8


def test_another_node_that_has_not_paid_it_has_no_proof(tmp_path: Path) -> None:
    [exchange] = [each for each in exchanges("offers-with-channel") if each.case == "createproof wrong node"]
    with node_of("l1", tmp_path) as node:
        assert replayed(node, exchange) == exchange.response


def test_a_payment_for_a_request_of_ours_is_proved_with_the_key_that_signed_the_request(node: Node, ask: Ask) -> None:
    invoice = invoice_for(own_request(node))
    pay(node, invoice)
    [proof] = proved(ask, invoice.encode())
    assert proof.invreq_payer_id == node.keys.node_id


def test_a_payment_for_an_offer_is_proved_with_the_key_of_its_request(node: Node, ask: Ask) -> None:
    invoice = invoice_for(request_of(node, OFFER))
    pay(node, invoice)
    for text in (invoice.encode(), f"lightning:{invoice.encode()}", OFFER.encode(), OFFER.encode().upper()):
        [proof] = proved(ask, text)
        assert proof.invreq_payer_id == invoice.invreq_payer_id != node.keys.node_id


@pytest.mark.parametrize("state", [state for state in PaymentState if state is not PaymentState.PAID])
def test_what_is_not_paid_is_not_proved(node: Node, ask: Ask, state: PaymentState) -> None:
    invoice = invoice_for(request_of(node, OFFER))
    store_payment(node, invoice, preimage(1), state)
    assert ask("createproof", invoice.encode()) == NO_PAYMENT
    assert ask("createproof", OFFER.encode()) == NO_PAYMENT


def test_a_payment_for_the_request_of_another_node_is_not_proved(node: Node, ask: Ask) -> None:
    invoice = invoice_for(samples.request_for(OFFER))
    pay(node, invoice)
    error = ask("createproof", invoice.encode())
    assert error["code"] == 1700
    assert error["message"].startswith(NO_PAYMENT["message"])


def test_each_payment_for_an_offer_has_one_proof_oldest_first(node: Node, ask: Ask) -> None:
    number = 2 * proofs.PAGE + 1
    hashes = [pay(node, invoice_for(request_of(node, OFFER), each), each).payment_hash for each in range(number)]
    pay(node, invoice_for(request_of(node, samples.offer(offer_description="tea")), 99), 99)
    assert [proof.invoice_payment_hash for proof in proved(ask, OFFER.encode())] == hashes


def test_payments_are_found_by_name(node: Node, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proofs, "SCANNED", 2)
    name = Bip353Name(b"alice", b"example.com")
    wanted = [2, 5, 6]
    for each in range(8):
        named = {"invreq_bip_353_name": name} if each in wanted else {}
        pay(node, invoice_for(request_of(node, OFFER, **named), each), each)
    found = proved(ask, "\N{BITCOIN SIGN}alice@example.com")
    assert [proof.proof_preimage for proof in found] == [preimage(each) for each in wanted]
    assert ask("createproof", "alice@example.org") == NO_PAYMENT


@pytest.fixture
def paid(node: Node) -> str:
    """Return an invoice with many fields that the node has paid."""
    invoice = invoice_for(request_of(node, OFFER, invreq_payer_note="no sugar"))
    pay(node, invoice)
    return invoice.encode()


def test_shows_four_fields_by_default(ask: Ask, paid: str) -> None:
    [shown] = ask("createproof", paid)["proofs"]
    del shown["bolt12"]
    assert shown == {
        "offer_fields_included": ["offer_description", "offer_issuer_id"],
        "invreq_fields_included": ["invreq_payer_id"],
        "invoice_fields_included": [
            *("invoice_created_at", "invoice_payment_hash", "invoice_amount", "invoice_node_id", "signature"),
        ],
    }


def test_shows_the_fields_that_are_named_or_numbered_once_each(ask: Ask, paid: str) -> None:
    include = ["invreq_payer_note", 89, 8, 170, "signature", 240]
    [shown] = ask("createproof", invstring=paid, include=include)["proofs"]
    assert shown["offer_fields_included"] == ["offer_amount"]
    assert shown["invreq_fields_included"] == ["invreq_payer_id", "invreq_payer_note"]
    assert shown["invoice_fields_included"] == [
        "invoice_payment_hash",
        "invoice_amount",
        "invoice_node_id",
        "signature",
    ]


@pytest.mark.parametrize(
    ("include", "why"),
    [
        ([0], "a payer_proof cannot show invreq_metadata"),
        ([10, 1_000_000_024], "a payer_proof cannot show offer_recurrence_compulsory"),
        ([241], "a payer_proof cannot show 241"),
        ([1001], "a payer_proof cannot show 1001"),
        ([4_000_000_001], "a payer_proof cannot show 4000000001"),
        ([12345678902], "a payer_proof cannot show 12345678902"),
        (["invreq_metadata"], "Unknown field name"),
        (["offer_recurrence"], "Unknown field name"),
        ([1.5], "Expected name or number"),
        ("offer_amount", "Expected array"),
    ],
)
def test_refuses_fields_that_no_proof_can_show(ask: Ask, paid: str, include: object, why: str) -> None:
    refused = ask("createproof", invstring=paid, include=include)
    assert refused == {"code": -32602, "message": f"include: {why}{REFUSED}"}


@pytest.mark.parametrize(("note", "read"), [("a challenge", "a challenge"), ('say "hi"\n', 'say "hi"\n'), (7, "7")])
def test_signs_a_note_as_it_is_meant(ask: Ask, paid: str, note: object, read: str) -> None:
    [proof] = proved(ask, paid, note=note)
    assert proof.proof_note == read


@pytest.mark.parametrize("text", ["lni1qq", "lno1qq"])
def test_a_string_that_cannot_be_read_is_refused(ask: Ask, text: str) -> None:
    refused = ask("createproof", text)
    assert refused["code"] == -32602
    assert refused["message"].startswith(f"invstring: Invalid {'invoice' if text[2] == 'i' else 'offer'}: ")


def test_an_invoice_whose_payment_hash_is_another_payments_is_not_the_paid_one(node: Node, ask: Ask, paid: str) -> None:
    other = invoice_for(request_of(node, samples.offer(offer_description="gold")))
    assert other.invoice_payment_hash == Invoice.parse(paid).invoice_payment_hash
    assert ask("createproof", other.encode()) == NO_PAYMENT
