"""listpays: the payments of the node, and how they are selected; as a real node shows them.

The transcripts are upstream material; without it the test that needs it is skipped.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from lnoffers.bolt12 import Invoice
from lnoffers.service import Node
from lnoffers.service.commands.pages import PAGE_ROWS
from lnoffers.service.payment_states import PaymentState
from tests.bolt12 import samples
from tests.service.invoicing import NOW, Ask
from tests.service.paying import invoice_for, pay, preimage, request_of, store_payment
from tests.service.test_transcripts import exchanges

OFFER = samples.offer()


def stored(node: Node, number: int, state: PaymentState = PaymentState.PAID) -> Invoice:
    invoice = invoice_for(request_of(node, OFFER), number)
    store_payment(node, invoice, preimage(number), state)
    return invoice


def hashes(found: Any) -> list[str]:
    return [each["payment_hash"] for each in found["pays"]]


def test_shows_a_payment_in_full(node: Node, ask: Ask) -> None:
    invoice = stored(node, 1)
    assert ask("listpays")["pays"] == [
        {
            "bolt12": invoice.encode(),
            "destination": samples.OTHER_SIGNER.public_key.hex(),
            "description": "one coffee",
            "payment_hash": (invoice.invoice_payment_hash or b"").hex(),
            "status": "complete",
            "created_at": NOW,
            "completed_at": NOW + 1,
            "preimage": preimage(1).hex(),
            "amount_msat": 1_000,
            "amount_sent_msat": 1_001,
            "created_index": 1,
            "state": "paid",
            "backend": "none",
        }
    ]


@pytest.mark.parametrize(
    ("state", "status", "sent"),
    [
        ("claimed", "pending", 1_000),
        ("paying", "pending", 1_000),
        ("unknown", "pending", 1_000),
        ("failed", "failed", 0),
    ],
)
def test_a_payment_that_is_not_complete_has_no_preimage(
    node: Node, ask: Ask, state: str, status: str, sent: int
) -> None:
    stored(node, 1, PaymentState(state))
    [shown] = ask("listpays")["pays"]
    assert (shown["status"], shown["state"], shown["amount_sent_msat"]) == (status, state, sent)
    assert "preimage" not in shown
    assert shown.get("reason") == ("no route" if state == "failed" else None)


def test_selects_by_invoice_hash_and_status(node: Node, ask: Ask) -> None:
    made = [stored(node, number, state) for number, state in enumerate(PaymentState, 1)]
    all_of_them = [(each.invoice_payment_hash or b"").hex() for each in made]
    assert hashes(ask("listpays")) == all_of_them
    assert hashes(ask("listpays", bolt11=made[1].encode())) == all_of_them[1:2]
    assert hashes(ask("listpays", payment_hash=all_of_them[2])) == all_of_them[2:3]
    assert hashes(ask("listpays", status="pending")) == all_of_them[:3]
    assert hashes(ask("listpays", status="complete")) == all_of_them[3:4]
    assert hashes(ask("listpays", status="failed", payment_hash=all_of_them[0])) == []


def test_a_part_of_the_list_is_counted_by_the_index(node: Node, ask: Ask) -> None:
    states = [PaymentState.PAID, PaymentState.FAILED, PaymentState.PAID, PaymentState.PAID]
    made = [(stored(node, number, state).invoice_payment_hash or b"").hex() for number, state in enumerate(states)]
    assert [each["created_index"] for each in ask("listpays")["pays"]] == [1, 2, 3, 4]
    assert hashes(ask("listpays", index="created", start=2)) == made[1:]
    assert hashes(ask("listpays", index="created", start=2, limit=2)) == made[1:3]
    assert hashes(ask("listpays", index="created", limit=2, status="complete")) == made[:1]
    for none in ({"limit": 0}, {"start": 2**64 - 1}):
        assert ask("listpays", index="created", **none) == {"pays": []}


def test_a_long_list_is_read_in_pages(node: Node, ask: Ask) -> None:
    number = PAGE_ROWS + 3
    for each in range(number):
        pay(node, invoice_for(request_of(node, OFFER), each), each)
    assert [each["created_index"] for each in ask("listpays")["pays"]] == list(range(1, number + 1))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"bolt11": samples.invoice().encode(), "payment_hash": "00" * 32}, "Can only specify one of {bolt11} or"),
        ({"start": 1}, "Can only specify {start} with {index}"),
        ({"limit": 1}, "Can only specify {limit} with {index}"),
        ({"index": "updated"}, "index: payments are listed by the index 'created' only"),
        ({"bolt11": "lnbc1"}, "bolt11: Invalid invoice: "),
        ({"status": "paid"}, "status: should be 'pending', 'complete' or 'failed': "),
        ({"index": "deleted"}, "index: unknown index: "),
    ],
)
def test_parameters_that_do_not_go_together_are_refused(ask: Ask, params: dict[str, Any], message: str) -> None:
    for method, given in (("listpays", params), ("check", {"command_to_check": "listpays"} | params)):
        refused = ask(method, **given)
        assert refused["code"] == -32602
        assert refused["message"].startswith(message)


def test_a_payment_looks_as_a_real_node_shows_it(node: Node, ask: Ask) -> None:
    [exchange] = [each for each in exchanges("offers-with-channel") if each.case == "listpays"]
    [told] = json.loads(exchange.response)["result"]["pays"]
    store_payment(node, Invoice.parse(told["bolt12"]), bytes.fromhex(told["preimage"]))
    [shown] = ask("listpays", told["bolt12"])["pays"]
    ours = {"description", "state", "backend"}
    theirs = {"created_index", "updated_index", "created_at", "completed_at", "amount_sent_msat"}
    assert [name for name in shown if name not in ours] == [name for name in told if name != "updated_index"]
    for name in told.keys() - theirs:
        assert shown[name] == told[name]
