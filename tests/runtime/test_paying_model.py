"""Paying once against a model of a node: whatever is lost, slow or late, no payment is counted wrongly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from clnrpc import ClientError, Outcome, Paid, RpcError
from clnrpc.errors import UnspecifiedPaymentError
from clnrpc.runtime.client.paying.steps import Call, Order
from clnrpc.runtime.errors import connection_lost
from tests.runtime.paying import DECODED, SUCCESS, listed, paid_by

ROUTING, HANDED_OVER = 30, 9
"""How long the first routing may take, and until the command reaches its plugin, in seconds."""
LATE = 0.4
"""How long after its last answer a command may send a part for which it had reserved a route, in seconds."""


@dataclass(frozen=True)
class Part:
    """One attempt to pay, in seconds from the beginning of the command."""

    start: float
    end: float
    succeeds: bool


@dataclass
class Node:
    """Has a timeline of parts, an answer, and accidents."""

    parts: list[Part]
    answered_at: float | None
    """When `xpay` gives up; None if it never answers before a part has succeeded."""
    lost_at: float | None
    """When the connection of `xpay` ends."""
    looks: list[str]
    """What happens to each look: "", "lost" or "slow"; nothing to all others."""
    now: float = 0.0
    began: float = 0.0

    @property
    def paid_at(self) -> float | None:
        """When the payee has taken a part, if ever."""
        return min((part.end for part in self.parts if part.succeeds), default=None)

    def answer(self, call: Call) -> Any:
        return getattr(self, call.method)()

    def decode(self) -> Any:
        return DECODED

    def xpay(self) -> Any:
        self.began = self.now
        if self.answered_at is not None:  # no part begins later
            self.parts = [part for part in self.parts if part.start <= self.answered_at + LATE]
        ends = [at for at in (self.answered_at, self.paid_at) if at is not None]
        if self.lost_at is not None and self.lost_at < min(ends, default=self.lost_at + 1):
            self.now += self.lost_at
            raise connection_lost("xpay", sent=True)
        if not ends:
            self.now += 100
            raise connection_lost("xpay", sent=True)
        self.now += min(ends)
        if self.paid_at == min(ends):
            return SUCCESS
        raise UnspecifiedPaymentError(209, "no", method="xpay")

    def listpays(self) -> Any:
        accident = self.looks.pop(0) if self.looks else ""
        if accident == "lost":
            raise connection_lost("listpays", sent=True)
        at = self.now - self.began
        self.now += 3.0 if accident == "slow" else 0.01
        begun = [part for part in self.parts if part.start <= at]
        if any(part.succeeds and part.end <= at for part in begun):
            return {"pays": [listed("complete")]}
        if any(part.end > at for part in begun):
            return {"pays": [listed("pending")]}
        return {"pays": [listed("failed")] if begun else []}


def outcome_of(node: Node, order: Order) -> Paid | Outcome:
    try:
        return paid_by(node, order)
    except (RpcError, ClientError) as error:
        return error.outcome


@st.composite
def nodes(draw: st.DrawFn) -> tuple[Node, Order]:
    retry_for = draw(st.sampled_from([5, 60, 120]))
    order = Order(invoice="lni1", retry_for=retry_for, within=draw(st.floats(0, 600)))
    longest = max(retry_for, ROUTING) + HANDED_OVER
    starts = draw(st.lists(st.floats(0, longest), max_size=4))
    parts = [Part(start, start + draw(st.floats(0.01, 150)), draw(st.booleans())) for start in sorted(starts)]
    answered_at = draw(st.none() | st.floats(0, longest))
    lost_at = draw(st.none() | st.floats(0, 100))
    looks = draw(st.lists(st.sampled_from(["", "", "lost", "slow"]), max_size=200))
    return Node(parts, answered_at, lost_at, looks), order


@settings(max_examples=300, deadline=None)
@given(nodes())
@example((Node([Part(68.9, 70, True)], None, 1, []), Order(invoice="lni1", within=600)))
@example((Node([Part(5, 6, False), Part(38.9, 40, True)], None, 1, []), Order(invoice="lni1", retry_for=5, within=600)))
def test_no_payment_is_counted_wrongly(made: tuple[Node, Order]) -> None:
    node, order = made
    outcome = outcome_of(node, order)
    event(outcome if isinstance(outcome, Outcome) else "paid")
    if isinstance(outcome, Paid):
        assert node.paid_at is not None
        assert node.began + node.paid_at <= node.now
    elif outcome == Outcome.FAILED:
        assert node.paid_at is None, "it was called failed, and paid later"


@settings(max_examples=100, deadline=None)
@given(nodes())
def test_with_time_enough_every_payment_is_certain(made: tuple[Node, Order]) -> None:
    node, order = made
    outcome = outcome_of(node, Order(invoice="lni1", retry_for=order.retry_for, within=5_000))
    assert isinstance(outcome, Paid) == (node.paid_at is not None)
    assert isinstance(outcome, Paid) or outcome == Outcome.FAILED
