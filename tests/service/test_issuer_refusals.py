"""The errors that answer bad requests: Core Lightning's texts, and of two faults the one that it finds first."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lnoffers.bolt12 import Bip353Name, ChannelEnd, InvoiceRequest, Offer, Recurrence
from lnoffers.bolt12.blinded_paths import BlindedPath
from lnoffers.bolt12.tlv import Record
from lnoffers.net.blinding import message_path
from lnoffers.service import Node, Options
from lnoffers.service.answering.issuer import Issuer
from lnoffers.service.entropy import Entropy
from lnoffers.service.status import StatusChange
from lnoffers.service.store import offers
from tests.bolt12.samples import OTHER_SIGNER, REGTEST
from tests.service.invoicing import KEYS, NOW, OFFER
from tests.service.program import SEED_SECRET, write_secret
from tests.service.requesting import answer, know, new_offer, payer, refusal, requested, stored, with_records, without

FRONT = OTHER_SIGNER.public_key
DAILY = Recurrence(1, 1)
BITCOIN = "6fe28c0ab6f1b372c1a6a246ae63f74f931e8365e15a089c68d6190000000000"
PATH_ID = KEYS.path_id(OFFER.offer_id)


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """Yield a node that knows `OFFER`, has rates, and names a wrong path in its refusals."""
    write_secret(tmp_path / "regtest" / "hsm_secret", SEED_SECRET)
    rates = tmp_path / "rates.json"
    rates.write_text(json.dumps({"EUR": 80_000, "JPY": 3, "USD": 70_000}))
    options = Options(lightning_dir=tmp_path, network="regtest", dev_time=NOW, developer=True, currency_rates=rates)
    with Node.open(options) as opened:
        opened.entropy = Entropy()
        know(opened, OFFER)
        yield opened


@pytest.fixture
def issuer(node: Node) -> Issuer:
    return Issuer(node)


class Case(NamedTuple):
    """A request with one fault, or several of which the first counts: how it is made, and the text."""

    make: Callable[[Node], InvoiceRequest | bytes]
    text: str
    path_id: bytes | None = None


def fronted(*nodes: bytes | ChannelEnd, offer: Offer = OFFER) -> Offer:
    """Return the offer with a path of two hops from each of these to the node."""
    made = [message_path(b"p" * 32, [FRONT, KEYS.node_id], PATH_ID) for _ in nodes]
    paths = [BlindedPath(first, path.first_path_key, path.hops) for first, path in zip(nodes, made, strict=True)]
    return offer.with_paths(paths)


def disabled(node: Node, offer: Offer) -> Offer:
    with node.store.transaction() as connection:
        assert offers.apply(connection, offer.offer_id, StatusChange.DISABLED)
    return offer


def forged(request: InvoiceRequest) -> bytes:
    """Return the request with a signature of something else."""
    others = [record for record in request.records if record.type != InvoiceRequest.signature.number]
    other = requested(by=1, invreq_payer_note="another")
    assert other.signature is not None
    records = sorted([*others, Record.build(InvoiceRequest.signature.number, other.signature)])
    return b"".join(record.raw for record in records)


def recurring(node: Node, **changes: Any) -> Offer:
    return new_offer(node, offer_recurrence_compulsory=DAILY, **changes)


CASES = {
    # 1. The request itself.
    "high field": Case(lambda _: with_records(requested(), (161, b"")), "Invalid high fields"),
    "higher field": Case(lambda _: with_records(requested(), (3_000_000_001, b"")), "Invalid high fields"),
    "no payer": Case(lambda _: without(requested(), 88), "Missing invreq_payer_id"),
    "no metadata": Case(lambda _: without(requested(), 0), "Missing invreq_metadata"),
    "feature": Case(lambda _: requested(invreq_features=b"\5"), "Unsupported invreq feature 0"),
    "name": Case(lambda _: requested(invreq_bip_353_name=Bip353Name(b"b b", b"x.y")), "invalid bip353 name fields"),
    "no chain": Case(lambda _: requested(invreq_chain=None), f"Wrong chain {BITCOIN}"),
    "chain": Case(lambda _: requested(invreq_chain=b"\7" * 32), f"Wrong chain {'07' * 32}"),
    "no offer": Case(lambda _: without(requested(), 22), "Not based on an offer"),
    "chain before offer": Case(lambda _: without(requested(invreq_chain=None), 22), f"Wrong chain {BITCOIN}"),
    # 2. Whether it is for an offer of this node, and came along its path.
    "changed offer": Case(lambda _: with_records(requested(), (12, b"")), "Unknown offer"),
    "unknown before signature": Case(lambda _: without(with_offer_id(b"\2"), 240), "Unknown offer"),
    "path for none": Case(lambda _: requested(), "Unexpected blinded path", PATH_ID),
    "no path": Case(lambda node: requested(know(node, fronted(FRONT))), "Expected blinded path"),
    "short path id": Case(lambda node: requested(know(node, fronted(FRONT))), "Expected blinded path", b"x"),
    "other path": Case(lambda node: requested(know(node, fronted(FRONT))), "Wrong blinded path", b"x" * 32),
    # 3. Whether the offer can be paid.
    "disabled": Case(lambda node: requested(disabled(node, new_offer(node))), "Offer no longer available"),
    "expired": Case(lambda node: requested(new_offer(node, offer_absolute_expiry=NOW)), "Offer expired"),
    "disabled before expired": Case(
        lambda node: requested(disabled(node, new_offer(node, offer_absolute_expiry=1))), "Offer no longer available"
    ),
    "expired before quantity": Case(
        lambda node: requested(new_offer(node, offer_absolute_expiry=NOW, offer_quantity_max=0)), "Offer expired"
    ),
    # 4. Its fronting nodes.
    "front itself": Case(
        lambda node: requested(know(node, fronted(KEYS.node_id), force_paths=True)),
        "Fronting failed, could not find any fronts",
        PATH_ID,
    ),
    "front by a channel": Case(
        lambda node: requested(know(node, fronted(ChannelEnd(0, 1)), force_paths=True)),
        "Fronting failed, could not find any fronts",
        PATH_ID,
    ),
    # 5. The quantity.
    "no quantity": Case(lambda node: requested(new_offer(node, offer_quantity_max=5)), "missing invreq_quantity"),
    "zero": Case(
        lambda node: requested(new_offer(node, offer_quantity_max=5), invreq_quantity=0), "quantity zero invalid"
    ),
    "too many": Case(
        lambda node: requested(new_offer(node, offer_quantity_max=5), invreq_quantity=6), "quantity 6 > 5"
    ),
    "one": Case(lambda _: requested(invreq_quantity=1), "unexpected invreq_quantity"),
    "zero of one": Case(lambda _: requested(invreq_quantity=0), "unexpected invreq_quantity"),
    "quantity before signature": Case(
        lambda _: without(requested(invreq_quantity=1), 240), "unexpected invreq_quantity"
    ),
    # 6. The signature.
    "unsigned": Case(lambda _: without(requested(), 240), "missing signature"),
    "forged": Case(lambda _: forged(requested()), "bad signature"),
    "signature before counter": Case(lambda node: forged(requested(recurring(node))), "bad signature"),
    # 7. Whether it recurs.
    "no counter": Case(lambda node: requested(recurring(node)), "missing invreq_recurrence_counter"),
    "counter": Case(lambda _: requested(invreq_recurrence_counter=0), "unexpected invreq_recurrence_counter"),
    "start": Case(lambda _: requested(invreq_recurrence_start=0), "unexpected invreq_recurrence_start"),
    "cancel": Case(lambda _: requested(invreq_recurrence_cancel=True), "unexpected invreq_recurrence_cancel"),
    "counter before amount": Case(
        lambda _: requested(invreq_recurrence_counter=0, invreq_amount=1), "unexpected invreq_recurrence_counter"
    ),
    # 8. The amount.
    "overflow": Case(
        lambda node: requested(new_offer(node, offer_quantity_max=0), invreq_quantity=2**64 - 1),
        f"quantity {2**64 - 1} causes overflow",
    ),
    "overflow in a currency": Case(
        lambda node: requested(new_offer(node, offer_quantity_max=0, offer_currency="EUR"), invreq_quantity=2**64 - 1),
        f"quantity {2**64 - 1} causes overflow",
    ),
    "no amount": Case(lambda node: requested(new_offer(node, offer_amount=None)), "missing invreq_amount"),
    "nothing": Case(
        lambda node: requested(new_offer(node, offer_amount=None), invreq_amount=0), "Amount must be at least 1msat"
    ),
    "too little": Case(lambda _: requested(invreq_amount=999), "Amount must be at least 1000msat"),
    "too little for several": Case(
        lambda node: requested(new_offer(node, offer_quantity_max=0), invreq_quantity=2, invreq_amount=1_999),
        "Amount must be at least 2000msat",
    ),
    "too little in a currency": Case(
        lambda node: requested(new_offer(node, offer_currency="EUR"), invreq_amount=12_499_999),
        "Amount must be at least 12500000msat",
    ),
    "too much": Case(
        lambda node: requested(new_offer(node, offer_amount=2), invreq_amount=15), "Amount vastly exceeds 2msat"
    ),
    "no rate": Case(lambda node: requested(new_offer(node, offer_currency="CHF")), "Internal error"),
    "no currency": Case(lambda node: requested(new_offer(node, offer_currency="QQQ")), "Internal error"),
    "amount before period": Case(
        lambda node: requested(recurring(node), invreq_recurrence_counter=3, invreq_amount=1),
        "Amount must be at least 1000msat",
    ),
}


def with_offer_id(changed: bytes) -> InvoiceRequest:
    """Return a request for an offer with other features, which the node does not know."""
    unknown = Offer.build(offer_issuer_id=KEYS.node_id, offer_features=changed, offer_chains=(REGTEST,))
    return requested(unknown, invreq_amount=1)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_bad_request_is_refused_in_core_lightning_s_words(node: Node, issuer: Issuer, case: Case) -> None:
    request = case.make(node)
    assert refusal(issuer, request, case.path_id) == case.text
    assert stored(node) == []


def test_without_developer_it_is_not_said_which_path_was_wrong(tmp_path: Path) -> None:
    write_secret(tmp_path / "regtest" / "hsm_secret", SEED_SECRET)
    with Node.open(Options(lightning_dir=tmp_path, network="regtest", dev_time=NOW)) as node:
        know(node, OFFER)
        hidden = know(node, fronted(FRONT))
        issuer = Issuer(node)
        assert refusal(issuer, requested(), PATH_ID) == "Unknown offer"
        assert refusal(issuer, requested(hidden)) == "Unknown offer"
        assert refusal(issuer, requested(hidden), b"x" * 32) == "Unknown offer"


def test_an_offer_with_paths_is_answered_along_them(node: Node, issuer: Issuer) -> None:
    hidden = know(node, fronted(FRONT), force_paths=True)
    assert answer(issuer, requested(hidden), PATH_ID).invoice_node_id == KEYS.node_id


def test_an_amount_up_to_five_times_the_price_is_accepted(node: Node, issuer: Issuer) -> None:
    cheap = new_offer(node, offer_amount=2)
    assert answer(issuer, requested(cheap, invreq_amount=14)).invoice_amount == 14


def test_a_price_in_a_currency_is_converted_and_rounded_up(node: Node, issuer: Issuer) -> None:
    euros = new_offer(node, offer_amount=150, offer_currency="EUR", offer_quantity_max=0)
    made = answer(issuer, requested(euros, invreq_quantity=2))
    assert (made.invoice_amount, made.invoice_relative_expiry) == (3_750_000, 600)
    dollars = new_offer(node, offer_amount=1, offer_currency="USD")
    assert answer(issuer, requested(dollars)).invoice_amount == 14_286, "one cent is 14285.7 msat"
    yen = new_offer(node, offer_amount=1, offer_currency="JPY")
    assert answer(issuer, requested(yen)).invoice_amount == 33_333_333_334, "which has no minor unit"


def test_rates_that_cannot_be_read_are_an_internal_error_that_the_log_explains(
    node: Node, issuer: Issuer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "rates.json").unlink()
    assert refusal(issuer, requested(new_offer(node, offer_currency="EUR"))) == "Internal error"
    assert "rates.json cannot be read" in caplog.text


def test_a_request_that_is_too_long_to_be_repeated_is_not(issuer: Issuer) -> None:
    long = requested(invreq_payer_note="x" * 9_000)
    assert refusal(issuer, long).startswith("Failed invreq: ")


def test_a_damaged_invoice_is_an_internal_error(node: Node, issuer: Issuer) -> None:
    answer(issuer, requested())
    with node.store.transaction() as connection:
        connection.execute("UPDATE invoices SET bolt12 = 'lni1'")
    assert refusal(issuer, requested()) == "Internal error"
    with node.store.transaction() as connection:
        connection.execute("UPDATE invoices SET payment_hash = 'x'")
    assert refusal(issuer, requested()) == "Internal error"


def test_a_damaged_offer_is_answered_because_the_request_repeats_it(node: Node, issuer: Issuer) -> None:
    with node.store.transaction() as connection:
        connection.execute("UPDATE offers SET bolt12 = 'lno1'")
    assert answer(issuer, requested()).offer_id == OFFER.offer_id


def test_a_payer_s_signature_is_checked_against_its_key(node: Node, issuer: Issuer) -> None:
    request = requested(by=2)
    swapped = [record for record in request.records if record.type != 88]
    swapped.append(Record.build(88, payer(3).public_key))
    assert refusal(issuer, b"".join(record.raw for record in sorted(swapped))) == "bad signature"
