"""Requests for recurring offers: one period after the other, each paid in its time, until the payer cancels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lnoffers.bolt12 import Invoice, InvoiceRequest, Offer, Recurrence, RecurrenceBase, RecurrencePaywindow
from lnoffers.service import Node
from lnoffers.service.answering.issuer import Issuer
from lnoffers.service.entropy import Entropy, InjectedEntropy
from lnoffers.service.rates import RateFile
from tests.service.invoicing import NOW
from tests.service.requesting import answer, new_offer, pay, refusal, requested, stored

DAY = 86_400
DAILY = Recurrence(1, 1)
MINUTE = Recurrence(0, 60)


@pytest.fixture
def issuer(node: Node) -> Issuer:
    node.inject(None, NOW)
    node.entropy = Entropy()
    return Issuer(node)


def recurring(node: Node, every: Recurrence = DAILY, **changes: Any) -> Offer:
    return new_offer(node, offer_recurrence_compulsory=every, **changes)


def period(offer: Offer, counter: int, **changes: Any) -> InvoiceRequest:
    return requested(offer, invreq_recurrence_counter=counter, **changes)


def paid(node: Node, issuer: Issuer, request: InvoiceRequest) -> Invoice:
    made = answer(issuer, request)
    pay(node, made)
    return made


def test_the_first_payment_starts_period_0(node: Node, issuer: Issuer) -> None:
    daily = recurring(node)
    first = paid(node, issuer, period(daily, 0))
    assert (first.invoice_recurrence_basetime, first.invoice_relative_expiry) == (NOW, DAY - 1)
    node.inject(None, NOW + 1_000)
    second = answer(issuer, period(daily, 1))
    assert (second.invoice_recurrence_basetime, second.invoice_relative_expiry) == (NOW, 2 * DAY - 1_001)
    assert [row.label[-2:] for row in stored(node)] == ["-0", "-1"]


def test_the_period_before_must_be_paid(node: Node, issuer: Issuer) -> None:
    daily = recurring(node)
    assert refusal(issuer, period(daily, 1)) == "No previous invoice #0"
    answer(issuer, period(daily, 0))
    assert refusal(issuer, period(daily, 1)) == 'Previous invoice #0 status "unpaid"'
    node.inject(None, NOW + DAY)
    assert refusal(issuer, period(daily, 1)) == 'Previous invoice #0 status "expired"'


def test_a_period_is_paid_from_the_start_of_the_one_before_to_its_end(node: Node, issuer: Issuer) -> None:
    quick = recurring(node, MINUTE)
    paid(node, issuer, period(quick, 0))
    paid(node, issuer, period(quick, 1))
    assert refusal(issuer, period(quick, 2)) == f"period_index 2 too early (start {NOW + 60})"
    node.inject(None, NOW + 180)
    assert refusal(issuer, period(quick, 2)) == f"period_index 2 too late (ended {NOW + 179})"
    node.inject(None, NOW + 179)
    assert answer(issuer, period(quick, 2)).invoice_relative_expiry == 1, "which never is 0"


def test_a_paywindow_sets_its_own_time(node: Node, issuer: Issuer) -> None:
    window = recurring(node, offer_recurrence_paywindow=RecurrencePaywindow(100, 200))
    assert answer(issuer, period(window, 0)).invoice_relative_expiry == 200
    pay(node, answer(issuer, period(window, 0)))
    assert refusal(issuer, period(window, 1)) == f"period_index 1 too early (start {NOW + DAY - 100})"
    node.inject(None, NOW + DAY + 201)
    assert refusal(issuer, period(window, 1)) == f"period_index 1 too late (ended {NOW + DAY + 200})"


def test_a_base_sets_period_0_and_needs_a_start(node: Node, issuer: Issuer) -> None:
    based = recurring(node, offer_recurrence_base=RecurrenceBase(0, NOW - 10 * DAY), offer_recurrence_limit=12)
    assert refusal(issuer, period(based, 0)) == "missing invreq_recurrence_start"
    assert refusal(issuer, period(based, 0, invreq_recurrence_start=13)) == "period_index 13 too great"
    made = answer(issuer, period(based, 0, invreq_recurrence_start=10))
    assert made.invoice_recurrence_basetime == NOW - 10 * DAY
    unbased = recurring(node)
    start = period(unbased, 0, invreq_recurrence_start=0)
    assert refusal(issuer, start) == "unexpected invreq_recurrence_start"


def test_the_limit_is_the_last_period(node: Node, issuer: Issuer) -> None:
    limited = recurring(node, MINUTE, offer_recurrence_limit=1)
    paid(node, issuer, period(limited, 0))
    paid(node, issuer, period(limited, 1))
    assert refusal(issuer, period(limited, 2)) == "period_index 2 too great"


def test_an_expired_offer_still_serves_those_who_have_begun(node: Node, issuer: Issuer) -> None:
    ending = recurring(node, offer_absolute_expiry=NOW + 10)
    paid(node, issuer, period(ending, 0))
    node.inject(None, NOW + 20)
    assert isinstance(answer(issuer, period(ending, 1)), Invoice)
    assert refusal(issuer, period(ending, 0, invreq_payer_note="again")) == "Offer expired"


def test_a_proportional_amount_is_for_the_rest_of_the_period(node: Node, issuer: Issuer) -> None:
    share = recurring(node, offer_recurrence_base=RecurrenceBase(1, NOW - DAY // 4))
    request = period(share, 0, invreq_recurrence_start=0)
    made = answer(issuer, request)
    assert made.invoice_amount == 750
    made.verify_answer(request, max_amount=1_000)
    early = requested(share, 2, invreq_recurrence_counter=0, invreq_recurrence_start=1)
    assert answer(issuer, early).invoice_amount == 1_000, "the period has not begun"
    less = requested(share, 3, invreq_recurrence_counter=0, invreq_recurrence_start=0, invreq_amount=749)
    assert refusal(issuer, less) == "Amount must be at least 750msat"


def test_the_last_second_of_a_period_costs_something(node: Node, issuer: Issuer) -> None:
    share = recurring(node, offer_amount=10, offer_recurrence_base=RecurrenceBase(1, NOW - DAY + 1))
    assert answer(issuer, period(share, 0, invreq_recurrence_start=0)).invoice_amount == 1


@pytest.mark.parametrize(("every", "seconds"), [(DAILY, 600), (Recurrence(0, 601), 600), (Recurrence(0, 600), 599)])
def test_an_invoice_in_a_currency_ends_with_the_paywindow_or_after_ten_minutes(
    node: Node, issuer: Issuer, tmp_path: Path, every: Recurrence, seconds: int
) -> None:
    rates = tmp_path / "rates.json"
    rates.write_text('{"EUR": 80000}')
    node.rates = RateFile(rates)
    euros = recurring(node, every, offer_currency="EUR")
    assert answer(issuer, period(euros, 0)).invoice_relative_expiry == seconds


# ---- the end of a recurrence


def test_a_cancelled_period_gets_no_invoice(node: Node, issuer: Issuer) -> None:
    daily = recurring(node)
    paid(node, issuer, period(daily, 0))
    cancel = period(daily, 1, invreq_recurrence_cancel=True)
    assert issuer.answer(cancel, None) is None
    assert refusal(issuer, period(daily, 1)) == "invoice cancelled"
    _, cancelled = stored(node)
    assert Invoice.parse(cancelled.bolt12).invoice_relative_expiry == 0
    assert (cancelled.amount_msat, cancelled.answers_request) == (1_000, False)
    assert 2_000_000_094 not in {record.type for record in Invoice.parse(cancelled.bolt12).records}


def test_a_cancellation_is_remembered_for_good(node: Node, issuer: Issuer) -> None:
    daily = recurring(node)
    paid(node, issuer, period(daily, 0))
    issuer.answer(period(daily, 1, invreq_recurrence_cancel=True), None)
    node.inject(None, NOW + 2 * DAY - 1)
    assert not issuer.remove_expired(10)
    assert refusal(issuer, period(daily, 1)) == "invoice cancelled"


def test_a_period_with_an_unpaid_invoice_is_not_cancelled(node: Node, issuer: Issuer) -> None:
    daily = recurring(node)
    paid(node, issuer, period(daily, 0))
    first = answer(issuer, period(daily, 1))
    assert issuer.answer(period(daily, 1, invreq_recurrence_cancel=True), None) is None
    assert answer(issuer, period(daily, 1)) == first, "as in Core Lightning"


def test_a_cancellation_has_the_limits_of_other_requests(node: Node, issuer: Issuer) -> None:
    offer = recurring(node, offer_amount=None)
    paid(node, issuer, period(offer, 0, invreq_amount=5))
    much = period(offer, 1, invreq_amount=2**64 - 1, invreq_recurrence_cancel=True)
    assert refusal(issuer, much) == "Excessive invoice_amount"
    long = period(offer, 1, invreq_payer_note="x" * 8_000, invreq_recurrence_cancel=True)
    assert refusal(issuer, long).endswith("bytes beside the offer, and at most 4096 are accepted")
    assert [row.status for row in stored(node)] == ["paid"]


def test_a_period_is_cancelled_once_and_after_the_one_before_is_paid(node: Node, issuer: Issuer) -> None:
    daily = recurring(node)
    cancel = [period(daily, counter, invreq_recurrence_cancel=True) for counter in range(3)]
    assert refusal(issuer, cancel[1]) == "No previous invoice #0"
    paid(node, issuer, period(daily, 0))
    assert issuer.answer(cancel[1], None) is None
    assert refusal(issuer, cancel[1]) == "invoice cancelled"
    assert refusal(issuer, cancel[2]) == 'Previous invoice #1 status "expired"'
    assert len(stored(node)) == 2


def test_a_cancellation_needs_neither_amount_nor_quantity(node: Node, issuer: Issuer) -> None:
    several = recurring(node, offer_amount=None, offer_quantity_max=3)
    paid(node, issuer, period(several, 0, invreq_amount=5, invreq_quantity=1))
    cancel = period(several, 1, invreq_recurrence_cancel=True)
    assert issuer.answer(cancel, None) is None
    assert [row.amount_msat for row in stored(node)] == [5, 0]


def test_the_first_period_cannot_be_cancelled(node: Node, issuer: Issuer) -> None:
    cancel = period(recurring(node), 0, invreq_recurrence_cancel=True)
    node.entropy = InjectedEntropy(b"")  # none is needed
    assert refusal(issuer, cancel) == "invreq_recurrence_cancel is invalid with invreq_recurrence_counter zero"
    assert stored(node) == [], "or strangers could store as much as they like"
