"""Invoices for requests of other nodes: their fields, what is stored, and what a request gets that comes again."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from lnoffers.bolt12 import Invoice, Recurrence
from lnoffers.net.blinding import message_path
from lnoffers.service import Node, Options
from lnoffers.service.answering.answers import ANSWERS_A_SECOND
from lnoffers.service.answering.issuer import MAX_OWN_BYTES, MAX_UNPAID, Issuer
from lnoffers.service.entropy import Entropy, InjectedEntropy
from lnoffers.service.status import StatusChange
from lnoffers.service.store import invoices, offers
from tests.service.invoicing import KEYS, NOW, OFFER, creation
from tests.service.program import SEED_SECRET, write_secret
from tests.service.requesting import answer, know, new_offer, pay, payer, refusal, requested, stored


@pytest.fixture
def issuer(node: Node) -> Issuer:
    """Return the issuer of a node that knows `OFFER`."""
    node.inject(None, NOW)
    node.entropy = Entropy()
    know(node, OFFER)
    return Issuer(node)


def test_the_invoice_answers_the_request_and_is_stored(issuer: Issuer, node: Node) -> None:
    request = requested(invreq_payer_note="with milk")
    made = answer(issuer, request)
    made.verify_answer(request)
    assert (made.invoice_amount, made.invoice_created_at, made.invoice_node_id) == (1_000, NOW, KEYS.node_id)
    assert (made.invoice_features, made.invoice_relative_expiry) == (bytes.fromhex("020000"), None)
    [row] = stored(node)
    assert row.label == f"{OFFER.offer_id.hex()}-{payer(1).public_key.hex()}-0"
    assert (row.bolt12, row.description, row.payer_note) == (made.encode(), "one coffee", "with milk")
    assert (row.amount_msat, row.expires_at, row.local_offer_id) == (1_000, NOW + 7200, OFFER.offer_id)
    assert (row.status, row.answers_request) == ("unpaid", True)
    assert sha256(row.payment_preimage).digest() == row.payment_hash == made.invoice_payment_hash


def test_preimage_and_path_key_come_from_the_injected_entropy(issuer: Issuer, node: Node) -> None:
    node.entropy = InjectedEntropy(bytes(range(64)))
    made = answer(issuer, requested())
    payment_hash = sha256(bytes(range(32))).digest()
    path_id = sha256(KEYS.named_secret("bolt12-invoice-base") + payment_hash).digest()
    assert made.invoice_payment_hash == payment_hash
    assert made.invoice_paths == (message_path(bytes(range(32, 64)), [KEYS.node_id], path_id),)


def test_without_entropy_nothing_is_stored(issuer: Issuer, node: Node, caplog: pytest.LogCaptureFixture) -> None:
    node.entropy = InjectedEntropy(bytes(63))
    assert refusal(issuer, requested()) == "Internal error"
    assert stored(node) == []
    assert "Injected entropy has run out" in caplog.text


def test_the_amount_is_the_payer_s_or_the_price_of_all_items(issuer: Issuer, node: Node) -> None:
    several = new_offer(node, offer_quantity_max=0)
    assert answer(issuer, requested(several, invreq_quantity=3)).invoice_amount == 3_000
    assert answer(issuer, requested(several, 2, invreq_quantity=3, invreq_amount=3_500)).invoice_amount == 3_500
    any_amount = new_offer(node, offer_amount=None)
    assert answer(issuer, requested(any_amount, invreq_amount=7)).invoice_amount == 7


def test_an_invoice_ends_with_its_offer(issuer: Issuer, node: Node) -> None:
    for left, expiry in ((1, 1), (7_199, 7_199), (7_200, None), (90_000, None)):
        ending = new_offer(node, offer_absolute_expiry=NOW + left)
        assert answer(issuer, requested(ending)).invoice_relative_expiry == expiry


# ---- the same payer again


def test_the_same_request_gets_the_same_invoice_until_that_expires(issuer: Issuer, node: Node) -> None:
    first = answer(issuer, requested())
    node.inject(None, NOW + 7_199)
    assert answer(issuer, requested()) == first
    assert answer(issuer, requested(invreq_payer_note="else")) == first, "the payer's key counts, not the content"
    node.inject(None, NOW + 7_200)
    second = answer(issuer, requested())
    assert second.invoice_payment_hash != first.invoice_payment_hash
    assert [row.bolt12 for row in stored(node)] == [second.encode()]


def test_another_payer_gets_another_invoice(issuer: Issuer, node: Node) -> None:
    hashes = {answer(issuer, requested(by=number)).invoice_payment_hash for number in (1, 2, 3)}
    assert len(hashes) == len(stored(node)) == 3


def test_a_paid_request_gets_an_internal_error(issuer: Issuer, node: Node, caplog: pytest.LogCaptureFixture) -> None:
    pay(node, answer(issuer, requested()))
    assert refusal(issuer, requested()) == "Internal error"
    assert not caplog.text, "a payer can cause it, and must not fill the log"
    assert [row.status for row in stored(node)] == ["paid"]


def test_a_single_use_offer_gives_invoices_until_one_is_paid(issuer: Issuer, node: Node) -> None:
    with node.store.transaction() as connection:
        connection.execute("UPDATE offers SET status = 3")
    first, second = answer(issuer, requested(by=1)), answer(issuer, requested(by=2))
    pay(node, second)
    assert refusal(issuer, requested(by=1)) == "Offer no longer available"
    assert first.encode() in [row.bolt12 for row in stored(node) if row.status == "expired"]


def test_an_offer_that_is_enabled_again_gives_new_invoices(issuer: Issuer, node: Node) -> None:
    first = answer(issuer, requested())
    with node.store.transaction() as connection:
        offers.apply(connection, OFFER.offer_id, StatusChange.DISABLED)
        invoices.expire_of_offer(connection, OFFER.offer_id)
        offers.apply(connection, OFFER.offer_id, StatusChange.ENABLED)
    assert answer(issuer, requested()) != first
    assert len(stored(node)) == 1


# ---- limits


def payers(node: Node) -> list[int]:
    """Return the numbers of the payers whose invoices are stored."""
    numbers = {payer(number).public_key: number for number in range(1, 10)}
    return [numbers[Invoice.parse(row.bolt12).invreq_payer_id or b""] for row in stored(node)]


def test_of_too_many_unpaid_invoices_the_oldest_makes_room(node: Node, issuer: Issuer) -> None:
    small = Issuer(node, max_unpaid=2)
    answer(small, requested(by=1))
    second = answer(small, requested(by=2))
    answer(small, requested(by=3))
    assert payers(node) == [2, 3]
    assert answer(small, requested(by=2)) == second, "one that is stored needs no room"
    assert payers(node) == [2, 3]


def test_of_too_many_unpaid_invoices_an_expired_one_makes_room_first(node: Node, issuer: Issuer) -> None:
    small = Issuer(node, max_unpaid=2)
    yearly = new_offer(node, offer_recurrence_compulsory=Recurrence(2, 12))
    answer(small, requested(yearly, 1, invreq_recurrence_counter=0))
    answer(small, requested(by=2))
    node.inject(None, NOW + 7_200)
    answer(small, requested(by=3))
    assert payers(node) == [1, 3]


def test_requests_for_one_offer_do_not_keep_out_those_for_another(node: Node, issuer: Issuer) -> None:
    small = Issuer(node, max_unpaid=3)
    yearly = new_offer(node, offer_recurrence_compulsory=Recurrence(2, 120))
    for number in range(1, 6):
        answer(small, requested(yearly, number, invreq_recurrence_counter=0))
    assert isinstance(answer(small, requested(by=9)), Invoice)
    assert payers(node) == [4, 5, 9]


def test_nobody_can_remove_an_invoice_within_minutes() -> None:
    assert MAX_UNPAID >= 8 * 60 * ANSWERS_A_SECOND


def test_paid_and_created_invoices_take_no_room(node: Node, issuer: Issuer, ask: object) -> None:
    assert callable(ask)
    assert "label" in ask("createinvoice", **creation(1))
    small = Issuer(node, max_unpaid=1)
    pay(node, answer(small, requested(by=1)))
    answer(small, requested(by=2))
    assert len(stored(node)) == 3
    answer(small, requested(by=3))
    assert [row.status for row in stored(node)] == ["unpaid", "paid", "unpaid"]


def test_a_payer_may_add_some_bytes_to_the_offer(issuer: Issuer, node: Node) -> None:
    empty = len(requested(invreq_payer_note="").to_bytes()) - len(OFFER.to_bytes())
    note = "x" * (MAX_OWN_BYTES - empty - 2)  # the length of its record takes two bytes more then
    assert isinstance(answer(issuer, requested(invreq_payer_note=note)), Invoice)
    long = requested(by=2, invreq_payer_note=note + "x")
    assert refusal(issuer, long) == "4097 bytes beside the offer, and at most 4096 are accepted"
    assert len(stored(node)) == 1


def test_an_amount_that_the_store_cannot_hold_is_refused(issuer: Issuer, node: Node) -> None:
    any_amount = new_offer(node, offer_amount=None)
    assert refusal(issuer, requested(any_amount, invreq_amount=2**63)) == "Excessive invoice_amount"
    assert answer(issuer, requested(any_amount, invreq_amount=2**63 - 1)).invoice_amount == 2**63 - 1


@pytest.fixture
def keeping(tmp_path: Path) -> Iterator[Node]:
    """Yield a node that keeps unpaid invoices for a hundred seconds."""
    write_secret(tmp_path / "regtest" / "hsm_secret", SEED_SECRET)
    options = Options(lightning_dir=tmp_path, network="regtest", dev_time=NOW, keep_unpaid=100)
    with Node.open(options) as opened:
        know(opened, OFFER)
        yield opened


def test_an_expired_answer_is_removed_after_some_time(keeping: Node) -> None:
    issuer = Issuer(keeping)
    answer(issuer, requested(by=1))
    pay(keeping, answer(issuer, requested(by=2)))
    keeping.inject(None, NOW + 7_299)
    assert not issuer.remove_expired(10)
    assert len(stored(keeping)) == 2
    keeping.inject(None, NOW + 7_300)
    assert not issuer.remove_expired(10)
    assert [row.status for row in stored(keeping)] == ["paid"]


def test_expired_answers_are_removed_in_batches(keeping: Node) -> None:
    issuer = Issuer(keeping)
    for number in range(1, 6):
        answer(issuer, requested(by=number))
    keeping.inject(None, NOW + 10_000)
    left = [(issuer.remove_expired(2), len(stored(keeping))) for _ in range(4)]
    assert left == [(True, 3), (True, 1), (False, 0), (False, 0)]


def test_created_invoices_are_never_removed(node: Node, issuer: Issuer, ask: object) -> None:
    assert callable(ask)
    assert "label" in ask("createinvoice", **creation(1))
    node.inject(None, NOW + 10**9)
    assert not issuer.remove_expired(10)
    assert len(stored(node)) == 1


def test_an_invoice_that_was_created_with_the_label_of_an_answer_stays(node: Node, issuer: Issuer, ask: object) -> None:
    assert callable(ask)
    label = f"{OFFER.offer_id.hex()}-{payer(1).public_key.hex()}-0"
    assert "label" in ask("createinvoice", **(creation(1) | {"label": label}))
    node.inject(None, NOW + 10**6)
    assert refusal(issuer, requested()) == "Internal error"
    assert len(stored(node)) == 1


def test_a_request_without_records_is_refused(issuer: Issuer) -> None:
    assert refusal(issuer, b"") == "Missing invreq_payer_id"
