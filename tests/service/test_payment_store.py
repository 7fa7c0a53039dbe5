"""Stored payments: a claim has one winner, only its owner takes steps, and unknown never gives it back."""

from __future__ import annotations

from hashlib import sha256
from itertools import product
from typing import Any

import pytest

from lnoffers.service.errors import StoreError
from lnoffers.service.payment_states import OPEN, STEPS, PaymentEvent, PaymentState
from lnoffers.service.status import Status, StatusChange
from lnoffers.service.store import Store, invoicerequests, payments
from lnoffers.service.store.invoicerequests import StoredRequest
from lnoffers.service.store.payments import MAX_FAILED, ClaimError, NewPayment, StoredPayment

REQUEST = bytes([7]) * 32
SINGLE, MULTI = Status.created(single_use=True), Status.created(single_use=False)
PAID = {"completed_at": 11, "preimage": bytes(32), "sent_msat": 1_001}
FAILED = {"completed_at": 11, "reason": "no route"}


def add_request(store: Store, status: Status = SINGLE) -> None:
    with store.transaction() as connection:
        invoicerequests.add(connection, StoredRequest(REQUEST, "lnr1", None, status))


def new(number: int, **changes: Any) -> NewPayment:
    """Return one of many invoices for the request."""
    values: dict[str, Any] = {
        "payment_hash": sha256(bytes([number])).digest(),
        "invreq_id": REQUEST,
        "offer_id": None,
        "bolt12": f"lni1{number}",
        "amount_msat": 1_000,
        "limit_msat": 1_005,
        "expires_at": 7_210,
        "backend": "play",
        "owner": "one",
        "created_at": 10,
    }
    return NewPayment(**values | changes)


def claim(store: Store, number: int = 1, **changes: Any) -> StoredPayment:
    with store.transaction() as connection:
        return payments.claim(connection, new(number, **changes))


def step(store: Store, payment: StoredPayment, event: PaymentEvent, **changes: Any) -> StoredPayment | None:
    with store.transaction() as connection:
        return payments.step(connection, payment, event, **changes)


def done(store: Store, payment: StoredPayment, event: PaymentEvent, **changes: Any) -> StoredPayment:
    changed = step(store, payment, event, **changes)
    assert changed is not None
    return changed


def status(store: Store) -> Status | None:
    with store.transaction(writes=False) as connection:
        return invoicerequests.status_of(connection, REQUEST)


def test_a_single_use_is_claimed_for_one_invoice_and_the_others_hear_why(store: Store) -> None:
    add_request(store)
    first = claim(store)
    assert (first.state, first.single_use, first.owner) == ("claimed", True, "one")
    with pytest.raises(
        ClaimError, match=f"Single-use invoice_request already in progress with {first.payment_hash.hex()}"
    ):
        claim(store, 2)
    paying = done(store, first, PaymentEvent.BEGUN)
    done(store, paying, PaymentEvent.PAID, **PAID)
    assert status(store) == Status.SINGLE_USE | Status.USED
    with pytest.raises(ClaimError, match=f"Single-use invoice_request already paid with {first.payment_hash.hex()}"):
        claim(store, 2)


def test_a_refused_claim_changes_nothing(store: Store) -> None:
    add_request(store)
    first = claim(store)
    for number in (1, 2):
        with pytest.raises(ClaimError):
            claim(store, number)
    with store.transaction(writes=False) as connection:
        assert payments.of_request(connection, REQUEST) == [first]
        assert payments.last_fence(connection) == first.fence


def test_a_request_for_many_uses_pays_each_invoice_once(store: Store) -> None:
    add_request(store, MULTI)
    for number in (1, 2):
        done(store, done(store, claim(store, number), PaymentEvent.BEGUN), PaymentEvent.PAID, **PAID)
        assert status(store) == MULTI | Status.USED
    with pytest.raises(ClaimError, match="Invoice already paid with"):
        claim(store, 1)


def test_an_invoice_of_a_request_that_is_not_stored_is_paid_once(store: Store) -> None:
    """As of one for an offer of another node."""
    assert not claim(store).single_use
    assert claim(store, 2).fence > 0
    with pytest.raises(ClaimError, match="Invoice already in progress with"):
        claim(store, 1)


def test_a_disabled_request_is_not_claimed(store: Store) -> None:
    add_request(store, Status.SINGLE_USE)
    with pytest.raises(ClaimError, match="invoice_request no longer available"):
        claim(store)


def test_a_failure_frees_the_request_for_the_same_invoice_and_for_others(store: Store) -> None:
    add_request(store)
    done(store, done(store, claim(store), PaymentEvent.BEGUN), PaymentEvent.FAILED, **FAILED)
    assert status(store) == SINGLE
    again = claim(store)
    assert (again.state, again.reason) == ("claimed", None)
    done(store, again, PaymentEvent.FAILED, **FAILED)
    assert claim(store, 2).state == "claimed"


def test_another_invoice_with_the_payment_hash_of_a_failed_one_is_refused(store: Store) -> None:
    add_request(store, MULTI)
    failed = done(store, claim(store), PaymentEvent.FAILED, **FAILED)
    with pytest.raises(ClaimError, match=f"Another invoice had the payment_hash {failed.payment_hash.hex()}"):
        claim(store, 1, bolt12="lni1another")


def test_unknown_never_gives_the_claim_back(store: Store) -> None:
    add_request(store)
    unknown = done(store, done(store, claim(store), PaymentEvent.BEGUN), PaymentEvent.LOST)
    assert status(store) == SINGLE | Status.CLAIMED
    with pytest.raises(ClaimError, match="already in progress"):
        claim(store, 2)
    assert done(store, unknown, PaymentEvent.LOST).state == "unknown"


def test_a_request_that_is_disabled_meanwhile_is_used_and_stays_inactive(store: Store) -> None:
    for kind, before, after in ((SINGLE, Status.SINGLE_USE, Status(6)), (MULTI, Status(0), Status(4))):
        with store.transaction() as connection:
            connection.execute("DELETE FROM invoicerequests")
            connection.execute("DELETE FROM payments")
        add_request(store, kind)
        paying = done(store, claim(store), PaymentEvent.BEGUN)
        with store.transaction() as connection:
            disabled = invoicerequests.change(connection, REQUEST, StatusChange.DISABLED)
        assert disabled is not None
        assert disabled & ~Status.CLAIMED == before
        done(store, paying, PaymentEvent.PAID, **PAID)
        assert status(store) == after


@pytest.mark.parametrize(("event", "state"), [*product(PaymentEvent, PaymentState)])
def test_a_step_is_taken_only_where_the_table_has_it(store: Store, event: PaymentEvent, state: PaymentState) -> None:
    payment = claim(store)
    with store.transaction() as connection:
        connection.execute("UPDATE payments SET state = ?", (state.value,))
    taken = step(store, payment, event)
    assert (None if taken is None else taken.state) == STEPS[event].get(state)


def test_a_new_owner_has_a_higher_fence_and_the_old_one_changes_nothing_any_more(store: Store) -> None:
    add_request(store)
    paying = done(store, claim(store), PaymentEvent.BEGUN)
    with store.transaction() as connection:
        taken = payments.take_over(connection, paying, "two")
    assert taken is not None
    assert (taken.owner, taken.state) == ("two", "unknown")
    assert taken.fence > paying.fence
    for event in PaymentEvent:
        assert step(store, paying, event, completed_at=11) is None
    with store.transaction() as connection:
        assert payments.take_over(connection, paying, "three") is None
    assert done(store, taken, PaymentEvent.PAID, **PAID).owner == "two"
    with store.transaction() as connection:
        assert payments.take_over(connection, taken, "three") is None


def test_a_claim_that_had_not_begun_is_taken_over_as_such(store: Store) -> None:
    claimed = claim(store)
    with store.transaction() as connection:
        taken = payments.take_over(connection, claimed, "two")
    assert taken is not None
    assert taken.state == "claimed"


def test_open_payments_are_those_that_hold_a_claim(store: Store) -> None:
    add_request(store, MULTI)
    claims = [claim(store, number) for number in range(4)]
    done(store, claims[0], PaymentEvent.BEGUN)
    done(store, done(store, claims[1], PaymentEvent.BEGUN), PaymentEvent.LOST)
    done(store, claims[2], PaymentEvent.FAILED, **FAILED)
    with store.transaction(writes=False) as connection:
        assert {each.state for each in payments.open_payments(connection)} == OPEN


def test_what_is_spent_counts_fees_and_what_may_still_be_paid(store: Store) -> None:
    add_request(store, MULTI)
    for number, at in ((1, 5), (2, 20)):
        paying = done(store, claim(store, number), PaymentEvent.BEGUN)
        done(store, paying, PaymentEvent.PAID, **PAID | {"completed_at": at})
    done(store, claim(store, 3), PaymentEvent.BEGUN)
    done(store, claim(store, 4), PaymentEvent.FAILED, **FAILED)
    with store.transaction(writes=False) as connection:
        assert payments.spent_since(connection, 20) == 1_001 + 1_005


def test_only_the_last_failures_of_a_request_are_kept(store: Store) -> None:
    add_request(store)
    for number in range(MAX_FAILED + 3):
        done(store, claim(store, number), PaymentEvent.FAILED, **FAILED | {"completed_at": number})
    with store.transaction(writes=False) as connection:
        kept = payments.of_request(connection, REQUEST)
    assert [each.bolt12 for each in kept] == [f"lni1{number}" for number in range(3, MAX_FAILED + 3)]


def test_the_database_itself_holds_one_payment_for_a_single_use(store: Store) -> None:
    """Whatever the code may do."""
    add_request(store)
    claim(store)
    with store.transaction() as connection:
        connection.execute("UPDATE invoicerequests SET status = ?", (SINGLE.value,))
    with pytest.raises(ClaimError, match="already in progress"):
        claim(store, 2)
    with pytest.raises(StoreError, match=r"UNIQUE.*invreq_id"), store.transaction() as connection:
        connection.execute(
            "INSERT INTO payments SELECT x'01', invreq_id, offer_id, bolt12, amount_msat, limit_msat, expires_at,"
            " single_use, state, backend,"
            " owner, fence, created_index + 1, created_at, completed_at, preimage, sent_msat, reason FROM payments"
        )


def test_the_fence_never_goes_back(store: Store) -> None:
    first = claim(store)
    with store.transaction() as connection:
        payments.raise_fence(connection, 40)
        payments.raise_fence(connection, 5)
    assert claim(store, 2).fence == 41 > first.fence
