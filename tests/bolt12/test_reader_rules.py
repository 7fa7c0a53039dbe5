"""The rules that are made of what a reader knows (chain, time, features, request): each refuses something alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from lnoffers.bolt12 import CHAINS, Bolt12Error, Invoice, InvoiceRequest, Offer
from lnoffers.bolt12.features import bitmap
from lnoffers.bolt12.rules import invoice as invoice_rules
from lnoffers.bolt12.rules import invoice_request as invoice_request_rules
from lnoffers.bolt12.rules import offer as offer_rules
from lnoffers.bolt12.rules.rule import Rule
from lnoffers.bolt12.tlv import Record, write_records

from .samples import NOW, OTHER_SIGNER, PATH, SIGNER, invoice, offer, request_for, resigned, stream, unsigned_invoice

BITCOIN = CHAINS["bitcoin"]
ENDS = offer(offer_absolute_expiry=NOW)
ASKED = request_for(offer())
BOTH = frozenset({0, 2})
ASKED_WITH_FEATURE = request_for(offer(offer_features=bitmap(BOTH)), features=BOTH)
BY_PATH = request_for(offer(offer_issuer_id=None, offer_paths=(PATH,)))
BY_PATH_ANSWER = unsigned_invoice(BY_PATH, invoice_node_id=SIGNER.public_key).sign(SIGNER)


def forged(number: int, value: bytes) -> Invoice:
    """`invoice()` with another value of one record, signed again."""
    records = [*(record for record in invoice().records if record.type != number), Record.build(number, value)]
    return Invoice.from_bytes(write_records(resigned(Invoice, records, OTHER_SIGNER)))


# What makes the rule, the rule's name, and what is refused by it alone.
Case = tuple[ModuleType, str, str, Callable[[], object]]
CASES: list[Case] = [
    (offer_rules, "on_chain", "wrong-chain", lambda: Offer.from_bytes(offer().to_bytes(), chain=BITCOIN)),
    (
        offer_rules,
        "known_features",
        "unknown-offer-feature",
        lambda: Offer.from_bytes(offer(offer_features=b"\1").to_bytes()),
    ),
    (offer_rules, "unexpired", "offer-expired", lambda: ENDS.check_unexpired(NOW + 1)),
    (
        invoice_request_rules,
        "on_chain",
        "wrong-chain",
        lambda: InvoiceRequest.from_bytes(ASKED.to_bytes(), chain=BITCOIN),
    ),
    (
        invoice_request_rules,
        "known_features",
        "unknown-feature",
        lambda: InvoiceRequest.from_bytes(stream(invreq_features=b"\1")),
    ),
    (
        invoice_request_rules,
        "known_features",
        "unknown-offer-feature",
        lambda: ASKED_WITH_FEATURE.verify(features=frozenset({0})),
    ),
    (invoice_request_rules, "unexpired", "offer-expired", lambda: request_for(ENDS).check_unexpired(NOW)),
    (invoice_rules, "on_chain", "wrong-chain", lambda: Invoice.from_bytes(invoice().to_bytes(), chain=BITCOIN)),
    (
        invoice_rules,
        "known_features",
        "unknown-feature",
        lambda: Invoice.from_bytes(invoice(invoice_features=bitmap([18])).to_bytes()),
    ),
    (invoice_rules, "unexpired", "invoice-expired", lambda: invoice().check_unexpired(NOW + 7201)),
    (
        invoice_rules,
        "mirrors",
        "request-not-mirrored",
        lambda: forged(10, b"two coffees").verify_answer(ASKED),
    ),
    (
        invoice_rules,
        "comes_from",
        "node-id-unexpected",
        lambda: BY_PATH_ANSWER.verify_answer(BY_PATH, sent_to=OTHER_SIGNER.public_key),
    ),
    (invoice_rules, "asks_at_most", "amount-unexpected", lambda: forged(170, b"\x07\xd0").verify_answer(ASKED)),
]


def forget_rules() -> None:
    """Tables are made once for each reader; here they are made with and without a rule."""
    for rules in (offer_rules, invoice_request_rules, invoice_rules):
        rules._of_reader.cache_clear()
    invoice_request_rules._of_offer.cache_clear()


@pytest.fixture(autouse=True)
def _no_rule_remembered() -> Iterator[None]:
    yield
    forget_rules()


def lenient(*_: Any) -> Rule[Any]:
    """In place of any rule: one that finds no fault."""
    return Rule(None, "none", None, lambda _: None)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0].__name__.rpartition('.')[2]} {case[2]}")
def test_refuses_by_this_rule_and_no_other(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    rules, makes, rule, read = case
    with pytest.raises(Bolt12Error) as caught:
        read()
    assert caught.value.rule == rule
    monkeypatch.setattr(rules, makes, lenient)
    forget_rules()
    read()


def test_there_is_a_case_for_every_rule_that_is_made() -> None:
    made = {
        (rules, name)
        for rules in (offer_rules, invoice_request_rules, invoice_rules)
        for name, value in vars(rules).items()
        if callable(value) and getattr(value, "__annotations__", {}).get("return", "").startswith("Rule[")
        if name[0] != "_" and name not in {"check", "when", "required", "forbidden"}
    }
    assert made == {(rules, makes) for rules, makes, _, _ in CASES}
