"""Paying once, step by step with a clock of its own: when a payment counts as failed, and when it may still succeed."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest

from clnrpc import ConnectionLostError, Outcome, Paid, ParameterError, PayOnceError, RpcError
from clnrpc.errors import AlreadyPaidError, DestinationFailedError, GenericError, InvoiceExpiredError, PluginError
from clnrpc.runtime.client.paying.steps import Call, Order
from clnrpc.runtime.errors import connection_lost
from tests.runtime.paying import DECODED, HASH, PAID, PREIMAGE, SUCCESS, listed, paid_by

LOST = connection_lost("xpay", sent=True)


def refused(kind: type[RpcError], code: int, outcome: Outcome = Outcome.UNKNOWN) -> RpcError:
    return kind(code, "no", method="xpay", outcome=outcome)


class Node:
    """Answers the steps from a table, with a clock that only pauses and slow answers move."""

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, Any] = {"decode": DECODED, "listpays": {"pays": []}} | answers
        self.now = 1000.0
        self.calls: list[str] = []
        self.params: dict[str, Any] = {}

    def answer(self, call: Call) -> Any:
        self.calls.append(call.method)
        self.params[call.method] = dict(call.params)
        found = self.answers[call.method]
        found = found(self) if callable(found) else found
        if isinstance(found, Exception):
            raise found
        return found

    def pay(self, **given: Any) -> Paid:
        return paid_by(self, Order(invoice="lni1", **given))

    def failure(self, **given: Any) -> Any:
        with pytest.raises((RpcError, PayOnceError, ConnectionLostError)) as error:
            self.pay(**given)
        return error.value


def rows(*statuses: str) -> Callable[[Node], Any]:
    """Return answers of `listpays`: one after the other, the last one for ever; "" for none, "!" for no answer."""
    left = list(statuses)

    def look(_: Node) -> Any:
        status = left.pop(0) if len(left) > 1 else left[0]
        return LOST if status == "!" else {"pays": [listed(status)] if status else []}

    return look


def test_an_answer_of_xpay_is_the_payment() -> None:
    node = Node(xpay=SUCCESS)
    assert node.pay() == PAID
    assert node.calls == ["decode", "xpay"]


def test_limits_go_to_the_node() -> None:
    node = Node(xpay=SUCCESS)
    node.pay(amount_msat=7, maxfee=8, label="tea", retry_for=9)
    limits = {"amount_msat": 7, "maxfee": 8, "label": "tea", "retry_for": 9}
    assert node.params["xpay"] == {"invstring": "lni1", **limits}


def test_a_node_without_xpay_pays_with_pay() -> None:
    unknown = RpcError(-32601, "Unknown command 'xpay'", method="xpay", outcome=Outcome.FAILED)
    node = Node(xpay=unknown, pay=SUCCESS)
    assert node.pay().preimage == PREIMAGE
    assert node.params["pay"]["bolt11"] == "lni1"


def test_an_error_before_anything_was_sent_is_raised_at_once() -> None:
    error = Node(xpay=refused(InvoiceExpiredError, 207, Outcome.FAILED)).failure()
    assert (type(error), error.outcome) == (InvoiceExpiredError, Outcome.FAILED)


@pytest.mark.parametrize("seen", [("complete",), ("", "pending", "complete"), ("failed", "pending", "!", "complete")])
def test_what_a_lost_answer_left_open_is_looked_up(seen: tuple[str, ...]) -> None:
    assert Node(xpay=LOST, listpays=rows(*seen)).pay() == PAID


def test_paid_before_is_paid() -> None:
    done = refused(AlreadyPaidError, 219, Outcome.DONE)
    assert Node(xpay=done, listpays=rows("complete")).pay().preimage == PREIMAGE
    error = Node(xpay=done).failure()  # the node has deleted the payment
    assert (type(error), error.outcome) == (AlreadyPaidError, Outcome.DONE)


@pytest.mark.parametrize("seen", [("failed",), ("",), ("pending", "pending", "failed")])
def test_after_the_last_attempt_a_payment_has_failed_once_nothing_is_pending(seen: tuple[str, ...]) -> None:
    node = Node(xpay=refused(DestinationFailedError, 203), listpays=rows(*seen))
    error = node.failure()
    assert (type(error), error.outcome) == (DestinationFailedError, Outcome.FAILED)
    assert node.calls.count("listpays") == len(seen) + 2  # three in a row


def test_a_part_that_left_with_the_last_answer_may_still_pay() -> None:
    node = Node(xpay=refused(DestinationFailedError, 203), listpays=rows("failed", "failed", "pending", "complete"))
    assert node.pay().preimage == PREIMAGE


@pytest.mark.parametrize("reason", [LOST, refused(PluginError, -3), refused(GenericError, -1), refused(RpcError, 210)])
@pytest.mark.parametrize("seen", ["", "failed"])
def test_without_a_last_answer_a_payment_has_failed_only_when_no_call_can_go_on(reason: Exception, seen: str) -> None:
    node = Node(xpay=reason, listpays=rows(seen))
    error = node.failure()
    assert (type(error), error.outcome, error.payment_hash) == (PayOnceError, Outcome.FAILED, HASH)
    assert error.__cause__ is reason
    assert 70 <= node.now - 1000 < 73
    node = Node(xpay=reason, listpays=rows(seen))
    node.failure(retry_for=100)
    assert 110 <= node.now - 1000 < 113


def test_a_payment_that_succeeds_at_the_last_moment_is_found() -> None:
    node = Node(xpay=LOST, listpays=lambda node: {"pays": [listed("complete")] if node.now > 1069 else []})
    assert node.pay().preimage == PREIMAGE


def test_the_time_counts_anew_when_the_node_does_not_answer() -> None:
    node = Node(xpay=LOST, listpays=lambda node: LOST if 1050 < node.now < 1060 else {"pays": []})
    assert node.failure().outcome == Outcome.FAILED
    assert node.now >= 1060 + 70


def test_slow_answers_do_not_show_that_nothing_is_pending() -> None:
    def slow(node: Node) -> Any:
        node.now += 2
        return {"pays": []}

    assert Node(xpay=LOST, listpays=slow).failure().outcome == Outcome.UNKNOWN


@pytest.mark.parametrize("seen", ["pending", "!", "a status of another release"])
def test_what_is_not_certain_in_time_is_unknown(seen: str) -> None:
    node = Node(xpay=LOST, listpays=rows(seen))
    error = node.failure(within=100)
    assert (type(error), error.outcome, error.payment_hash) == (PayOnceError, Outcome.UNKNOWN, HASH)
    assert "call pay_once with again=True" in str(error)
    assert 100 <= node.now - 1000 <= 101


def test_again_trusts_no_refusal_until_the_earlier_call_has_ended() -> None:
    expired = refused(InvoiceExpiredError, 207, Outcome.FAILED)
    node = Node(xpay=expired, listpays=rows("pending", "complete"))
    assert node.pay(again=True).preimage == PREIMAGE
    node = Node(xpay=refused(DestinationFailedError, 203))
    error = node.failure(again=True)
    assert (type(error), error.outcome) == (DestinationFailedError, Outcome.FAILED)
    assert node.now - 1000 >= 70


@pytest.mark.parametrize(("again", "outcome"), [(False, Outcome.FAILED), (True, Outcome.UNKNOWN)])
def test_a_node_that_is_not_there_has_done_nothing_but_perhaps_before(again: bool, outcome: Outcome) -> None:
    error = Node(decode=connection_lost("decode", sent=True)).failure(again=again)
    assert (type(error), error.outcome, error.payment_hash) == (PayOnceError, outcome, None)


def test_a_wrong_preimage_is_no_payment() -> None:
    error = Node(xpay=SUCCESS | {"payment_preimage": "11" * 32}).failure()
    assert (type(error), error.outcome) == (PayOnceError, Outcome.UNKNOWN)


@pytest.mark.parametrize("kind", ["bolt12 offer", "rune"])
def test_only_invoices_are_paid(kind: str) -> None:
    node = Node(decode={"type": kind})
    with pytest.raises(ParameterError, match="call fetchinvoice first"):
        node.pay()
    assert node.calls == ["decode"]


def test_both_kinds_of_invoices_have_a_hash() -> None:
    node = Node(decode={"type": "bolt11 invoice", "payment_hash": HASH}, xpay=SUCCESS)
    assert node.pay().payment_hash == HASH
    assert sha256(bytes.fromhex(PREIMAGE)).hexdigest() == HASH
